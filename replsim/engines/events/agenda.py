"""The order of things: SimPy's queue with integer nanoseconds and one written order of equal times."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Final

import simpy
from simpy.events import Event, EventPriority

__all__ = ["Agenda", "Rank"]

NODES = 1 << 16


_new_event = Event.__new__


class Rank(IntEnum):
    """What happens first among events of equal time, from the source of the WAL to its end and back.

    Within a rank, nodes go in the order of the stream (an upstream before those that stream from it), then
    in the order in which the events were scheduled.  A batch takes all that is there up to and including
    the moment at which it starts, so what fills a batch ranks before what starts one.
    """

    FAULT = -2
    """Something breaks, or heals."""
    MANAGER = -1
    """A standby tries to connect, or the failover manager looks."""
    ARRIVAL = 0
    """A message arrives, in a run in which its connection may be lost before it does."""
    FLUSH_END = 1
    """A flush ends, on the primary or on a standby."""
    WINDOW = 2
    """An acknowledgement opens a sender's window."""
    DRAINED = 3
    """A walreceiver has written all that it could read."""
    FORCED_REPLY = 4
    """A walreceiver sends a reply that replay asked for."""
    REPLY = 5
    """The primary has processed a standby's reply."""
    INSERT = 6
    """A transaction inserts its commit record, or asks for a row lock."""
    FLUSH_START = 7
    """A backend starts a flush."""
    WAL_WRITER = 8
    """The WAL writer wakes."""
    TIMEOUT = 9
    """Somebody asks whether there was nothing to hear for too long."""
    CHECKPOINT = 10
    """A checkpoint begins, or is done and removes WAL."""
    LOOK = 20
    """A router looks at the lag of its nodes."""
    READ = 21
    """A read is issued, arrives, looks or gives up its wait: it sees all that happens at its moment."""


_ABOVE_ZERO: Final = 1 - int(Rank.FAULT)
"""Priorities are above zero, or an event would come before the stop of a run at the same time."""


class Agenda:
    """Callbacks at times; SimPy keeps and runs them."""

    def __init__(self) -> None:
        self.environment = simpy.Environment(initial_time=0)

    @property
    def now(self) -> int:
        """The simulated time, in nanoseconds."""
        return int(self.environment.now)

    def at(self, time: int, rank: Rank, node: int, callback: Callable[[int], None]) -> None:
        """Call ``callback(time)`` at ``time``, in the order of `Rank` and of nodes among equals."""
        environment = self.environment
        event = _new_event(Event)
        event.env = environment
        event._ok = True
        event._value = time
        event.callbacks = [lambda _: callback(time)]
        priority = EventPriority((rank + _ABOVE_ZERO) * NODES + node)
        environment.schedule(event, priority, time - environment.now)

    def ready(self, time: int) -> int:
        """When somebody who plans here can do what is due at ``time``."""
        return time

    def run(self, until: int) -> None:
        """Run everything up to and including ``until``."""
        # SimPy stops before all else that happens at the time it is given.
        self.environment.run(until=until + 1)
