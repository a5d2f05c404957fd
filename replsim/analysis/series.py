"""Things over time, for plots: short series that look like the long ones, and values in equal stretches of time.

Nothing here is a metric: a series is thinned for the eye.  What is thinned keeps its smallest and its largest values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from replsim.analysis.facts import Facts
from replsim.analysis.lag import LagKind, facts_lag_series
from replsim.analysis.loss import facts_loss_series
from replsim.analysis.measured import measured_lag
from replsim.analysis.reads import facts_reads
from replsim.analysis.weighted import counting
from replsim.kernels.steps import differences
from replsim.units import NEVER, SECOND

__all__ = [
    "POINTS",
    "Band",
    "Series",
    "Shares",
    "band",
    "decimated",
    "extremes",
    "lag",
    "loss",
    "measured",
    "stale_shares",
]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

POINTS: Final = 2000
"""The most points of a series: about what a screen can show."""


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """A function of time.  ``time`` is in seconds, ``value`` in SI units; NaN is no value.

    With ``steps`` each value holds from its time to the next; without, straight lines join the points.
    """

    time: Floats
    value: Floats
    steps: bool

    def thinned(self, points: int = POINTS) -> Series:
        """A series of at most ``points`` that looks the same."""
        return Series(*decimated(self.time, self.value, points), self.steps)

    def at(self, moments: Floats, side: Literal["left", "right"] = "right") -> Floats:
        """Its value at each moment, or just before it (``left``); 0 before its first point, the last after its last."""
        if not len(self.time):
            return np.zeros(len(moments))
        place = np.searchsorted(self.time, moments, side=side) - 1
        value = self.value[place] + self._slope()[place] * (moments - self.time[place])
        found: Floats = np.where(place < 0, 0.0, value)
        return found

    def means(self, edges: Floats) -> Floats:
        """The exact mean over each stretch between neighbouring ``edges`` (seconds), of the time that has a value."""
        known = Series(self.time, np.isfinite(self.value).astype(np.float64), steps=True)
        area = Series(self.time, np.nan_to_num(self.value), self.steps)._integral(edges)
        if len(self.time) and not known.value.all():
            lasted = np.diff(known._integral(edges))
            known_means: Floats = np.divide(np.diff(area), lasted, out=np.full(len(lasted), np.nan), where=lasted > 0)
            return known_means
        means: Floats = np.diff(area) / np.diff(edges)
        return means

    def extent(self, edges: Floats) -> tuple[Floats, Floats]:
        """Its smallest and its largest value in each stretch between neighbouring ``edges``; NaN where it has none."""
        first, last = self.at(edges[:-1]), self.at(edges[1:], "left")
        low, high = np.fmin(first, last), np.fmax(first, last)
        place = np.searchsorted(edges, self.time, side="left") - 1
        inside = (place >= 0) & (place < len(low))
        inside[inside] &= self.time[inside] < edges[1:][place[inside]]
        np.fmin.at(low, place[inside], self.value[inside])
        np.fmax.at(high, place[inside], self.value[inside])
        return low, high

    def _slope(self) -> Floats:
        """How fast it rises from each point to the next."""
        slope = np.zeros(len(self.time))
        if not self.steps:
            widths = np.diff(self.time)
            slope[:-1] = np.divide(np.diff(self.value), widths, out=np.zeros_like(widths), where=widths > 0)
        return slope

    def _integral(self, moments: Floats) -> Floats:
        """Its integral from its first point to each moment, for values that are all numbers."""
        if not len(self.time):
            return np.zeros(len(moments))
        widths, slope = np.diff(self.time), self._slope()
        area = np.concatenate([[0.0], np.cumsum((self.value[:-1] + slope[:-1] * widths / 2) * widths)])
        place = np.maximum(np.searchsorted(self.time, moments, side="right") - 1, 0)
        since = np.maximum(moments - self.time[place], 0.0)
        whole: Floats = area[place] + since * (self.value[place] + slope[place] * since / 2)
        return whole


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """Several runs' values at the same places: the smallest, the median and the largest of them at each."""

    low: Floats
    middle: Floats
    high: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Shares:
    """Reads by the stretch of time in which they were issued: how many there were, and which share was stale.

    ``edges`` are in seconds, one more than there are stretches; the share of no reads is NaN.
    """

    edges: Floats
    count: Ints
    stale: Floats


