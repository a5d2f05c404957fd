"""Replay that stands still for some of the time."""

from __future__ import annotations

from collections.abc import Callable

from typing_extensions import override

from replsim.engines.events.columns import Ints
from replsim.engines.events.log import Log
from replsim.engines.events.pace import Pace
from replsim.engines.events.replay import Replay
from replsim.scenario.nodes import Standby

__all__ = ["PacedReplay"]


class PacedReplay(Replay):
    """A `Replay` that reckons in the own time of its `Pace`, and tells times."""

    def __init__(
        self,
        draw: Callable[[], int],
        standby: Standby,
        log: Log,
        wakeup: int,
        *,
        start: int = 0,
        now: int = 0,
        pace: Pace,
    ) -> None:
        super().__init__(draw, standby, log, wakeup, start=start, now=now)
        self._pace = pace

    @override
    def hand_over(self, now: int, position: int) -> range:
        own = self._pace.own(now)
        if self._pace.when(own) < now and self._may_cost_nothing(position):
            # Own time stands still, or is coarser than time: what costs nothing waits all the same until it goes on.
            own += 1
        rows = super().hand_over(own, position)
        self.free = self._pace.when(self._free)
        return rows

    def _may_cost_nothing(self, position: int) -> bool:
        """Whether anything in the batch up to ``position`` may be replayed in no time."""
        whole, records = self._log.whole(position, self._log.count_up_to(position, self._count))
        return not self._even or not self._per_record or self._cost(records, whole) == self._cost_done

    @override
    def applied(self, row: int) -> int:
        return self._pace.when(super().applied(row))

    @override
    def position(self, time: int) -> int:
        return super().position(self._pace.own(time))

    @override
    def _own(self, time: int) -> int:
        return self._pace.own(time)

    @override
    def _told(self, own: Ints) -> Ints:
        return self._pace.when_all(own)
