"""A standby's way back to its upstream: replies, and what of them the upstream acts on."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable
from typing import Final

import numpy as np

from replsim.engines.events.agenda import Agenda, Rank
from replsim.engines.events.columns import Ints, ints
from replsim.engines.events.wire import Wire
from replsim.units import NEVER

__all__ = ["Positions", "Uplink"]

Positions = tuple[int, int, int]
"""Write, flush and apply, as a reply carries them."""

REPLY_BYTES: Final = 39
"""A standby status update on the wire, as measured."""


class Uplink:
    """The replies of one standby: recorded, and without an event unless somebody waits for one."""

    def __init__(
        self,
        agenda: Agenda,
        node: int,
        wire: Wire,
        wakeup: int,
    ) -> None:
        self._agenda = agenda
        self._node = node
        self._wire = wire
        self._wakeup = wakeup
        self._news: Callable[[Positions], bool] | None = None
        self._heard: Callable[[Positions, int], None] | None = None
        self._sent = array("q")
        self._processed = array("q")
        self._write = array("q")
        self._flush = array("q")
        self.last_sent = 0
        self.open = True
        """Whether replies still go anywhere."""

    def listen(self, news: Callable[[Positions], bool] | None, heard: Callable[[Positions, int], None] | None) -> None:
        """Call ``heard`` with the positions and the time once the upstream has processed a reply that is ``news``."""
        self._news, self._heard = news, heard

    def reply(self, time: int, positions: Positions, *, may_release: bool) -> None:
        """Send a reply at ``time``; where it may tell the primary something new, it gets an event."""
        self.last_sent = time
        if not self.open:
            return
        processed = self._wire.send(time, REPLY_BYTES) + self._wakeup
        self._sent.append(time)
        self._processed.append(processed)
        self._write.append(positions[0])
        self._flush.append(positions[1])
        if may_release and self._heard is not None and self._news is not None and self._news(positions):
            heard = self._heard
            # Replies that somebody waits for are sent at their own time; the others may be recorded later.
            self._agenda.at(max(processed, self._agenda.now), Rank.REPLY, self._node, lambda now: heard(positions, now))

    def heard_by(self, now: int) -> int:
        """When the upstream had processed the last reply, as of ``now``; -1 for none."""
        count = bisect_right(self._processed, now)
        return self._processed[count - 1] if count else -1

    def next_heard(self, now: int, *, late: bool) -> int:
        """When the upstream processes the next reply that has been sent, after ``now`` or (not ``late``) at it."""
        count = bisect_right(self._processed, now if late else now - 1)
        return self._processed[count] if count < len(self._processed) else NEVER

    def flushed_by(self, now: int) -> int:
        """The flush position that the upstream knows of at ``now``; -1 where it knows none."""
        count = bisect_right(self._processed, now)
        return self._flush[count - 1] if count else -1

    def close(self, now: int) -> None:
        """The upstream hangs up: it processes no reply after ``now``."""
        self.open = False
        count = bisect_right(self._processed, now)
        for column in (self._sent, self._processed, self._write, self._flush):
            del column[count:]

    def columns(self, end: int) -> tuple[Ints, Ints, Ints, Ints]:
        """All replies that the upstream has processed by ``end``: when, when each was sent, and what it says of
        write and flush."""
        time = ints(self._processed)
        count = int(np.searchsorted(time, end, side="right"))
        sent, write, flush = (ints(column)[:count] for column in (self._sent, self._write, self._flush))
        return time[:count], sent, write, flush