def band(values: Sequence[Floats]) -> Band:
    """The band of several runs' values; NaN where no run has one."""
    stacked = np.stack(values)
    low, middle, high = (np.full(stacked.shape[1], np.nan) for _ in range(3))
    some = ~np.isnan(stacked).all(axis=0)
    if some.any():
        low[some], high[some] = np.nanmin(stacked[:, some], axis=0), np.nanmax(stacked[:, some], axis=0)
        middle[some] = np.nanmedian(stacked[:, some], axis=0)
    return Band(low, middle, high)


def lag(facts: Facts, node: str, kind: LagKind) -> Series:
    """A standby's true lag over the whole run: in seconds a sawtooth, in bytes and commits steps."""
    return Series(*facts_lag_series(facts, node, kind), steps=kind != "seconds")


def measured(facts: Facts, node: str, kind: LagKind) -> Series:
    """The same as its upstream knows it, from replies.

    In seconds: ``replay_lag`` of ``pg_stat_replication``, without a value while that is NULL.  In bytes and commits:
    from the primary's insert position to the last apply position that the standby reported.
    """
    record = facts.record
    if kind == "seconds":
        time, value = measured_lag(record, node)["replay"]
        return Series(time / SECOND, np.where(value < 0, np.nan, value / SECOND), steps=True)
    known = record.position(node, "reported_apply")
    if kind == "bytes":
        insert = facts.of_primary("insert")
        moments, steps = differences(insert.time, insert.lsn, known.time, known.lsn)
    else:
        reported = facts.reached(node, "reported_apply")
        reported = reported[reported < NEVER]
        ones = np.ones(facts.count, dtype=np.int64)
        moments, steps = counting((facts.column("inserted"), reported), (ones, -ones[: len(reported)]))
    return Series(moments / SECOND, steps.astype(np.float64), steps=True)


def loss(facts: Facts, node: str | None = None) -> Series:
    """How many acknowledged commits a standby has not received (None: at each moment, the one that has most)."""
    return Series(*facts_loss_series(facts, node), steps=True)


def stale_shares(facts: Facts, by: str = "node", *, own_row: bool = False, stretches: int = 60) -> Mapping[str, Shares]:
    """Stale reads over the whole run, by the ``node`` that they went to or by their ``reader`` (or session group).

    Stale against the whole log, or with ``own_row`` against the read's own row, over the reads of a row.  Reads that
    still wait at the run's end do not count.
    """
    table = facts_reads(facts)
    edges = np.linspace(0, facts.record.scenario.duration, stretches + 1)
    place = np.clip(np.searchsorted(edges, table["time"], side="right") - 1, 0, stretches - 1)
    stale = table["key_versions" if own_row else "versions"] > 0
    found = {}
    for code, name in enumerate(table.words[by]):
        mine = (table[by] == code) & (table["answered"] < NEVER)
        if own_row:
            mine &= table["key"] >= 0
        count = np.bincount(place[mine], minlength=stretches)
        if not count.sum():
            continue
        bad = np.bincount(place[mine & stale], minlength=stretches)
        share = np.divide(bad, count, out=np.full(stretches, np.nan), where=count > 0)
        found[name] = Shares(edges / SECOND, count, share)
    return found


def decimated(time: Floats, value: Floats, points: int = POINTS) -> tuple[Floats, Floats]:
    """At most about ``points`` of a series' points that look the same; shorter series come back as they are.

    Of each of equal stretches of time the first point, the last, the smallest and the largest stay, in their order:
    no spike is lost, and what holds over an empty stretch is what was there last.
    """
    if len(time) <= points:
        return time, value
    kept = extremes(time, value, points, ends=True)
    return time[kept], value[kept]


def extremes(time: Floats, value: Floats, points: int, *, ends: bool = False) -> Ints:
    """The places of at most ``points`` of a series' points, in order: the smallest and the largest value of each of
    equal stretches of time, and with ``ends`` also the first and the last point of each.
    """
    if len(time) <= points:
        return np.arange(len(time))
    stretches = max(points // (4 if ends else 2), 1)
    width = (time[-1] - time[0]) / stretches or 1.0
    stretch = np.minimum(((time - time[0]) / width).astype(np.int64), stretches - 1)
    first = np.flatnonzero(np.diff(stretch, prepend=-1))
    last = np.append(first[1:], len(time)) - 1
    order = np.lexsort((np.where(np.isnan(value), -np.inf, value), stretch))
    kept = [order[first], order[last]]
    return np.unique(np.concatenate([*kept, first, last] if ends else kept))
