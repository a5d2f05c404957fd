"""Exact statistics: of whole numbers by rank, and of functions of time by how long they hold.

Percentiles are by *nearest rank*: the smallest value that at least the given share of all values (or of the
time) does not exceed.  Ranks are found in integer arithmetic, so they are exact and the same everywhere; no
value is interpolated, and none is reported that did not occur.  Shares are given in thousandths.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from replsim.kernels import worth_compiling
from replsim.kernels.places import plain
from replsim.kernels.steps import differences, held, weighted_quantiles
from replsim.units import NEVER, SECOND

__all__ = [
    "PERMILLE",
    "AtEnd",
    "Ramps",
    "Sample",
    "Share",
    "Steps",
    "Total",
    "counting",
    "in_order",
    "nearest_rank",
    "statistics",
]

Ints = NDArray[np.int64]

PERMILLE: Final = {"p50": 500, "p90": 900, "p99": 990, "p999": 999}
"""The percentiles that metrics are named for, in thousandths."""

NAN: Final = float("nan")
LEAST: Final = -NEVER


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
    ranks = {name: -(-len(values) * PERMILLE[name] // 1000) - 1 for name in names if name in PERMILLE}
    ordered = np.sort(values) if len(ranks) > 1 else np.partition(values, list(ranks.values())) if ranks else values
    found = {}
    for name in names:
        if name == "mean":
            found[name] = float(values.mean()) / per
        else:
            found[name] = float(values.max() if name == "max" else ordered[ranks[name]]) / per
    return found


def counting(times: tuple[Ints, Ints], changes: tuple[Ints, Ints]) -> tuple[Ints, Ints]:
    """The sum of two step functions, each given by its times and the change at each: times and values.

    Changes at one time are made at once, so no value is reported that held for no time.
    """
    (up, up_by), (down, down_by) = (in_order(*each) for each in zip(times, changes, strict=True))
    return differences(up, np.cumsum(up_by), down, -np.cumsum(down_by))


def in_order(time: Ints, change: Ints) -> tuple[Ints, Ints]:
    """Changes by the order of their times."""
    if np.all(time[1:] >= time[:-1]):
        return time, change
    order = np.argsort(time)
    return time[order], change[order]


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Whole numbers, ``per`` of which are one in the metric's unit (nanoseconds in a second): of a ``column``, those at
    ``rows`` (None: all)."""

    column: NDArray[np.integer]
    per: int = 1
    rows: Ints | None = None

    @property
    def values(self) -> NDArray[np.integer]:
        """All of them."""
        return self.column if self.rows is None else self.column[self.rows]

    def statistics(self, names: Sequence[str]) -> dict[str, float]:
        """``mean``, ``max`` and percentiles."""
        return statistics(self.values, names, self.per)


class Share(NamedTuple):
    """A number that is a ratio of two sums: those of a run are the sums of those of its stretches."""

    part: float
    whole: float

    @property
    def value(self) -> float:
        """The ratio; NaN over nothing."""
        return self.part / self.whole if self.whole else NAN


class Total(NamedTuple):
    """A number of things: that of a run is the sum of those of its stretches."""

    value: float


