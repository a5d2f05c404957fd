"""How fast a standby replays while reads take some of its time."""

from __future__ import annotations

from bisect import bisect_right
from typing import Final

import numpy as np
from typing_extensions import override

from replsim.engines.events.columns import Ints
from replsim.engines.events.pace import Pace

__all__ = ["FULL", "Tempo"]

FULL: Final = 1000
"""The speed of replay that nothing slows, in thousandths."""


class Tempo(Pace):
    """A `Pace` that is set anew from time to time, and holds until then."""

    def __init__(self) -> None:
        super().__init__()
        self._speeds = [FULL]

    def set(self, now: int, speed: int) -> None:
        """From ``now`` on replay runs at so many thousandths of its speed; it never stands still."""
        assert 0 < speed <= FULL
        if speed != self._speeds[-1]:
            self._own.append(self.own(now))
            self._starts.append(now)
            self._speeds.append(speed)

    @override
    def own(self, time: int) -> int:
        piece = bisect_right(self._starts, time) - 1
        return self._own[piece] + (time - self._starts[piece]) * self._speeds[piece] // FULL

    @override
    def when(self, own: int) -> int:
        piece = max(bisect_right(self._own, own - 1) - 1, 0)
        return self._starts[piece] - (self._own[piece] - own) * FULL // self._speeds[piece]

    @override
    def when_all(self, own: Ints) -> Ints:
        starts, owns, speeds = (np.array(each, dtype=np.int64) for each in (self._starts, self._own, self._speeds))
        piece = np.maximum(np.searchsorted(owns, own - 1, side="right") - 1, 0)
        return np.asarray(starts[piece] - (owns[piece] - own) * FULL // speeds[piece])
