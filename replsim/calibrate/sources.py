"""Where measurements are: a folder that holds them, and files that are named one by one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from replsim.calibrate.pgbench import read_logs
from replsim.calibrate.samples import flush_times, round_trips
from replsim.calibrate.scenario import Sources, read_settings
from replsim.calibrate.stored import Files, flushes, transactions
from replsim.errors import MeasurementError

__all__ = ["gathered"]

Floats = NDArray[np.float64]

OWN: Final = re.compile(r"^(ping|fsync)[.-]([^.]+)\.(txt|csv|log)$")


def gathered(
    folder: Path | None,
    *,
    name: str,
    logs: Iterable[Path] = (),
    replication: Path | None = None,
    pings: Mapping[str, Path] | None = None,
    fsyncs: Mapping[str, Path] | None = None,
    settings: Path | None = None,
) -> Sources:
    """All sources: what lies in ``folder`` under its usual names, and what is named, which comes first.

    In a folder: ``tx.csv`` or ``pgbench_log.*``, ``mon.csv``, ``fsync.csv`` (each node's), ``ping.NODE.txt``,
    ``fsync.NODE.txt`` and ``settings.json``; the first three also as ``NAME.tx.csv`` and so on.  Raises
    `MeasurementError`.
    """
    ways, devices = dict(pings or {}), dict(fsyncs or {})
    done = read_logs(list(logs)) if list(logs) else None
    times: dict[str, tuple[Floats, bool]] = {}
    if folder is not None:
        where = folder if folder.is_dir() else folder.parent
        for file in sorted(where.iterdir()) if where.is_dir() else ():
            if found := OWN.match(file.name):
                (ways if found[1] == "ping" else devices).setdefault(found[2], file)
        if settings is None and (where / "settings.json").is_file():
            settings = where / "settings.json"
        try:
            files = Files(folder, name)
        except MeasurementError:
            if not (ways or devices or settings or done):
                raise
        else:
            done = done or transactions(files)
            replication = replication or files.mon
            times = {node: (us, True) for node, us in flushes(files).items()}
    return Sources(
        name=name,
        transactions=done,
        replication=replication,
        pings={node: round_trips(file) for node, file in ways.items()},
        flushes=times | {node: flush_times(file) for node, file in devices.items()},
        settings=read_settings(settings) if settings else {},
    )
