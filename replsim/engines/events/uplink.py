"""A standby's way back to its upstream: replies, and what of them the upstream acts on."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import Final

import numpy as np

from replsim.engines.events.agenda import Agenda, Rank
from replsim.engines.events.columns import ints
from replsim.engines.events.wire import Wire
from replsim.record import Replies, Trajectory

__all__ = ["Positions", "Uplink"]

Positions = tuple[int, int, int]
"""Write, flush and apply, as a reply carries them."""

REPLY_BYTES: Final = 39
"""A standby status update on the wire, as measured."""


class Uplink:
    """The replies of one standby.

    ``heard`` is called with the positions and the time once the primary has processed a reply that tells it
    something commits may wait for (``news``); all others are recorded and cost no event.
    """

    def __init__(
        self,
        agenda: Agenda,
        node: int,
        wire: Wire,
        wakeup: int,
        news: Callable[[Positions], bool] | None = None,
        heard: Callable[[Positions, int], None] | None = None,
    ) -> None:
        self._agenda = agenda
        self._node = node
        self._wire = wire
        self._wakeup = wakeup
        self._news = news
        self._heard = heard
        self._sent = array("q")
        self._processed = array("q")
        self._write = array("q")
        self._flush = array("q")
        self.last_sent = 0

    def reply(self, time: int, positions: Positions, *, may_release: bool) -> None:
        """Send a reply at ``time``; where it may tell the primary something new, it gets an event."""
        processed = self._wire.send(time, REPLY_BYTES) + self._wakeup
        self.last_sent = time
        self._sent.append(time)
        self._processed.append(processed)
        self._write.append(positions[0])
        self._flush.append(positions[1])
        if may_release and self._heard is not None and self._news is not None and self._news(positions):
            heard = self._heard
            # Replies that somebody waits for are sent at their own time; the others may be recorded later.
            self._agenda.at(max(processed, self._agenda.now), Rank.REPLY, self._node, lambda now: heard(positions, now))

    def replies(self, applied: Trajectory, end: int) -> Replies:
        """All replies that the upstream has processed by ``end``; what each says of replay follows from ``applied``."""
        time = ints(self._processed)
        count = int(np.searchsorted(time, end, side="right"))
        sent, write, flush = (ints(column)[:count] for column in (self._sent, self._write, self._flush))
        # A reply that leaves at the very moment of a flush or a replay speaks of what was flushed before it.
        return Replies(time[:count], write, flush, np.minimum(applied.at(sent), flush))
