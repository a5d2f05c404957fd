"""What flows between a node and one standby, and what of it is certain."""

from __future__ import annotations

from copy import copy, deepcopy
from typing import NamedTuple

import numpy as np

from replsim.engines.stages.actors.sender import Sender, WindowedSender
from replsim.engines.stages.actors.standby import Moved, Standby, Steps
from replsim.engines.stages.columns import by, chained, cut
from replsim.engines.stages.kernels.sender_link import Flushed, Messages
from replsim.engines.stages.kernels.standby_state import Bounds, Replies
from replsim.engines.stages.log import Log
from replsim.units import NEVER

__all__ = ["Stream", "Streamed"]


class Streamed(NamedTuple):
    """What was sent to a standby, what it received, and what it did."""

    sent: Steps
    received: Steps
    moved: Moved


class _Certain:
    """What can be told of a standby, track by track."""

    def __init__(self) -> None:
        none = np.empty(0, dtype=np.int64)
        self._parts = [[Steps(none, none)] for _ in range(5)]
        self._replies = [Replies(none, none, none, none)]
        self._furthest = [0] * 5

    def add(self, track: int, steps: Steps) -> None:
        """More of a track; what is sent, received or done again is no step, but each flush has its beginning."""
        if track == WRITTEN:
            steps = steps._replace(lsn=np.maximum(steps.lsn, self._furthest[track]))
        elif len(steps.lsn) and steps.lsn[0] <= self._furthest[track]:
            steps = cut(steps, steps.lsn > self._furthest[track])
        if len(steps.lsn):
            self._furthest[track] = int(steps.lsn[-1])
            self._parts[track].append(steps)

    def hear(self, replies: Replies) -> None:
        """More replies."""
        self._replies.append(replies)

    def take(self) -> Streamed:
        """All of it that was not taken before."""
        sent, received, written, flushed, applied = (chained(parts) for parts in self._parts)
        told = Streamed(sent, received, Moved(written, flushed, applied, chained(self._replies)))
        self._parts = [parts[:1] for parts in self._parts]
        self._replies = self._replies[:1]
        return told


SENT, RECEIVED, WRITTEN, FLUSHED, APPLIED = range(5)


class Stream:
    """A sender, a standby, and what is under way between them.

    A connection that is lost takes back what was under way, so nothing is told before it is certain.
    """

    def __init__(self, sender: Sender | WindowedSender, standby: Standby, log: Log) -> None:
        self.sender = sender
        self.standby = standby
        self._log = log
        none = np.empty(0, dtype=np.int64)
        self.flushed = Flushed(none, none)
        """The upstream's flushes that the sender has not seen."""
        self.upstream_flushed = 0
        """Where the last of those ended that it has seen."""
        self.under_way = Messages(none, none, none)
        self.arrived = -1
        """When the last message arrived on this connection; -1 for none."""
        self.replies = Replies(none, none, none, none)
        """Those that the upstream may never process."""
        self.heard = -1
        """When the upstream processed the last of the others on this connection; -1 for none."""
        self.target = -1
        """What the standby must have flushed to have caught up; -1 once it has."""
        self.caught_up: list[int] = []
        """When it had."""
        self.sent = Steps(none, none)
        """Of the sent position, those steps that may never be."""
        self.applied = Steps(none, none)
        """Of the applied position, too: it may die before."""
        self._certain = _Certain()

    def fork(self) -> Stream:
        """A copy, to see what would follow; it tells nothing."""
        twin = copy(self)
        twin.sender = deepcopy(self.sender)
        twin.standby = deepcopy(self.standby, {id(self._log): self._log})
        twin.caught_up, twin._certain = [], _Certain()
        return twin

    @property
    def open_from(self) -> int:
        """From when on there may be more to tell than was told; `NEVER` if nothing is under way."""
        columns = (self.flushed.time, self.under_way.arrival, self.sent.time, self.applied.time)
        firsts = [int(column[0]) for column in columns if len(column)]
        return min(self.sender.open_from, self.standby.open_from, NEVER, *firsts)

    def see(self, time: int, *, within: bool) -> Flushed:
        """Take note of what the upstream flushes before ``time``, or (``within``) at it."""
        count = by(self.flushed.time, time, within=within)
        seen, self.flushed = cut(self.flushed, slice(count)), cut(self.flushed, slice(count, None))
        if count:
            self.upstream_flushed = int(seen.position[-1])
        return seen

    def ship(self, seen: Flushed, end: int) -> None:
        """Send what is flushed.

        ``end`` is up to when an opening window is seen to, where no other flush comes before it, else -1.
        """
        messages = self.standby.reads(self.sender.run(seen, end))
        self.under_way = chained([self.under_way, messages])
        self.sent = chained([self.sent, Steps(messages.sent, messages.position)])

    def deliver(self, time: int, bounds: Bounds, *, within: bool) -> None:
        """The standby deals with what arrives before ``time``, or at it."""
        self._follow(self.standby.run(self._arrives(time, within=within), bounds))

    def die(self, time: int, bounds: Bounds | None, *, keeps_written: bool) -> int:
        """The standby dies; returns up to where its disk has the WAL.  Without ``bounds``, it had nothing to do."""
        kept = self.standby.flushed[1]
        if bounds is not None:
            moved, kept = self.standby.die(self._arrives(time, within=False), bounds, keeps_written=keeps_written)
            self._follow(moved)
        self.applied = cut(self.applied, slice(by(self.applied.time, time)))
        return kept

    def start(self, time: int, position: int) -> None:
        """The standby starts again, with the WAL up to ``position`` on its disk, and replays it."""
        self._certain.add(APPLIED, self.applied)
        self.applied = Steps(np.array([time]), np.array([self.standby.start(position)]))
        self._certain.add(FLUSHED, Steps(np.array([time]), np.array([position])))

    def _arrives(self, time: int, *, within: bool) -> Messages:
        count = by(self.under_way.arrival, time, within=within)
        here, self.under_way = cut(self.under_way, slice(count)), cut(self.under_way, slice(count, None))
        if count:
            self.arrived = int(here.arrival[-1])
        self._certain.add(RECEIVED, Steps(here.arrival, here.position))
        return here

    def _follow(self, moved: Moved) -> None:
        self.replies = chained([self.replies, moved.replies])
        self.applied = chained([self.applied, moved.applied])
        self._certain.add(WRITTEN, moved.written)
        self._certain.add(FLUSHED, moved.flushed)

    def settle(self, time: int) -> None:
        """What happens before ``time`` cannot be taken back."""
        self.hear(by(self.replies.time, time, within=False), time)
        sent, applied = by(self.sent.time, time, within=False), by(self.applied.time, time, within=False)
        self._certain.add(SENT, cut(self.sent, slice(sent)))
        self._certain.add(APPLIED, cut(self.applied, slice(applied)))
        self.sent, self.applied = cut(self.sent, slice(sent, None)), cut(self.applied, slice(applied, None))
        self.sender.settled(time)
        self.standby.settled(time)

    def hear(self, count: int, before: int) -> None:
        """So many more replies are processed; those ``before`` a time may show that the standby has caught up."""
        heard, self.replies = cut(self.replies, slice(count)), cut(self.replies, slice(count, None))
        self._certain.hear(heard)
        if count:
            self.heard = int(heard.time[-1])
        if self.target >= 0:
            reached = np.flatnonzero((heard.flush >= self.target) & (heard.time < before))
            if len(reached):
                self.target = -1
                self.caught_up.append(int(heard.time[reached[0]]))

    def tell(self) -> Streamed:
        """All that is certain and was not told before."""
        return self._certain.take()
