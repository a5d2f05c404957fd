"""A position being recorded."""

from __future__ import annotations

from array import array

import numpy as np

from replsim.record import Trajectory

__all__ = ["Steps"]


class Steps:
    """The steps of one position as they happen; times and positions never fall."""

    __slots__ = ("lsn", "time")

    def __init__(self) -> None:
        self.time = array("q")
        self.lsn = array("q")

    def add(self, time: int, lsn: int) -> None:
        """The position is ``lsn`` from ``time`` on."""
        self.time.append(time)
        self.lsn.append(lsn)

    def until(self, end: int) -> Trajectory:
        """What was recorded up to ``end``."""
        time = np.frombuffer(self.time, dtype=np.int64) if self.time else np.empty(0, dtype=np.int64)
        lsn = np.frombuffer(self.lsn, dtype=np.int64) if self.lsn else np.empty(0, dtype=np.int64)
        count = int(np.searchsorted(time, end, side="right"))
        return Trajectory.of(time[:count], lsn[:count])
