"""A walsender and its link: what a node has flushed becomes messages to one standby."""

from __future__ import annotations

from typing import Final

import numpy as np

from replsim.engines.stages.actors.wire import WireFeed
from replsim.engines.stages.columns import chained, cut, roomy
from replsim.engines.stages.kernels import sender_link, window_link
from replsim.engines.stages.kernels.sender_link import Flushed, Messages
from replsim.engines.stages.kernels.wire import Way
from replsim.engines.stages.troubles import Troubles
from replsim.randomness import Streams
from replsim.scenario import Scenario
from replsim.scenario.network import Link
from replsim.units import NEVER

__all__ = ["Sender", "WindowedSender", "sender"]

STILL: Final = Way(0, 0, 0, 0)
ROOM: Final = 4096
"""The fewest messages that one call of the kernel has room for."""


def sender(
    scenario: Scenario, streams: Streams, troubles: Troubles, upstream: str, name: str, link: Link, back: Link
) -> Sender | WindowedSender:
    """The sender of ``upstream`` to the standby ``name``."""
    wire = WireFeed(streams, f"link:{upstream}->{name}", link, troubles.link(upstream, name, link))
    if link.window is None:
        return Sender(scenario, wire)
    acknowledgements = f"link:{name}->{upstream}:acknowledgements"
    return WindowedSender(
        scenario, wire, WireFeed(streams, acknowledgements, back, troubles.link(name, upstream, back)), link.window
    )


def _room(count: int) -> Messages:
    return Messages(*(np.empty(count, dtype=np.int64) for _ in range(3)))


class Sender:
    """Without a window: it sends at once."""

    def __init__(self, scenario: Scenario, wire: WireFeed) -> None:
        self._wakeup = scenario.wakeup
        self._most = scenario.settings.message_bytes
        self._wire = wire
        self._way = STILL
        self._sent = 0

    @property
    def open_from(self) -> int:
        """When it may send something that it has put off; `NEVER` if there is none."""
        return NEVER

    def settled(self, time: int) -> None:
        """Nothing that is under way by ``time`` is lost."""
        self._wire.settled = time

    @property
    def resumes(self) -> int:
        """Until when its stream stands still."""
        return self._way.resumes

    def send(self, time: int) -> int:
        """Send a message without WAL; returns when it arrives."""
        self._way = self._wire.send(time, 0, self._way)
        return self._way.last

    def reset(self, time: int) -> None:
        """A new connection: the wire has nothing under way and waits for nothing."""
        self._way = Way(0, time, time, time)

    def begin(self, position: int) -> None:
        """Send from ``position`` on, from now on."""
        self._sent = position

    def run(self, flushed: Flushed, end: int) -> Messages:  # noqa: ARG002 - it waits for nothing
        """The messages of what is ``flushed``; ``end`` is the end of the run if nothing comes after it, else -1."""
        found: list[Messages] = []
        enough, done, room = False, 0, max(ROOM, len(flushed.time))
        while not enough:
            out, wire = _room(room), self._wire.view(room, self._way, lacking=bool(found))
            s, way, enough = sender_link.sender_link(
                sender_link.Sender(done, self._sent), self._way, flushed, wire, self._wakeup, self._most, out
            )
            found.append(cut(out, slice(way.used)))
            self._wire.used(way.used)
            self._way, self._sent, done = way._replace(used=0), s.sent, s.done
        return chained(found)


class WindowedSender:
    """Under a window: it sends as acknowledgements come back."""

    def __init__(self, scenario: Scenario, wire: WireFeed, acknowledgements: WireFeed, window: int) -> None:
        self._limits = scenario.wakeup, scenario.settings.message_bytes, window
        self._wires = wire, acknowledgements
        self._ways = STILL, STILL
        self._state = window_link.initial()
        self._in_flight = window_link.InFlight(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))

    @property
    def open_from(self) -> int:
        """As `Sender.open_from`."""
        s = self._state
        return int(s[window_link.DUE]) if s[window_link.AVAILABLE] > s[window_link.SENT] else NEVER

    def settled(self, time: int) -> None:
        """As `Sender.settled`."""
        for wire in self._wires:
            wire.settled = time

    @property
    def resumes(self) -> int:
        """As `Sender.resumes`."""
        return self._ways[0].resumes

    def send(self, time: int) -> int:
        """As `Sender.send`."""
        way = self._wires[0].send(time, 0, self._ways[0])
        self._ways = way, self._ways[1]
        return way.last

    def reset(self, time: int) -> None:
        """As `Sender.reset`; so has the way of the acknowledgements."""
        self._ways = Way(0, time, time, time), Way(0, time, time, time)

    def begin(self, position: int) -> None:
        """As `Sender.begin`, with an open window."""
        self._state = window_link.initial()
        self._state[[window_link.SENT, window_link.AVAILABLE]] = position
        self._in_flight = cut(self._in_flight, slice(0))

    def run(self, flushed: Flushed, end: int) -> Messages:
        """As `Sender.run`."""
        found: list[Messages] = []
        enough = False
        while not enough:
            out = _room(ROOM)
            there, back = (
                wire.view(ROOM, way, lacking=bool(found)) for wire, way in zip(self._wires, self._ways, strict=True)
            )
            in_flight = window_link.InFlight(*(roomy(column, ROOM) for column in self._in_flight))
            s = self._state.copy()
            ways, enough = window_link.window_link(
                s, self._ways, flushed, (there, back), in_flight, self._limits, end, out
            )
            used = ways[0].used
            found.append(cut(out, slice(used)))
            for wire in self._wires:
                wire.used(used)
            self._ways = ways[0]._replace(used=0), ways[1]._replace(used=0)
            first, count, done = int(s[window_link.FIRST]), int(s[window_link.COUNT]), int(s[window_link.DONE])
            self._in_flight = cut(in_flight, slice(first, count))
            flushed = cut(flushed, slice(done, None))
            s[window_link.FIRST], s[window_link.COUNT], s[window_link.DONE] = 0, count - first, 0
            self._state = s
        return chained(found)
