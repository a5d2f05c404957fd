"""Functions of time that are not worked out before somebody asks: whoever only counts them needs no columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from replsim.analysis.weighted import Ramps, Steps
from replsim.kernels import worth_compiling
from replsim.kernels.places import plain
from replsim.kernels.steps import gaps

__all__ = ["Age", "Gap", "Track"]

Ints = NDArray[np.int64]
Track = tuple[Ints, Ints | None]
"""A step function that is 0 at first: its times, and its values from each on; None for 1, 2, 3, …"""


def levels(track: Track) -> Ints:
    """The values of a track."""
    time, values = track
    return np.arange(1, len(time) + 1) if values is None else values


@dataclass(frozen=True, eq=False)
class Gap:
    """How far one step function is above another over ``window``; times never fall."""

    up: Track
    down: Track
    window: tuple[int, int]

    @cached_property
    def steps(self) -> Steps:
        """The same, worked out."""
        return Steps(*gaps(self.up[0], levels(self.up), self.down[0], levels(self.down), *self.window))

    def statistics(self, names: Sequence[str]) -> dict[str, float]:
        """As `Steps.statistics`."""
        return self.steps.statistics(names)


@dataclass(frozen=True, eq=False)
class Age:
    """The age of the first of things in line over ``window``: thing i began at ``origin[i]`` and is done at ``end[i]``,
    neither of which falls as a rule; 0 where there is none."""

    origin: Ints
    end: Ints
    window: tuple[int, int]

    @cached_property
    def ramps(self) -> Ramps:
        """The same, worked out."""
        if not worth_compiling(len(self.end)):
            start = np.maximum(np.concatenate([[0], self.end])[: len(self.end)], self.origin)
            return Ramps.of(start, self.end, self.origin, self.window)
        from replsim.analysis import loops

        out = np.empty((3, len(self.end)), dtype=np.int64)
        count, covered = loops.oldest(plain(self.origin), plain(self.end), self.edges, (out[0], out[1], out[2]))
        return Ramps(out[0, :count], out[1, :count], out[2, :count], self.window[1] - self.window[0] - covered)

    @cached_property
    def covered(self) -> int:
        """Nanoseconds during which there is one."""
        if not worth_compiling(len(self.end)):
            return self.ramps.total - self.ramps.zero
        from replsim.analysis import loops

        return loops.covered(plain(self.origin), plain(self.end), self.edges)

    @property
    def edges(self) -> tuple[int, int]:
        """The window as compiled loops take it."""
        return int(self.window[0]), int(self.window[1])

    def statistics(self, names: Sequence[str]) -> dict[str, float]:
        """As `Ramps.statistics`."""
        return self.ramps.statistics(names)

    def slope(self, window: tuple[int, int]) -> float:
        """As `Ramps.slope`."""
        if not worth_compiling(len(self.end)):
            return self.ramps.slope(window)
        from replsim.analysis import loops

        moment = loops.moment(plain(self.origin), plain(self.end), self.edges, (window[0] + window[1]) / 2)
        return 12 * moment / float(window[1] - window[0]) ** 3
