"""Samples of round trips and of flushes, in the formats of the tools that make them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from replsim.calibrate.columns import lines_of, table
from replsim.errors import MeasurementError

__all__ = ["flush_times", "round_trips"]

Floats = NDArray[np.float64]

PING: Final = re.compile(r"time[=<]\s*([\d.]+)\s*(us|ms|s)\b")
TO_US: Final = {"us": 1.0, "ms": 1e3, "s": 1e6}
FSYNC_METHOD: Final = re.compile(
    r"^\s*(open_datasync|fdatasync|fsync|fsync_writethrough|open_sync)\s.*?([\d.]+)\s+usecs/op"
)


def round_trips(file: Path) -> Floats:
    """Round trips in microseconds: the output of ``ping``, or a CSV file with a column ``rtt_ms``, or bare numbers
    in milliseconds, one a line.  Raises `MeasurementError`."""
    lines = lines_of(file)
    pings = [float(found[1]) * TO_US[found[2]] for line in lines if (found := PING.search(line))]
    if pings:
        return np.array(pings)
    if lines and "rtt_ms" in lines[0].split(","):
        return np.asarray(table(file, ("rtt_ms",))["rtt_ms"], dtype=np.float64) * 1e3
    return _numbers(file, lines, "a line of ping, a column rtt_ms, or milliseconds") * 1e3


def flush_times(file: Path, method: str = "fdatasync") -> tuple[Floats, bool]:
    """Flush times in microseconds, and whether they are single ones.

    A CSV file with a column ``dur_us`` (and, where it has ``type``, rows of type 1) or bare microseconds, one a line,
    hold single flushes.  The output of ``pg_test_fsync`` has one mean for each ``method``, no distribution.  Raises
    `MeasurementError`.
    """
    lines = lines_of(file)
    means = {found[1]: float(found[2]) for line in lines if (found := FSYNC_METHOD.match(line))}
    if means:
        if method not in means:
            raise MeasurementError(f"{file}: pg_test_fsync did not try {method}; it has {', '.join(means)}")
        return np.array([means[method]]), False
    if lines and "dur_us" in lines[0].split(","):
        columns = table(file, ("dur_us",))
        times = np.asarray(columns["dur_us"], dtype=np.float64)
        return (times[columns["type"] == 1] if "type" in columns else times), True
    return _numbers(file, lines, "pg_test_fsync's output, a column dur_us, or microseconds"), True


def _numbers(file: Path, lines: list[str], expected: str) -> Floats:
    values = []
    for line, text in enumerate(lines, 1):
        if not text.strip():
            continue
        try:
            values.append(float(text))
        except ValueError:
            raise MeasurementError(f"{file}:{line}: expected {expected}, not {text[:60]!r}") from None
    if not values:
        raise MeasurementError(f"{file}: has no samples")
    return np.array(values)
