"""What a live primary shows, written where a calibration finds it."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from replsim.engines.postgres import observe as live
from replsim.front import Progress

__all__ = ["observed"]


def observed(dsn: str, folder: Path, *, seconds: float, every: float, progress: Progress | None = None) -> int:
    """Sample the primary at ``dsn`` into ``mon.csv`` and ``settings.json`` of ``folder``; the number of rows.

    Raises `ServerFailed` where it cannot be observed.
    """
    settings = dict(live.settings(dsn))
    (folder / "settings.json").write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    rows = 0
    with (folder / "mon.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(live.COLUMNS)
        for row in live.observe(dsn, seconds=seconds, every=every, progress=progress):
            writer.writerow(["" if value is None else value for value in row])
            rows += 1
    return rows
