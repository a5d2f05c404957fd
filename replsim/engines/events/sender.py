"""A walsender: it ships what its node has flushed to one standby."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable

from replsim.engines.events.agenda import Agenda, Rank
from replsim.engines.events.wire import Wire

__all__ = ["Sender"]


class Sender:
    """Woken after each flush of its node, it sends all that is flushed, in messages of at most 128 kB.

    Source: PostgreSQL ``walsender.c:XLogSendPhysical``.  The next message follows as soon as its own buffer is
    empty, which the kernel sees to: it does not wait for the wire.  A ``window`` limits the bytes that the other
    side's TCP has not acknowledged.
    """

    def __init__(
        self,
        agenda: Agenda,
        node: int,
        wire: Wire,
        deliver: Callable[[int, int], None],
        *,
        wakeup: int,
        message_bytes: int,
        window: int | None,
        acknowledgements: Wire,
        start: int = 0,
    ) -> None:
        self._agenda = agenda
        self._node = node
        self._wire = wire
        self._deliver = deliver
        self._wakeup = wakeup
        self._message_bytes = message_bytes
        self._window = window
        self._acknowledgements = acknowledgements
        self._in_flight: deque[tuple[int, int]] = deque()
        """Under a window: when each message's acknowledgement is back, and its bytes."""
        self._in_flight_bytes = 0
        self._available = start
        self.times = array("q")
        """When each message was sent, and in `positions` where it ends."""
        self.positions = array("q")
        self.sent = start
        """Up to where it has read the WAL."""

    def ship(self, now: int, position: int) -> None:
        """Its node has flushed up to ``position``."""
        if self._window is None:
            send_at = now + self._wakeup
            while self.sent < position:
                self._send(send_at, min(position - self.sent, self._message_bytes))
            return
        waiting = self._available > self.sent
        self._available = position
        if not waiting:
            self._fill_window(now + self._wakeup)

    def _send(self, time: int, size: int) -> int:
        self.sent += size
        self.times.append(time)
        self.positions.append(self.sent)
        arrival = self._wire.send(time, size)
        self._deliver(arrival, self.sent)
        return arrival

    def _fill_window(self, now: int) -> None:
        """Send what the window admits at ``now``; what is left goes when the next acknowledgement is back."""
        assert self._window is not None
        while self._in_flight and self._in_flight[0][0] <= now:
            self._in_flight_bytes -= self._in_flight.popleft()[1]
        while self.sent < self._available and self._in_flight_bytes < self._window:
            room = self._window - self._in_flight_bytes
            size = min(self._available - self.sent, self._message_bytes, room)
            back = self._acknowledgements.send(self._send(now, size), 0)
            self._in_flight.append((back, size))
            self._in_flight_bytes += size
        if self.sent < self._available:
            self._agenda.at(max(self._in_flight[0][0], now), Rank.WINDOW, self._node, self._fill_window)
