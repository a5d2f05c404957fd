"""A measured run in files: read into what can be compared with a simulated one.

A run is up to three files, ``NAME.tx.csv``, ``NAME.mon.csv`` and ``NAME.fsync.csv`` (``.gz`` allowed), or the same
without ``NAME.`` in a folder of their own; in place of ``tx.csv`` there may be the logs of ``pgbench -l``:

- ``tx``, transactions: ``t_end_us`` (since the end of the warm-up) and ``latency_us``; with ``sched_lag_us``, which
  pgbench counts into the latency, the latency from a transaction's own start is known, too;
- ``mon``, samples of ``pg_stat_replication``: ``t_s``, ``standby``, ``write_lag_ms``, ``flush_lag_ms`` and
  ``replay_lag_ms``;
- ``fsync``, each flush of each node: ``node``, ``t_start_us`` and ``dur_us``; with ``type``, flushes are of type 1.

What lies before the end of the warm-up (negative times) does not count, nor what lies behind the run's end where a
``NAME.json`` says how long it was (``duration_s``).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from replsim.analysis.weighted import nearest_rank
from replsim.calibrate.columns import lines_of, table
from replsim.calibrate.pgbench import Transactions, read_logs
from replsim.calibrate.seen import COLUMNS, RANKS, Lag, Seen
from replsim.errors import MeasurementError

__all__ = ["Files", "flushes", "read", "transactions"]

Floats = NDArray[np.float64]

PERMILLE: Final = {"p50": 500, "p90": 900, "p99": 990}
KINDS: Final = ("tx", "mon", "fsync")


class Files:
    """Where the files of one run are."""

    def __init__(self, path: Path, name: str = "") -> None:
        """``path``: a folder, a file of the run, or all that its files' names begin with.

        In a folder with several runs the one called ``name`` is meant.  Raises `MeasurementError` where there is none.
        """
        self.logs: list[Path] = []
        if path.is_dir():
            folder, stem = path, ""
            runs = sorted({file.name.rpartition(f"{kind}.csv")[0] for kind in KINDS for file in _all(path, kind)})
            self.logs = sorted(path.glob("pgbench_log.*"))
            if f"{name}." in runs:
                stem = f"{name}."
            elif len(runs) == 1:
                stem = runs[0]
            elif runs and "" not in runs:
                listed = ", ".join(run.rstrip(".") for run in runs)
                raise MeasurementError(f"{path}: holds several runs: write for example {path / runs[0]}  ({listed})")
        else:
            folder, stem = path.parent, path.name
            for ending in (".json", *(f".{kind}.csv{packed}" for kind in KINDS for packed in ("", ".gz"))):
                stem = stem.removesuffix(ending)
            stem = f"{stem.rstrip('.')}."
        self.duration = _duration(folder / f"{stem}json") if stem else None
        """The measured time in microseconds, where it is known."""
        self.tx, self.mon, self.fsync = (_one(folder, f"{stem}{kind}.csv") for kind in KINDS)
        if not (self.tx or self.mon or self.fsync or self.logs):
            raise MeasurementError(f"{path}: there is no measured run (files such as {stem or 'NAME.'}tx.csv)")


def read(path: str | Path, *, name: str = "") -> Seen:
    """A measured run, as far as it was measured.  Raises `MeasurementError` for files that are wrong or not there."""
    files = Files(Path(path), name)
    values: dict[str, float] = {}
    done = transactions(files)
    latencies = {} if done is None else _latencies(done)
    for family, seconds in latencies.items():
        whole = np.rint(seconds * 1e9).astype(np.int64)
        values |= {f"{family}.{rank}": nearest_rank(whole, PERMILLE[rank]) / 1e9 for rank in RANKS}
    if done is not None:
        values["throughput"] = len(done.end_us) / (float(done.end_us.max()) / 1e6)
        for node, durations in flushes(files, float(done.end_us.max())).items():
            values[f"{node}.commits_per_flush"] = len(done.end_us) / len(durations)
    lag = _lag(files.mon) if files.mon else {}
    for standby, columns in lag.items():
        for column, seen in columns.items():
            known = seen.value[~np.isnan(seen.value)]
            if len(known):
                whole = np.rint(known * 1e9).astype(np.int64)
                for rank in ("p50", "p99"):
                    values[f"{standby}.measured_lag.{column}.{rank}"] = nearest_rank(whole, PERMILLE[rank]) / 1e9
    return Seen("measured", values, latencies, lag)


def transactions(files: Files) -> Transactions | None:
    """The transactions that ended after the warm-up, or None where none were measured."""
    if files.tx is None:
        return read_logs(files.logs) if files.logs else None
    columns = table(files.tx, ("t_end_us", "latency_us"))
    counted = (columns["t_end_us"] > 0) & (columns["t_end_us"] <= (files.duration or np.inf))
    late = columns["sched_lag_us"][counted] if "sched_lag_us" in columns else None
    if not counted.any():
        raise MeasurementError(f"{files.tx}: no transaction ended after the warm-up")
    if late is not None and not late.any():
        late = None  # closed loop: nothing was scheduled
    return Transactions(columns["t_end_us"][counted], columns["latency_us"][counted], late)


def flushes(files: Files, until_us: float = np.inf) -> dict[str, Floats]:
    """How long each flush of each node took, in microseconds, in their order; {} where that was not measured."""
    if files.fsync is None:
        return {}
    columns = table(files.fsync, ("node", "t_start_us", "dur_us"), text=("node",))
    counted = (columns["t_start_us"] >= 0) & (columns["t_start_us"] <= until_us)
    if "type" in columns:
        counted &= columns["type"] == 1
    nodes = columns["node"]
    return {str(node): columns["dur_us"][counted & (nodes == node)] for node in np.unique(nodes[counted])}


def _latencies(done: Transactions) -> dict[str, Floats]:
    seconds = done.latency_us / 1e6
    if done.late_us is None:
        return {"commit_latency": seconds}
    return {"commit_latency": seconds, "commit_latency_from_start": seconds - done.late_us / 1e6}


def _lag(file: Path) -> dict[str, dict[str, Lag]]:
    columns = table(file, ("t_s", "standby"), text=("standby",))
    counted = columns["t_s"] > 0
    found: dict[str, dict[str, Lag]] = {}
    for standby in np.unique(columns["standby"][counted]):
        mine = counted & (columns["standby"] == standby)
        found[str(standby)] = {
            column: Lag(columns["t_s"][mine], columns[f"{column}_lag_ms"][mine] / 1e3)
            for column in COLUMNS
            if f"{column}_lag_ms" in columns
        }
    return found


def _duration(file: Path) -> float | None:
    if not file.is_file():
        return None
    try:
        return float(json.loads("\n".join(lines_of(file)))["duration_s"]) * 1e6
    except (ValueError, KeyError, TypeError):
        raise MeasurementError(f"{file}: does not say how long the run was (duration_s)") from None


def _all(folder: Path, kind: str) -> list[Path]:
    return [*folder.glob(f"*{kind}.csv"), *folder.glob(f"*{kind}.csv.gz")]


def _one(folder: Path, name: str) -> Path | None:
    return next((file for file in (folder / name, folder / f"{name}.gz") if file.is_file()), None)
