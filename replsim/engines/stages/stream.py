"""What flows between a node and one standby, and what of it is certain."""

from __future__ import annotations

from copy import copy, deepcopy
from typing import NamedTuple

import numpy as np

from replsim.engines.stages.actors.sender import Sender, WindowedSender
from replsim.engines.stages.actors.standby import Moved, Standby, Steps
from replsim.engines.stages.columns import by, chained, cut
from replsim.engines.stages.kernels.sender_link import Flushed, Messages
from replsim.engines.stages.kernels.standby_state import Batches, Bounds, Replies
from replsim.engines.stages.log import Log
from replsim.units import NEVER

__all__ = ["Stream", "Streamed"]


class Streamed(NamedTuple):
    """What was sent to a standby, what it received, and what it did."""

    sent: Steps
    received: Steps
    moved: Moved


class _Certain:
    """What can be told, piece by piece."""

    def __init__(self) -> None:
        none = np.empty(0, dtype=np.int64)
        self.sent = [Steps(none, none)]
        self.received = [Steps(none, none)]
        self.batches = [Batches(none, none, none)]
        self.applied = [Steps(none, none)]
        self.replies = [Replies(none, none, none, none)]

    def fork(self) -> _Certain:
        """The same so far."""
        twin = copy(self)
        for name, parts in vars(self).items():
            setattr(twin, name, list(parts))
        return twin

    def together(self) -> Streamed:
        """All of it."""
        moved = Moved(chained(self.batches), chained(self.applied), chained(self.replies))
        return Streamed(chained(self.sent), chained(self.received), moved)


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
        self._furthest = 0
        """The position up to which all was sent once."""
        self._certain = _Certain()

    def fork(self) -> Stream:
        """A copy, to see what would follow."""
        twin = copy(self)
        twin.sender = deepcopy(self.sender)
        twin.standby = deepcopy(self.standby, {id(self._log): self._log})
        twin.caught_up = list(self.caught_up)
        twin._certain = self._certain.fork()
        return twin

    @property
    def open_from(self) -> int:
        """From when on there may be more to tell than was told; `NEVER` if nothing is under way."""
        columns = (self.flushed.time, self.under_way.arrival)
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
        count = by(self.under_way.arrival, time, within=within)
        here, self.under_way = cut(self.under_way, slice(count)), cut(self.under_way, slice(count, None))
        if count:
            self.arrived = int(here.arrival[-1])
        moved = self.standby.run(here, bounds)
        self.replies = chained([self.replies, moved.replies])
        self._certain.received.append(Steps(here.arrival, here.position))
        self._certain.batches.append(moved.batches)
        self._certain.applied.append(moved.applied)

    def settle(self, time: int) -> None:
        """What happens before ``time`` cannot be taken back."""
        self.hear(by(self.replies.time, time, within=False), time)
        count = by(self.sent.time, time, within=False)
        sent, self.sent = cut(self.sent, slice(count)), cut(self.sent, slice(count, None))
        if count and sent.lsn[0] <= self._furthest:
            sent = cut(sent, sent.lsn > self._furthest)  # what is sent again is no step
        if len(sent.lsn):
            self._furthest = int(sent.lsn[-1])
        self._certain.sent.append(sent)
        self.sender.settled(time)
        self.standby.settled(time)

    def hear(self, count: int, before: int) -> None:
        """So many more replies are processed; those ``before`` a time may show that the standby has caught up."""
        heard, self.replies = cut(self.replies, slice(count)), cut(self.replies, slice(count, None))
        self._certain.replies.append(heard)
        if count:
            self.heard = int(heard.time[-1])
        if self.target >= 0:
            reached = np.flatnonzero((heard.flush >= self.target) & (heard.time < before))
            if len(reached):
                self.target = -1
                self.caught_up.append(int(heard.time[reached[0]]))

    def tell(self) -> Streamed:
        """All that is certain and was not told before."""
        told, self._certain = self._certain, _Certain()
        return told.together()
