"""A standby's way back to its upstream: replies, and what of them the upstream acts on."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import Final

import numpy as np

from replsim.engines.events.agenda import Agenda, Rank
from replsim.engines.events.wire import Wire
from replsim.record import Replies

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
        self._processed = array("q")
        self._write = array("q")
        self._flush = array("q")
        self._apply = array("q")
        self.last_sent = 0

    def reply(self, time: int, positions: Positions) -> None:
        """Send a reply at ``time``."""
        processed = self._wire.send(time, REPLY_BYTES) + self._wakeup
        self.last_sent = time
        self._processed.append(processed)
        self._write.append(positions[0])
        self._flush.append(positions[1])
        self._apply.append(positions[2])
        if self._heard is not None and self._news is not None and self._news(positions):
            heard = self._heard
            # Replies that somebody waits for are sent at their own time; the others may be recorded later.
            self._agenda.at(max(processed, self._agenda.now), Rank.REPLY, self._node, lambda now: heard(positions, now))

    def replies(self, end: int) -> Replies:
        """All replies that the upstream has processed by ``end``."""
        time = np.array(self._processed, dtype=np.int64)
        count = int(np.searchsorted(time, end, side="right"))
        columns = (np.array(column, dtype=np.int64)[:count] for column in (self._write, self._flush, self._apply))
        return Replies(time[:count], *columns)
