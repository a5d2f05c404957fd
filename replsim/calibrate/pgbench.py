"""The log of ``pgbench -l``: one line a transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from replsim.calibrate.columns import lines_of, number
from replsim.errors import MeasurementError

__all__ = ["Transactions", "read_logs"]

Floats = NDArray[np.float64]

FIELDS: Final = (6, 7, 8)
"""Client, transaction, latency, script, seconds, microseconds; then the schedule lag (``--rate``) and the retries."""


@dataclass(frozen=True, slots=True, eq=False)
class Transactions:
    """Transactions in the order of their ends: microseconds since the window began, and microseconds.

    ``late_us`` is how long after its scheduled time each began (it is part of the latency), or None for a closed loop.
    ``clients`` is how many there were, or None where that is not known.
    """

    end_us: Floats
    latency_us: Floats
    late_us: Floats | None
    clients: int | None = None


def read_logs(files: Sequence[Path]) -> Transactions:
    """The transactions of one run of ``pgbench -l``, from the logs of all its threads, in the order of their ends.

    The window begins with the first transaction's start.  Raises `MeasurementError` with the line at fault.
    """
    rows = []
    for file in files:
        for line, text in enumerate(lines_of(file), 1):
            fields = text.split()
            if len(fields) not in FIELDS:
                raise MeasurementError(f"{file}:{line}: is not a line of 'pgbench -l' (6 to 8 numbers): {text[:60]!r}")
            if fields[2] in ("failed", "skipped", "serialization", "deadlock"):
                continue
            rows.append([number(field, file, line) for field in fields[:7]] + [0.0] * (7 - len(fields[:7])))
    if not rows:
        raise MeasurementError(f"{', '.join(map(str, files)) or 'pgbench'}: no transaction in the log")
    columns = np.array(rows, dtype=np.float64)
    end = (columns[:, 4] - columns[:, 4].min()) * 1e6 + columns[:, 5]
    order = np.argsort(end, kind="stable")
    latency, late = columns[order, 2], columns[order, 6]
    begin = float((end[order] - latency).min())
    scheduled = bool(late.any())
    return Transactions(end[order] - begin, latency, late if scheduled else None, len(np.unique(columns[:, 0])))
