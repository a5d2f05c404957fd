"""A position over time: a step function that only rises."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from replsim.kernels.places import looked_up
from replsim.units import NEVER

__all__ = ["Trajectory"]

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Trajectory:
    """The position of one node at one stage: ``lsn[i]`` from ``time[i]`` (nanoseconds) on, 0 before.

    Both arrays rise strictly: of several steps at one time only the last is a fact that anybody could see.
    """

    time: Ints
    lsn: Ints

    @classmethod
    def of(cls, time: ArrayLike, lsn: ArrayLike) -> Trajectory:
        """Build one from raw steps whose times and positions never fall; steps that show nothing are dropped."""
        times = np.asarray(time, dtype=np.int64)
        lsns = np.asarray(lsn, dtype=np.int64)
        assert times.shape == lsns.shape
        if len(times):
            assert np.all(np.diff(times) >= 0), "times must not fall"
            assert np.all(np.diff(lsns) >= 0), "positions must not fall"
            rises = np.diff(lsns, prepend=0) > 0
            if not rises.all():
                times, lsns = times[rises], lsns[rises]
            last = np.append(np.diff(times) > 0, True)[: len(times)]
            if not last.all():
                times, lsns = times[last], lsns[last]
        return cls(times, lsns)

    def at(self, time: ArrayLike) -> Ints:
        """The position at each ``time``, the step at that very moment included."""
        return looked_up(self.time, self.lsn, np.asarray(time), "right", back=1, outside=0)

    def crossing(self, lsn: ArrayLike) -> Ints:
        """The first time at which the position has reached each ``lsn``; `NEVER` where it did not."""
        return looked_up(self.lsn, self.time, np.asarray(lsn), "left", back=0, outside=NEVER)

    def until(self, end: int) -> Trajectory:
        """The steps at or before ``end``."""
        count = int(np.searchsorted(self.time, end, side="right"))
        return Trajectory(self.time[:count], self.lsn[:count])

    def integrate(self, start: int, end: int) -> float:
        """The integral of the position over ``[start, end)``, in byte-seconds."""
        inner = self.time[(self.time > start) & (self.time < end)]
        edges = np.concatenate([[start], inner, [end]])
        return float(np.dot(self.at(edges[:-1]).astype(np.float64), np.diff(edges)) / 1e9)

    def __len__(self) -> int:
        return len(self.time)
