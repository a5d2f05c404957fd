"""From what a run appended to what a record holds, without copying it."""

from __future__ import annotations

from array import array

import numpy as np
from numpy.typing import NDArray

__all__ = ["Ints", "ints", "steps"]

Ints = NDArray[np.int64]


def ints(values: array[int]) -> Ints:
    """The values as a NumPy array of the same memory: nothing may be appended any more."""
    return np.frombuffer(values, dtype=np.int64) if values else np.empty(0, dtype=np.int64)


def steps(time: array[int], lsn: array[int], end: int) -> tuple[Ints, Ints]:
    """The steps up to ``end`` of a position that was ``lsn[i]`` from ``time[i]`` on; times and positions never fall.

    ``lsn`` may be longer: what it holds beyond ``time`` has not happened.
    """
    times = ints(time)
    count = int(np.searchsorted(times, end, side="right"))
    return times[:count], ints(lsn)[:count]