class AtEnd(NamedTuple):
    """A number that the end of a run decides."""

    value: float


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """A step function over a stretch of time: each of ``value`` held for ``weight`` nanoseconds."""

    value: NDArray[np.integer]
    weight: Ints

    @classmethod
    def between(cls, time: Ints, value: Ints, start: int, end: int, *, before: int = 0) -> Steps:
        """The function that is ``value[i]`` from ``time[i]`` on, and ``before`` until then, over ``[start, end)``."""
        return cls(*held(time, value, start, end, before))

    def quantiles(self, permilles: Sequence[int]) -> list[float]:
        """The smallest value not exceeded for at least so many thousandths of the time, for each of several."""
        total = int(self.weight.sum())
        targets = [-(-total * permille // 1000) for permille in permilles]
        return [float(value) for value in weighted_quantiles(self.value, self.weight, targets)]

    def statistics(self, names: Sequence[str], per: int = 1) -> dict[str, float]:
        """Time-weighted ``mean``, percentiles, and ``max``, divided by ``per``; NaN over no time."""
        if not len(self.weight):
            return dict.fromkeys(names, NAN)
        ranked = [name for name in names if name in PERMILLE]
        found = dict(zip(ranked, self.quantiles([PERMILLE[name] for name in ranked]), strict=True))
        if "mean" in names:
            area = np.sum(self.value.astype(np.float64) * self.weight.astype(np.float64))
            found["mean"] = float(area / self.weight.sum())
        if "max" in names:
            found["max"] = float(self.value.max())
        return {name: found[name] / per for name in names}


def _last_below(ends: Ints, target: int, up_to: Callable[[int], tuple[int, int]]) -> int:
    """The last of the sorted ``ends`` up to which less than ``target`` is spent; `LEAST` if there is none."""
    place = bisect_left(range(len(ends)), target, key=lambda n: up_to(int(ends[n]))[0])
    return int(ends[place - 1]) if place else LEAST


def _cut(start: Ints, end: Ints, origin: Ints, window: tuple[int, int]) -> tuple[tuple[Ints, Ints, Ints], int]:
    """For `Ramps.of`: the pieces within the window, and their time."""
    if worth_compiling(len(start)):
        from replsim.analysis import loops

        out = np.empty((3, len(start)), dtype=np.int64)
        edges = int(window[0]), int(window[1])
        count, covered = loops.ramps(plain(start), plain(end), plain(origin), edges, (out[0], out[1], out[2]))
        return (out[0, :count], out[1, :count], out[2, :count]), covered
    start, end = np.maximum(start, window[0]), np.minimum(end, window[1])
    kept = end > start
    start, end, origin = start[kept], end[kept], origin[kept]
    return (start, start - origin, end - origin), int((end - start).sum())


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
        found, covered = _cut(start, end, origin, window)
        zero = window[1] - window[0] - covered if zero_outside else 0
        assert zero >= 0, "pieces overlap"
        return cls(*found, zero)

    @property
    def total(self) -> int:
        """Nanoseconds over which the function has a value."""
        return self.zero + int((self.high - self.low).sum())

    def quantiles(self, permilles: Sequence[int]) -> list[float]:
        """The smallest value (nanoseconds) not exceeded for at least so many thousandths of the time, for each.

        The time spent at or below v is a piecewise linear function of v, whose slope is the number of pieces
        that pass v: it is inverted exactly, without sampling.
        """
        low, high = np.sort(self.low), np.sort(self.high)
        sums = np.concatenate([[0], np.cumsum(low)]), np.concatenate([[0], np.cumsum(high)])

        def up_to(value: int) -> tuple[int, int]:
            """The time spent at or below ``value``, and the pieces that pass it."""
            below, done = (int(np.searchsorted(ends, value, side="right")) for ends in (low, high))
            spent = (below - done) * value - int(sums[0][below]) + int(sums[1][done])
            # The sums may wrap round, their difference does not.
            return self.zero + spent % 2**64, below - done

        found = []
        for permille in permilles:
            target = -(-self.total * permille // 1000)
            if target <= self.zero:
                found.append(0.0)
                continue
            # The last end of a piece with too little time below it; the rest is spent on the slope after it.
            value = max(_last_below(ends, target, up_to) for ends in (low, high))
            spent, passing = up_to(value)
            found.append(value + (target - spent) / passing)
        return found

    def mean(self) -> float:
        """The time-weighted mean, in nanoseconds."""
        low, high = self.low.astype(np.float64), self.high.astype(np.float64)
        return float(np.sum((low + high) / 2 * (high - low)) / self.total)

    def slope(self, window: tuple[int, int]) -> float:
        """The least-squares slope over the window, in nanoseconds a nanosecond: 0 where nothing grows."""
        middle = (window[0] + window[1]) / 2
        low, length = self.low.astype(np.float64), (self.high - self.low).astype(np.float64)
        # The integral over a piece of (t - middle) · f(t), where f starts at `low` and has slope one.
        pieces = length * ((self.start - middle) * (low + length / 2) + length * (low / 2 + length / 3))
        # One after the other, as a loop adds up.
        return float(12 * np.append(0.0, np.cumsum(pieces))[-1] / float(window[1] - window[0]) ** 3)

    def statistics(self, names: Sequence[str]) -> dict[str, float]:
        """Time-weighted ``mean``, percentiles and ``max``, in seconds; NaN where it never has a value."""
        if not self.total:
            return dict.fromkeys(names, NAN)
        ranked = [name for name in names if name in PERMILLE]
        found = dict(zip(ranked, self.quantiles([PERMILLE[name] for name in ranked]), strict=True))
        if "mean" in names:
            found["mean"] = self.mean()
        if "max" in names:
            found["max"] = float(self.high.max(initial=0 if self.zero else LEAST))
        return {name: found[name] / SECOND for name in names}
