"""From measurements to a scenario: what could be identified, how well, and what could not."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from replsim.calibrate.columns import lines_of, table
from replsim.calibrate.fit import fitted
from replsim.calibrate.pgbench import Transactions
from replsim.calibrate.seen import COLUMNS
from replsim.errors import MeasurementError

__all__ = ["PRIMARY", "Calibration", "Part", "Sources", "calibrated", "read_settings"]

Floats = NDArray[np.float64]

HOPS_US: Final = 200.0
"""What a reply's lag has besides the network: two wake-ups and a write (docs/model.md), in microseconds."""
PRIMARY: Final = "p"
"""What the primary is called."""
LOW: Final = 0.05
"""The quantile of ``write_lag`` that is the network's own: above it, the standby was busy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What was measured; each may be missing.  Times are microseconds."""

    name: str = "calibrated"
    transactions: Transactions | None = None
    replication: Path | None = None
    """Samples of ``pg_stat_replication`` and WAL positions, as ``replsim observe`` writes them."""
    pings: Mapping[str, Floats] = field(default_factory=dict)
    """Round trips by standby."""
    flushes: Mapping[str, tuple[Floats, bool]] = field(default_factory=dict)
    """Flush times by node, and whether they are single ones (else one mean)."""
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Part:
    """One value of the scenario, where it comes from, and how good it is."""

    path: str
    value: Any
    told: str


@dataclass(slots=True)
class Calibration:
    """A scenario in the making."""

    name: str
    standbys: tuple[str, ...]
    parts: list[Part] = field(default_factory=list)
    unknown: list[Part] = field(default_factory=list)
    """What could not be identified, with the value that it was given."""
    samples: dict[str, Floats] = field(default_factory=dict)
    """Files of samples (microseconds) that the scenario reads, by name."""
    measured: dict[str, str] = field(default_factory=dict)

    def know(self, path: str, value: Any, told: str) -> None:
        """A value that the measurements tell."""
        self.parts.append(Part(path, value, told))

    def assume(self, path: str, value: Any, why: str) -> None:
        """A value that they do not tell."""
        self.unknown.append(Part(path, value, why))

    def value(self, path: str) -> Any:
        """What a path was given."""
        return next(part.value for part in (*self.parts, *self.unknown) if part.path == path)

    def fit(self, path: str, us: Floats, source: str) -> None:
        """A distribution for a path: a family that fits, or the samples in a file of their own."""
        found = fitted(us)
        law = found.law
        if law is None:
            file = f"{self.name}.{re.sub('[^A-Za-z0-9_]+', '-', path).strip('-')}.csv"
            self.samples[file] = us
            law = {"empirical": {"file": file, "column": "us", "unit": "us", "order": "sequence"}}
        self.know(path, law, f"{source}: {found.told}")


def calibrated(sources: Sources) -> Calibration:
    """All that the sources tell.  Raises `MeasurementError` for files that are wrong, or where there are none."""
    columns = _replication(sources.replication)
    standbys = _standbys(sources, columns)
    if not (columns or sources.transactions or sources.pings or sources.flushes):
        raise MeasurementError(
            "nothing to calibrate from: give transactions, replication samples, pings or flush times"
        )
    found = Calibration(sources.name, standbys)
    _settings(found, sources.settings)
    _devices(found, sources, columns)
    _links(found, sources, columns)
    _load(found, sources, columns)
    _lags(found, columns)
    found.assume("wakeup", "50us", "shows only in what latencies do not explain; the default")
    for standby in standbys:
        found.assume(f"standbys.{standby}.replay.per_record", "20us", "needs a standby that falls behind; the default")
    return found


def _replication(file: Path | None) -> Mapping[str, NDArray[Any]]:
    if file is None:
        return {}
    columns = table(file, ("t_s", "standby", "insert_lsn"), text=("standby",))
    kept = columns["t_s"] >= 0
    if not kept.any():
        raise MeasurementError(f"{file}: has no samples")
    return {name: column[kept] for name, column in columns.items()}


