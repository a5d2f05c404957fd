"""Exact statistics: of whole numbers by rank, and of functions of time by how long they hold.

Percentiles are by *nearest rank*: the smallest value that at least the given share of all values (or of the
time) does not exceed.  Ranks are found in integer arithmetic, so they are exact and the same everywhere; no
value is interpolated, and none is reported that did not occur.  Shares are given in thousandths.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from replsim.units import SECOND

__all__ = ["PERMILLE", "Ramps", "Steps", "counting", "nearest_rank", "statistics"]

Ints = NDArray[np.int64]

PERMILLE: Final = {"p50": 500, "p90": 900, "p99": 990, "p999": 999}
"""The percentiles that metrics are named for, in thousandths."""

NAN: Final = float("nan")


def nearest_rank(values: NDArray[np.integer], permille: int) -> int:
    """The value of rank ceil(n · permille / 1000) among n (at least one) integers."""
    rank = -(-len(values) * permille // 1000)
    return int(np.partition(values, rank - 1)[rank - 1])


def statistics(values: NDArray[np.integer], names: Sequence[str], per: int = 1) -> dict[str, float]:
    """``mean``, ``max`` and percentiles of integers, over ``per`` (nanoseconds in a second); NaN where there are none.

    >>> statistics(np.array([1, 2, 3, 10]), ("mean", "p50", "max"))
    {'mean': 4.0, 'p50': 2.0, 'max': 10.0}
    """
    if not len(values):
        return dict.fromkeys(names, NAN)
    found = {}
    for name in names:
        if name == "mean":
            found[name] = float(values.mean()) / per
        else:
            found[name] = float(values.max() if name == "max" else nearest_rank(values, PERMILLE[name])) / per
    return found


def counting(times: Sequence[Ints], changes: Sequence[Ints]) -> tuple[Ints, Ints]:
    """The sum of several step functions, each given by its times and the change at each: times and values.

    Changes at one time are made at once, so no value is reported that held for no time.
    """
    time = np.concatenate(times)
    order = np.argsort(time, kind="stable")
    time, value = time[order], np.cumsum(np.concatenate(changes)[order])
    last = np.append(np.diff(time) > 0, True)[: len(time)]
    return time[last], value[last]


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """A step function over a stretch of time: each of ``value`` held for ``weight`` nanoseconds."""

    value: NDArray[np.integer]
    weight: Ints

    @classmethod
    def between(cls, time: Ints, value: Ints, start: int, end: int) -> Steps:
        """The function that is ``value[i]`` from ``time[i]`` on, and 0 before, over ``[start, end)``."""
        edges = np.concatenate([[start], np.clip(time, start, end), [end]])
        return cls(np.concatenate([[0], value]), np.diff(edges)).where()

    def where(self) -> Steps:
        """Without the values that held for no time."""
        held = self.weight > 0
        return Steps(self.value[held], self.weight[held])

    def quantile(self, permille: int) -> float:
        """The smallest value not exceeded for at least ``permille`` thousandths of the time."""
        order = np.argsort(self.value, kind="stable")
        held = np.cumsum(self.weight[order])
        target = -(-int(held[-1]) * permille // 1000)
        return float(self.value[order][int(np.searchsorted(held, target))])

    def statistics(self, names: Sequence[str], per: int = 1) -> dict[str, float]:
        """Time-weighted ``mean``, percentiles, and ``max``, divided by ``per``; NaN over no time."""
        if not len(self.weight):
            return dict.fromkeys(names, NAN)
        found = {}
        for name in names:
            if name == "mean":
                area = np.dot(self.value.astype(np.float64), self.weight.astype(np.float64))
                found[name] = float(area / self.weight.sum()) / per
            else:
                found[name] = (float(self.value.max()) if name == "max" else self.quantile(PERMILLE[name])) / per
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Ramps:
    """A sawtooth over a stretch of time: it rises from ``low`` to ``high`` (nanoseconds) at one second a second.

    Piece i starts at ``start[i]`` and lasts ``high[i] - low[i]``; ``zero`` is the time during which it was 0.
    """

    start: Ints
    low: Ints
    high: Ints
    zero: int

    @classmethod
    def of(cls, start: Ints, end: Ints, origin: Ints, window: tuple[int, int], *, zero_outside: bool = True) -> Ramps:
        """The function ``t - origin[i]`` on ``[start[i], end[i])``, cut to the window; pieces must not overlap.

        Outside the pieces it is 0, or without a value where ``zero_outside`` is false.
        """
        start, end = np.maximum(start, window[0]), np.minimum(end, window[1])
        kept = end > start
        start, end, origin = start[kept], end[kept], origin[kept]
        zero = window[1] - window[0] - int((end - start).sum()) if zero_outside else 0
        assert zero >= 0, "pieces overlap"
        return cls(start, start - origin, end - origin, zero)

    @property
    def total(self) -> int:
        """Nanoseconds over which the function has a value."""
        return self.zero + int((self.high - self.low).sum())

    def quantile(self, permille: int) -> float:
        """The smallest value (nanoseconds) not exceeded for at least ``permille`` thousandths of the time.

        The time spent at or below v is a piecewise linear function of v, whose slope is the number of pieces
        that pass v: it is inverted exactly, without sampling.
        """
        target = -(-self.total * permille // 1000)
        if target <= self.zero:
            return 0.0
        values, passing = counting(
            [self.low, self.high], [np.ones(len(self.low), dtype=np.int64), np.full(len(self.high), -1)]
        )
        spent = self.zero + np.concatenate([[0], np.cumsum(passing[:-1] * np.diff(values))])
        # The last value with too little time below it; the rest is spent on the slope after it.
        at = int(np.searchsorted(spent, target, side="left")) - 1
        return float(values[at] + (target - spent[at]) / passing[at])

    def mean(self) -> float:
        """The time-weighted mean, in nanoseconds."""
        low, high = self.low.astype(np.float64), self.high.astype(np.float64)
        return float(np.dot((low + high) / 2, high - low) / self.total)

    def slope(self, window: tuple[int, int]) -> float:
        """The least-squares slope over the window, in nanoseconds a nanosecond: 0 where nothing grows."""
        middle = (window[0] + window[1]) / 2
        length = (self.high - self.low).astype(np.float64)
        since = self.start - middle
        # The integral over a piece of (t - middle) · f(t), where f starts at `low` and has slope one.
        low = self.low.astype(np.float64)
        pieces = low * (since * length + length**2 / 2) + since * length**2 / 2 + length**3 / 3
        return float(12 * pieces.sum() / float(window[1] - window[0]) ** 3)

    def statistics(self, names: Sequence[str]) -> dict[str, float]:
        """Time-weighted ``mean``, percentiles and ``max``, in seconds; NaN where it never has a value."""
        if not self.total:
            return dict.fromkeys(names, NAN)
        found = {}
        for name in names:
            if name == "mean":
                found[name] = self.mean() / SECOND
            elif name == "max":
                found[name] = float(self.high.max(initial=0)) / SECOND
            else:
                found[name] = self.quantile(PERMILLE[name]) / SECOND
        return found
