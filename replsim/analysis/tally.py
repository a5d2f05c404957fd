"""Statistics that add up: exact counts, means and largest values, and percentiles to within one per cent.

Values are counted in the bins of `replsim.analysis.bins`, in one pass.  A percentile is the middle of its bin, so it is
off by half a per cent at most.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from replsim.analysis.bins import BINS, EDGES, SMALL
from replsim.analysis.unmade import Age, Gap
from replsim.analysis.weighted import PERMILLE, Ramps, Sample, Steps
from replsim.kernels.places import plain
from replsim.units import SECOND

__all__ = ["Tally", "TallyOfRamps"]

Ints = NDArray[np.int64]

NAN: Final = float("nan")


class Tally:
    """Of a sample, or of a step function over time: what has been added so far."""

    def __init__(self, per: int = 1) -> None:
        self._per = per
        self._held = np.zeros(BINS, dtype=np.int64)
        self._total = 0
        self._area = 0.0
        self._largest = -math.inf

    @classmethod
    def of(cls, held: Ints, total: int, largest: int, per: int) -> Tally:
        """What was counted elsewhere: in bins, the sum, and the largest."""
        tally = cls(per)
        tally._held, tally._total, tally._area, tally._largest = held, int(held.sum()), float(total), float(largest)
        return tally

    def add(self, part: Sample | Steps | Gap) -> None:
        """Add what another stretch of time has."""
        from replsim.analysis import tally_loops as loops

        area: float
        if isinstance(part, Gap):
            (up, high), (down, low) = (
                (plain(time), None if at is None else plain(at)) for time, at in (part.up, part.down)
            )
            window = int(part.window[0]), int(part.window[1])
            total, area, largest = loops.tally_gap(up, high, down, low, window, self._held)
        elif isinstance(part, Steps):
            if not len(part.value):
                return
            total, area, largest = loops.tally_weighted(plain(part.value), plain(part.weight), self._held)
        else:
            total = len(part.column if part.rows is None else part.rows)
            if not total:
                return
            self._per, column = part.per, plain(part.column)
            if part.rows is None:
                area, largest = loops.tally(column, self._held)
            else:
                area, largest = loops.tally_rows(column, part.rows, self._held)
        self._total += total
        self._area += area
        self._largest = max(self._largest, largest)

    def statistics(self, names: Sequence[str]) -> dict[str, float]:
        """``mean``, ``max`` and percentiles, in the metric's unit; NaN where nothing was added."""
        if not self._total:
            return dict.fromkeys(names, NAN)
        known = {"mean": self._area / self._total, "max": self._largest}
        sums = np.cumsum(self._held)
        for name in names:
            if name in PERMILLE:
                place = int(np.searchsorted(sums, math.ceil(self._total * PERMILLE[name] / 1000)))
                middle = float(EDGES[place]) if place < SMALL else math.sqrt(EDGES[place] * EDGES[place + 1])
                known[name] = min(middle, self._largest)
        return {name: known[name] / self._per for name in names}


class TallyOfRamps:
    """Of a sawtooth over time: what has been added so far, and its highest value in seconds in each of ``points`` equal
    stretches of a run that lasts ``duration``."""

    def __init__(self, points: int = 0, duration: int = 1) -> None:
        self.peaks = np.zeros(points)
        self._duration = max(duration, 1)
        self._zero = 0
        self._total = 0
        self._area = 0.0
        self._largest = 0.0
        self._counts = np.zeros((2, BINS), dtype=np.int64)
        self._sums = np.zeros((2, BINS))
        """Of the lower and the upper ends of the pieces: how many are in each bin, and their sum."""

    def add(self, part: Ramps | Age) -> None:
        """Add what another stretch of time has."""
        from replsim.analysis import tally_loops as loops

        counts, sums = (self._counts[0], self._counts[1]), (self._sums[0], self._sums[1])
        if isinstance(part, Age):
            columns, (start, end) = (plain(part.origin), plain(part.end)), part.edges
            covered, area, largest = loops.tally_age(*columns, (start, end), counts, sums, self._duration, self.peaks)
            self._zero += end - start - covered
            self._total += end - start
        else:
            self._zero += part.zero
            self._total += part.total
            area, largest = loops.tally_ramps(plain(part.low), plain(part.high), counts, sums)
        self._area += area
        self._largest = max(self._largest, largest)

    def statistics(self, names: Sequence[str]) -> dict[str, float]:
        """Time-weighted ``mean``, percentiles and ``max``, in seconds; NaN where it never has a value."""
        if not self._total:
            return dict.fromkeys(names, NAN)
        known = {"mean": self._area / self._total, "max": self._largest}
        # The time spent below each edge is exact: every end lies on one side of it.  Far up all pieces are passed.
        counts, sums = (
            np.concatenate([np.zeros((2, 1)), np.cumsum(each, axis=1)], axis=1) for each in (self._counts, self._sums)
        )
        spent = self._zero + (counts[0] - counts[1]) * EDGES - (sums[0] - sums[1])
        for name in names:
            if name in PERMILLE:
                target = math.ceil(self._total * PERMILLE[name] / 1000)
                known[name] = (
                    0.0 if target <= self._zero else min(float(np.interp(target, spent, EDGES)), self._largest)
                )
        return {name: known[name] / SECOND for name in names}
