"""Columns of whole numbers, cut and joined."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from replsim.kernels.compiled import compiled
from replsim.record import Trajectory

__all__ = ["Ints", "by", "chained", "cut", "joined", "merged", "roomy", "trajectory", "until"]

Ints = NDArray[np.int64]
STRETCH = 1024
T = TypeVar("T", bound=tuple[Any, ...])


def cut(table: T, rows: slice | NDArray[Any]) -> T:
    """Some rows of a named tuple of columns."""
    return cast(T, type(table)._make(column[rows] for column in table))  # type: ignore[attr-defined]  # named tuples


def chained(tables: Sequence[T]) -> T:
    """Named tuples of columns, one after the other."""
    if len(tables) == 1:
        return tables[0]
    columns = zip(*tables, strict=True)
    return cast(T, type(tables[0])._make(map(joined, columns)))  # type: ignore[attr-defined]  # named tuples have it


def joined(columns: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """One after the other; no copy where only one of them holds anything."""
    if len(columns) == 1:
        return columns[0]
    filled = [column for column in columns if len(column)] or columns[:1]
    return filled[0] if len(filled) == 1 else np.concatenate(filled)


def roomy(column: Ints, room: int) -> Ints:
    """A column with so much room behind it."""
    wider = np.empty(len(column) + room, dtype=column.dtype)
    wider[: len(column)] = column
    return wider


def by(times: Ints, time: int, *, within: bool = True) -> int:
    """How many of the rising ``times`` come before ``time``, or at it."""
    return int(np.searchsorted(times, time, side="right" if within else "left"))


def until(times: Ints, end: int) -> Ints:
    """Those of the rising ``times`` that are not after ``end``."""
    return times[: int(np.searchsorted(times, end, side="right"))]


def trajectory(time: Ints, lsn: Ints, end: int) -> Trajectory:
    """The steps up to ``end``; neither times nor positions may fall."""
    if _rises_at_each(time, lsn):
        count = len(until(time, end))
        return Trajectory(time[:count], lsn[:count])
    times, lsns = np.empty_like(time), np.empty_like(time)
    count = _rises(time, lsn, end, times, lsns)
    return Trajectory(times[:count], lsns[:count])


@compiled
def _rises_at_each(time: Ints, lsn: Ints) -> bool:
    """Whether each step shows something: it comes later than the one before, and rises."""
    if len(lsn) and lsn[0] <= 0:
        return False
    for first in range(1, len(time), STRETCH):
        rises = True
        # Without a way out of it, a loop takes several numbers at a time.
        for i in range(first, min(first + STRETCH, len(time))):
            rises &= (time[i] > time[i - 1]) & (lsn[i] > lsn[i - 1])
        if not rises:
            return False
    return True


@compiled
def _rises(time: Ints, lsn: Ints, end: int, times: Ints, lsns: Ints) -> int:
    """Keep the steps that show something: those that rise, and of several at one time the last."""
    count = 0
    last = 0
    for i in range(len(time)):
        if time[i] > end:
            break
        if lsn[i] > last:
            last = lsn[i]
            if count == 0 or times[count - 1] < time[i]:
                count += 1
            times[count - 1], lsns[count - 1] = time[i], last
    return count


def merged(time: Ints, lsn: Ints, other_time: Ints, other_lsn: Ints, end: int) -> Trajectory:
    """Two sequences of steps as one, up to ``end``: by time, then by position, which never falls."""
    times, lsns = (
        np.empty(len(time) + len(other_time), dtype=np.int64),
        np.empty(len(time) + len(other_time), dtype=np.int64),
    )
    _merge(time, lsn, other_time, other_lsn, times, lsns)
    return trajectory(times, lsns, end)


@compiled
def _merge(time: Ints, lsn: Ints, other_time: Ints, other_lsn: Ints, times: Ints, lsns: Ints) -> None:
    i = j = 0
    highest = 0
    for n in range(len(times)):
        first = j == len(other_time) or (
            i < len(time) and (time[i] < other_time[j] or (time[i] == other_time[j] and lsn[i] <= other_lsn[j]))
        )
        if first:
            times[n], highest = time[i], max(highest, lsn[i])
            i += 1
        else:
            times[n], highest = other_time[j], max(highest, other_lsn[j])
            j += 1
        lsns[n] = highest