def _standbys(sources: Sources, columns: Mapping[str, NDArray[Any]]) -> tuple[str, ...]:
    seen = [str(name) for name in np.unique(columns["standby"]) if name] if columns else []
    flushing = [node for node in sources.flushes if node != PRIMARY]
    return tuple(dict.fromkeys([*seen, *sources.pings, *flushing]))


def _settings(found: Calibration, settings: Mapping[str, str]) -> None:
    """PostgreSQL's own words are the scenario's."""
    for key in ("synchronous_commit", "synchronous_standby_names", "commit_siblings", "max_connections"):
        if settings.get(key, "") != "":
            value = int(settings[key]) if settings[key].isdigit() else settings[key]
            found.know(f"primary.{key}", value, "the server's setting")
    for key in ("commit_delay", "wal_writer_delay"):
        if key in settings:
            text = settings[key]
            found.know(f"primary.{key}", f"{text}us" if text.isdigit() else text, "the server's setting")
    if "synchronous_commit" not in settings:
        found.assume("primary.synchronous_commit", "on", "no settings were given; PostgreSQL's default")
    if not settings and found.standbys:
        found.assume(
            "primary.synchronous_standby_names", "", "no settings were given: as if no commit waited for a standby"
        )


def _devices(found: Calibration, sources: Sources, columns: Mapping[str, NDArray[Any]]) -> None:
    for node in (PRIMARY, *found.standbys):
        place = "primary" if node == PRIMARY else f"standbys.{node}"
        path = f"{place}.wal_device.flush"
        if node in sources.flushes:
            us, single = sources.flushes[node]
            if single:
                found.fit(path, us, "flush samples")
            else:
                found.know(path, f"{us[0]:.5g}us", "pg_test_fsync: a mean, so the spread is not known")
        elif node != PRIMARY and (gap := _gap(columns, node)) is not None:
            found.know(
                path,
                f"{gap * 1e3:.4g}us",
                "median of flush_lag - write_lag, where they differ; its spread is not known",
            )
        else:
            found.assume(
                path, {"lognormal": {"median": "0.6ms", "p99": "3ms"}}, "no flush samples of this node; the default"
            )


def _gap(columns: Mapping[str, NDArray[Any]], standby: str) -> float | None:
    """The median time (ms) from a standby's write to its flush, as its replies tell."""
    if not columns or "flush_lag_ms" not in columns or "write_lag_ms" not in columns:
        return None
    mine = columns["standby"] == standby
    gap = columns["flush_lag_ms"][mine] - columns["write_lag_ms"][mine]
    gap = gap[gap > 0]
    return float(np.median(gap)) if len(gap) else None


def _links(found: Calibration, sources: Sources, columns: Mapping[str, NDArray[Any]]) -> None:
    for standby in found.standbys:
        path = f'links."{PRIMARY} -> {standby}".latency'
        if standby in sources.pings:
            found.fit(path, sources.pings[standby] / 2, "half of the round trips")
            continue
        lag = columns["write_lag_ms"][columns["standby"] == standby] if "write_lag_ms" in columns else np.empty(0)
        lag = lag[~np.isnan(lag)]
        if len(lag):
            one_way = max((float(np.quantile(lag, LOW)) * 1e3 - HOPS_US) / 2, 1.0)
            found.know(
                path,
                f"{one_way:.5g}us",
                f"half of write_lag (p5) less {HOPS_US:.0f} us of wake-ups and writing; its spread is not known",
            )
        else:
            found.assume(path, "1ms", "neither round trips nor write_lag were measured")


