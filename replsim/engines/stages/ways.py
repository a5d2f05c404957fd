"""What is known beforehand of the ways between a standby and its upstream: when who hears whom."""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

from replsim.engines.stages.columns import Ints
from replsim.engines.stages.troubles import Troubles, concerns
from replsim.scenario import Scenario
from replsim.scenario.faults import Cut, Partition, Pause
from replsim.scenario.topology import link_between

__all__ = ["Disturbance", "Ways"]

Stretches = list[tuple[int, int]]


class Disturbance(NamedTuple):
    """Something begins that keeps one end from hearing the other."""

    time: int
    window: int
    """Its place among the windows of the run."""
    resets: bool
    """Whether both ends learn at once that the connection is gone."""


class Ways:
    """The two ways between ``upstream`` and ``standby``, and how patient each end is."""

    def __init__(self, scenario: Scenario, troubles: Troubles, upstream: str, standby: str) -> None:
        self.upstream, self.standby = upstream, standby
        self.sender_timeout = scenario.primary.wal_sender_timeout
        self.receiver_timeout = scenario.standbys[standby].wal_receiver_timeout
        self.retry = scenario.standbys[standby].wal_retrieve_retry_interval
        self._stops = {node: _stretches(troubles.stops(node)) for node in (upstream, standby)}
        pairs = ((upstream, standby), (standby, upstream))
        self._cuts = {pair: troubles.cuts(*pair) for pair in pairs}
        self.disturbances = [
            Disturbance(each.start, place, isinstance(each.fault, Cut | Partition) and each.fault.how == "reset")
            for place, each in enumerate(troubles.windows)
            if (isinstance(each.fault, Cut | Partition) and any(concerns(each.fault, *pair) for pair in pairs))
            or (isinstance(each.fault, Pause) and each.fault.pause in (upstream, standby))
        ]
        """All that disturb the two, in their order."""
        spans: Stretches = []
        for pair, timeout in zip(pairs, (self.receiver_timeout, self.sender_timeout), strict=True):
            link = link_between(scenario, *pair)
            assert link is not None
            spans += _trying(troubles.silences(*pair), timeout, link.retransmission_timeout)
        self.trials = [
            each.time
            for each in self.disturbances
            if each.resets or any(start <= each.time <= end for start, end in spans)
        ]
        """From when on the connection may be lost."""

    def ready(self, node: str, time: int) -> int:
        """When a node does what is due at ``time``: at once, or when it goes on."""
        stop = _at(self._stops[node], time)
        return time if stop is None else stop[1]

    def mute(self, here: str, there: str, time: int) -> bool:
        """Whether one hears nothing from the other that leaves at ``time``."""
        return self.ready(here, time) > time or _at(self._cuts[here, there], time) is not None

    def reaches(self, time: int) -> bool:
        """Whether the two can connect."""
        return not self.mute(self.upstream, self.standby, time) and not self.mute(self.standby, self.upstream, time)


def _stretches(stops: tuple[Ints, Ints]) -> Stretches:
    return list(zip(stops[0].tolist(), stops[1].tolist(), strict=True))


def _at(stretches: Stretches, time: int) -> tuple[int, int] | None:
    place = bisect_right(stretches, time, key=lambda stretch: stretch[0]) - 1
    return stretches[place] if place >= 0 and time < stretches[place][1] else None


def _trying(silences: Stretches, timeout: int, retransmission: int) -> Stretches:
    """The silences that may last too long for who listens, with what they hold up.

    It gives up at least half its timeout after a silence began, and only while the stream stands still; TCP makes
    that at most as long again as the silence, and one retransmission timeout more.  What then meets the next
    silence waits on.
    """
    spans: Stretches = []
    for start, end in silences:
        until = 2 * end - start + max(retransmission, 1)
        if spans and start <= spans[-1][1]:
            spans[-1] = spans[-1][0], max(spans[-1][1], until)
        else:
            spans.append((start, until))
    return [(start, end) for start, end in spans if 0 < timeout - timeout // 2 <= end - start]
