"""Statistics that add up: exact counts, means and largest values, and percentiles to within one per cent.

Values are counted in bins: each whole number below 128 has its own, and above that a bin is one per cent wide.  A
percentile is the middle of its bin, so it is off by half a per cent at most.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from replsim.analysis.weighted import PERMILLE, Ramps, Sample, Steps
from replsim.kernels import worth_compiling
from replsim.kernels.places import plain
from replsim.units import SECOND

__all__ = ["Tally", "TallyOfRamps"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

NAN: Final = float("nan")
SMALL: Final = 128
"""Below this each value has a bin of its own."""
WIDTH: Final = math.log(1.01)
BINS: Final = SMALL + math.ceil(math.log(2.0**63 / SMALL) / WIDTH) + 1
EDGES: Final[Floats] = np.concatenate([np.arange(SMALL), SMALL * np.exp(WIDTH * np.arange(BINS - SMALL + 1))])
"""Where each bin begins, and where the last one ends."""


CELL_BITS: Final = 45
"""A floating-point number without its last bits stands for a cell, narrower than a bin: at most one edge is in it."""


def _cells(values: Floats) -> Ints:
    """The cell of each value, from that of `SMALL` on."""
    return (values.view(np.int64) >> CELL_BITS) - _CELL_OF_SMALL


_CELL_OF_SMALL: Final = int(np.array([float(SMALL)]).view(np.int64)[0] >> CELL_BITS)
_FIRST: Final[Ints] = np.searchsorted(
    EDGES, (np.arange(_cells(EDGES[-1:])[0] + 1) + _CELL_OF_SMALL << CELL_BITS).view(np.float64), side="right"
)
"""By cell: the bin behind the one that its beginning is in."""


def _bins(values: NDArray[np.integer]) -> Ints:
    """The bin of each value."""
    exact = values.astype(np.float64)
    following = _FIRST[_cells(np.maximum(exact, SMALL))]
    large = following - (exact < EDGES[following])
    return np.where(values < SMALL, values, large)


def _count(values: NDArray[np.integer], weights: Ints | None, held: Floats) -> None:
    """Add the weight of each value (1 for None) to its bin in ``held``."""
    if not worth_compiling(len(values)):
        held += np.bincount(_bins(values), weights, minlength=BINS)
        return
    from replsim.analysis import loops

    exact = values.astype(np.float64)
    cells = _cells(exact)
    weighted = values if weights is None else weights
    loops.tally(plain(values), exact, cells, _FIRST, EDGES, plain(weighted), weights is not None, held)


class Tally:
    """Of a sample, or of a step function over time: what has been added so far."""

    def __init__(self, per: int = 1) -> None:
        self._per = per
        self._held = np.zeros(BINS)
        self._total = 0.0
        self._area = 0.0
        self._largest = -math.inf

    def add(self, part: Sample | Steps) -> None:
        """Add what another stretch of time has."""
        values = part.values if isinstance(part, Sample) else part.value
        if not len(values):
            return
        self._largest = max(self._largest, float(values.max()))
        if isinstance(part, Sample):
            self._per = part.per
            self._total += len(values)
            self._area += float(values.sum())
            _count(values, None, self._held)
        else:
            self._total += float(part.weight.sum())
            self._area += float(np.sum(values.astype(np.float64) * part.weight))
            _count(values, part.weight, self._held)

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
    """Of a sawtooth over time: what has been added so far."""

    def __init__(self) -> None:
        self._zero = 0
        self._total = 0
        self._area = 0.0
        self._largest = 0.0
        self._ends = np.zeros((2, 2, BINS))
        """Of the lower and the upper ends of the pieces: how many are in each bin, and their sum."""

    def add(self, part: Ramps) -> None:
        """Add what another stretch of time has."""
        self._zero += part.zero
        self._total += part.total
        if not len(part.low):
            return
        self._area += part.mean() * part.total
        self._largest = max(self._largest, float(part.high.max()))
        for ends, values in zip(self._ends, (part.low, part.high), strict=True):
            _count(values, None, ends[0])
            _count(values, values, ends[1])

    def statistics(self, names: Sequence[str]) -> dict[str, float]:
        """Time-weighted ``mean``, percentiles and ``max``, in seconds; NaN where it never has a value."""
        if not self._total:
            return dict.fromkeys(names, NAN)
        known = {"mean": self._area / self._total, "max": self._largest}
        # The time spent below each edge is exact: every end lies on one side of it.
        counts, sums = (np.concatenate([np.zeros((2, 1)), np.cumsum(each, axis=1)], axis=1) for each in
                        (self._ends[:, 0], self._ends[:, 1]))  # fmt: skip
        spent = self._zero + (counts[0] * EDGES - sums[0]) - (counts[1] * EDGES - sums[1])
        for name in names:
            if name in PERMILLE:
                target = math.ceil(self._total * PERMILLE[name] / 1000)
                known[name] = (
                    0.0 if target <= self._zero else min(float(np.interp(target, spent, EDGES)), self._largest)
                )
        return {name: known[name] / SECOND for name in names}