def _load(found: Calibration, sources: Sources, columns: Mapping[str, NDArray[Any]]) -> None:
    done, writer = sources.transactions, "writers.app"
    if done is None:
        rate = _per_second(columns, "commits")
        if rate:
            found.know(f"{writer}.rate", f"{rate:.5g}/s", "commits of all databases a second; open loop is assumed")
        else:
            found.assume(f"{writer}.rate", "100/s", "no transactions were measured")
    else:
        seconds = float(done.end_us.max()) / 1e6
        if done.late_us is not None:
            found.know(
                f"{writer}.rate",
                f"{len(done.end_us) / seconds:.5g}/s",
                "transactions a second; pgbench --rate is open loop",
            )
            if done.clients:
                found.know(f"{writer}.connections", done.clients, "clients in the log")
        else:
            clients = done.clients or max(1, round(float(done.latency_us.sum()) / 1e6 / seconds))
            how = "clients in the log" if done.clients else "latencies add up to so many clients' time (Little's law)"
            found.know(f"{writer}.clients", clients, how)
        _measured(found, done, seconds)
    _sizes(found, sources, columns, writer)
    found.assume(
        f"{writer}.execution",
        {"lognormal": {"median": "0.1ms", "p99": "0.3ms"}},
        "what latency has besides flushes, network and wake-ups; 'replsim run' shows what 'measured' has more",
    )


def _measured(found: Calibration, done: Transactions, seconds: float) -> None:
    latency = done.latency_us if done.late_us is None else done.latency_us - done.late_us
    family = "commit_latency" if done.late_us is None else "commit_latency_from_start"
    for rank in (50, 90, 99):
        found.measured[f"{family}.p{rank}"] = f"{float(np.percentile(latency, rank)):.5g}us"
    found.measured["throughput"] = f"{len(latency) / seconds:.5g}/s"


def _sizes(found: Calibration, sources: Sources, columns: Mapping[str, NDArray[Any]], writer: str) -> None:
    """WAL a commit, from positions and the number of commits meanwhile."""
    commits = _per_second(columns, "commits")
    if not commits and sources.transactions is not None:
        commits = len(sources.transactions.end_us) / (float(sources.transactions.end_us.max()) / 1e6)
    wal, records = _per_second(columns, "insert_lsn"), _per_second(columns, "wal_records")
    if commits and wal:
        found.know(
            f"{writer}.record",
            f"{max(1, round(wal / commits))} B",
            "WAL written over commits; vacuum and all else is in it",
        )
    else:
        found.assume(f"{writer}.record", "600 B", "needs WAL positions and the number of commits; the default")
    if commits and records:
        found.know(f"{writer}.records", max(1, round(records / commits)), "WAL records over commits")
    else:
        found.assume(f"{writer}.records", 1, "needs pg_stat_wal; the default")


def _per_second(columns: Mapping[str, NDArray[Any]], name: str) -> float:
    """How fast a counter rose, 0 where it was not sampled."""
    if name not in columns:
        return 0.0
    known = ~np.isnan(columns[name])
    time, value = columns["t_s"][known], columns[name][known]
    if len(time) < 2 or time.max() == time.min():
        return 0.0
    return float(value[np.argmax(time)] - value[np.argmin(time)]) / float(time.max() - time.min())


def _lags(found: Calibration, columns: Mapping[str, NDArray[Any]]) -> None:
    for standby in found.standbys:
        for column in COLUMNS:
            if f"{column}_lag_ms" in columns:
                lag = columns[f"{column}_lag_ms"][columns["standby"] == standby]
                lag = lag[~np.isnan(lag)]
                if len(lag):
                    found.measured[f"{standby}.measured_lag.{column}.p50"] = f"{float(np.median(lag)) * 1e3:.5g}us"


def read_settings(file: Path) -> Mapping[str, str]:
    """Settings as ``replsim observe`` writes them (JSON).  Raises `MeasurementError`."""
    try:
        found = json.loads("\n".join(lines_of(file)))
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise MeasurementError(f"{file}: is not a JSON object of settings")
    return {str(key): str(value) for key, value in found.items()}
