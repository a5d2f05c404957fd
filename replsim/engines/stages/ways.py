"""What is known beforehand of the ways between a standby and its upstream: when who hears whom."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from enum import IntEnum, auto
from typing import Final, NamedTuple

from replsim.engines.stages.columns import Ints
from replsim.engines.stages.troubles import Troubles, concerns
from replsim.scenario import Scenario
from replsim.scenario.faults import Crash, Cut, Partition, Pause
from replsim.scenario.topology import link_between
from replsim.scenario.windows import Window
from replsim.units import NEVER

__all__ = ["Disturbance", "Kind", "Ways"]

Stretches = list[tuple[int, int]]


class Kind(IntEnum):
    """What happens to a connection."""

    SILENCE = auto()
    """One end hears nothing from the other."""
    RESET = auto()
    """Both learn at once that it is gone."""
    HOST_DIES = auto()
    """The standby dies, and nobody is told;"""
    PROCESS_DIES = auto()
    """or its kernel tells its upstream."""
    STARTS = auto()
    """It is up again."""


class Disturbance(NamedTuple):
    """Something begins that keeps one end from hearing the other, or a standby that died is up again."""

    time: int
    window: int
    """Its place among the windows of the run."""
    kind: Kind
    began: int
    """When its window did."""


DEATHS: Final = (Kind.HOST_DIES, Kind.PROCESS_DIES)


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
        self.disturbances = sorted(
            each
            for place, window in enumerate(troubles.windows)
            for each in _disturbances(window, place, upstream, standby)
        )
        """All that disturb the two, in their order."""
        self._deaths = [each.time for each in self.disturbances if each.kind in DEATHS]
        spans: Stretches = []
        for pair, timeout in zip(pairs, (self.receiver_timeout, self.sender_timeout), strict=True):
            link = link_between(scenario, *pair)
            assert link is not None
            spans += _trying(troubles.silences(*pair), timeout, link.retransmission_timeout)
        self.trials = [
            each.time
            for each in self.disturbances
            if each.kind in (Kind.RESET, *DEATHS) or any(start <= each.time <= end for start, end in spans)
        ]
        """From when on the connection may be lost."""

    def next_death(self, time: int) -> int:
        """When the standby dies next, at ``time`` or later; `NEVER` if it does not."""
        return next((death for death in self._deaths if death >= time), NEVER)

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


def _disturbances(window: Window, place: int, upstream: str, standby: str) -> Iterator[Disturbance]:
    fault, start = window.fault, window.start
    if isinstance(fault, Cut | Partition):
        if concerns(fault, upstream, standby) or concerns(fault, standby, upstream):
            yield Disturbance(start, place, Kind.RESET if fault.how == "reset" else Kind.SILENCE, start)
    elif isinstance(fault, Pause):
        if fault.pause in (upstream, standby):
            yield Disturbance(start, place, Kind.SILENCE, start)
    elif isinstance(fault, Crash) and fault.crash == standby:
        yield Disturbance(start, place, Kind.HOST_DIES if fault.of == "host" else Kind.PROCESS_DIES, start)
        if window.end > start:
            yield Disturbance(window.end, place, Kind.STARTS, start)


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
