"""How fast something works over time: as ever, several times slower, or not at all."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from replsim.engines.events.columns import Ints

__all__ = ["Pace", "Stretch"]


class Stretch(NamedTuple):
    """From ``start`` to ``end`` all work takes ``times`` as long; 0 stands for no work at all."""

    start: int
    end: int
    times: int


class Pace:
    """A worker's *own time* passes as time does, but more slowly in some stretches, and not at all in others.

    Work is reckoned in own time and told in time, so a batch that a stall interrupts goes on where it was.
    """

    def __init__(self, stretches: Iterable[Stretch] = ()) -> None:
        self._stretches: list[Stretch] = []
        self._starts: list[int] = [0]
        self._own: list[int] = [0]
        self._times: list[int] = [1]
        """Piece by piece: when it begins, the own time by then, and how many times slower it is."""
        for stretch in stretches:
            self.add(stretch)

    def add(self, stretch: Stretch) -> None:
        """One more stretch.  Where stretches overlap the slowest counts; what lies before it stays as it was."""
        self._stretches.append(stretch)
        edges = sorted({0} | {edge for each in self._stretches for edge in (each.start, each.end)})
        self._starts, self._own, self._times = edges, [0], []
        for at, edge in enumerate(edges):
            factors = [each.times for each in self._stretches if each.start <= edge < each.end]
            times = 0 if 0 in factors else max(factors, default=1)
            self._times.append(times)
            if at + 1 < len(edges):
                self._own.append(self._own[-1] + ((edges[at + 1] - edge) // times if times else 0))

    def own(self, time: int) -> int:
        """The own time at ``time``."""
        piece = bisect_right(self._starts, time) - 1
        times = self._times[piece]
        return self._own[piece] + ((time - self._starts[piece]) // times if times else 0)

    def when(self, own: int) -> int:
        """The first time at which so much own time has passed."""
        piece = max(bisect_right(self._own, own - 1) - 1, 0)
        return self._starts[piece] + (own - self._own[piece]) * self._times[piece]

    def when_all(self, own: Ints) -> Ints:
        """`when` of many."""
        starts, owns, times = (np.array(each, dtype=np.int64) for each in (self._starts, self._own, self._times))
        piece = np.maximum(np.searchsorted(owns, own - 1, side="right") - 1, 0)
        return np.asarray(starts[piece] + (own - owns[piece]) * times[piece])

    def after(self, start: int, work: int) -> int:
        """When work that begins at ``start`` and takes ``work`` of own time is done."""
        return max(self.when(self.own(start) + work), start)
