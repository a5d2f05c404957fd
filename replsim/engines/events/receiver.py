"""A walreceiver: it drains, writes, replies, flushes once, and replies again."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable, Iterable, Sequence

from replsim.engines.events.agenda import Agenda, Rank
from replsim.engines.events.device import Device
from replsim.engines.events.replay import Replay
from replsim.engines.events.uplink import Uplink
from replsim.units import NEVER

__all__ = ["Receiver"]


class Receiver:
    """One process, one batch after another.

    Source: PostgreSQL ``walreceiver.c:WalReceiverMain``.  It drains every message that it can read and writes
    each; replies with what it has written; flushes all of it once; wakes replay and the cascaded senders; replies
    with what it has flushed.  What arrives during the flush waits for the next batch.

    Replay asks for one more reply when it has run out of WAL, and after each commit that waits for
    ``remote_apply``.  An idle receiver wakes up and sends it; a busy one leaves it to the replies of its batch.
    After a silence of ``wal_receiver_status_interval`` an idle receiver replies anyhow.

    A batch is one event, its end: what arrives while it still drains moves that end.  Events are added only for
    replies that a commit may wait for (``eager_write``, ``eager_apply``); all others are sent, in their order and
    with their own times, when the next event looks back.
    """

    def __init__(
        self,
        agenda: Agenda,
        node: int,
        device: Device,
        replay: Replay,
        uplink: Uplink,
        *,
        wakeup: int,
        status_interval: int,
        feedback: Callable[[range], Iterable[int]] | None,
        eager_write: bool,
        eager_apply: bool,
        start: int,
        ship: Sequence[Callable[[int, int], None]],
    ) -> None:
        self._agenda = agenda
        self._node = node
        self._device = device
        self._replay = replay
        self._uplink = uplink
        self._wakeup = wakeup
        self._status_interval = status_interval
        self._feedback = feedback
        self._eager_write = eager_write
        self._eager_apply = eager_apply
        self.ship = ship
        """Called with the time and the position of each flush: the senders to cascaded standbys."""
        self.arrivals = array("q")
        """When each message arrived."""
        self.flushes = array("q")
        """When the flush of each batch ended; it began, with all of the batch written, in ``device.starts``."""
        self._inbox: deque[tuple[int, int]] = deque()
        self._began = NEVER
        """When the batch at work began, or will once the receiver has woken up; `NEVER` while it is idle."""
        self._drained = 0
        """When the batch at work has been written, as far as is known by now."""
        self._flush_time = 0
        self.written = start
        """Up to where all is written, and in `flushed` up to where all is flushed."""
        self.flushed = start
        self.room_until = NEVER
        """Where the device is full, and what happens then."""
        self.out_of_room: Callable[[int], None] | None = None
        self._write_replied = self._write_noted = False
        self._awaited = False
        """Whether somebody waits for replies that nothing asked for."""
        self._asked: deque[int] = deque()
        """When an idle receiver would send the replies that ``remote_apply`` commits ask for."""
        self._asked_at_end = NEVER
        """The same for the reply that replay asks for once it has run out of WAL."""

    def deliver(self, arrival: int, position: int) -> None:
        """A message that ends at ``position`` will have arrived at ``arrival``; messages come in order."""
        self.arrivals.append(arrival)
        self._inbox.append((arrival, position))
        if self._began == NEVER:
            self._begin(arrival + self._wakeup)
        elif not self._write_replied:
            self._drain()

    @property
    def idle(self) -> bool:
        """Whether all that has arrived is flushed."""
        return self._began == NEVER and not self._inbox

    def written_by(self, now: int) -> int:
        """Up to where all is written by ``now``."""
        return self.written if self._drained <= now else self.flushed

    def announce(self, now: int) -> None:
        """The first reply on a new connection: what it has."""
        self._reply(now, may_release=True)

    def attend(self, now: int) -> None:
        """Somebody waits for whatever it says from ``now`` on: each reply has an event at its own time."""
        self._awaited = True
        if self._began != NEVER and not self._write_replied and not self._eager_write:
            self._agenda.at(max(self._drained, now), Rank.DRAINED, self._node, self._written)
        self._eager_write = True
        times = [time for time in (*self._asked, self._asked_at_end, self.status_due) if time < NEVER]
        for time in times:
            self._agenda.at(max(time, now), Rank.FORCED_REPLY, self._node, self._reply_forced)

    @property
    def status_due(self) -> int:
        """When an idle receiver sends its next status reply; `NEVER` where these are off."""
        return self._uplink.last_sent + self._status_interval if self._status_interval else NEVER

    @property
    def asked(self) -> list[int]:
        """When replay will have done what it asks for replies about."""
        times = [*self._asked, *([] if self._asked_at_end == NEVER else [self._asked_at_end])]
        return [time - self._wakeup for time in times]

    def ask_later(self, times: list[int]) -> None:
        """The same, each at another time: replay stands still for a while."""
        later = [time + self._wakeup for time in times]
        if self._asked_at_end != NEVER:
            self._asked_at_end = later.pop()
            self._wait_for_reply(self._asked_at_end)
        self._asked = deque(later)
        for time in later:
            self._wait_for_reply(time)

    def finish(self, end: int) -> None:
        """Send what is due by ``end``, which no event has looked back to yet."""
        if self._began != NEVER and self._drained <= end and not self._write_replied:
            self._note_written()
            if self._agenda.ready(self._drained) <= end:
                self._reply_written()
        self._reply_unprompted(min(end, self._began))

    def _begin(self, start: int) -> None:
        self._began = self._drained = start
        self._write_replied = self._write_noted = False
        self._flush_time = self._device.flush_time()
        self._drain()
        if self._eager_write:
            self._agenda.at(self._drained, Rank.DRAINED, self._node, self._all_written)
        else:
            self._agenda.at(self._flush_end(), Rank.FLUSH_END, self._node, self._all_flushed)

    def _drain(self) -> None:
        """Take what has arrived by the batch's start, and what arrives before all that is written."""
        inbox = self._inbox
        while inbox and (inbox[0][0] <= self._began or inbox[0][0] < self._drained):
            position = inbox.popleft()[1]
            self._drained = self._device.done(self._drained, self._device.write_time(position - self.written))
            self.written = position

    def _flush_end(self) -> int:
        """When the flush of the batch at work ends, as far as is known by now."""
        return self._device.done(self._drained, self._flush_time)

    def _written(self, now: int) -> None:
        """The batch at work has been written, unless more has come: the reply about that, which somebody waits for."""
        if now < self._drained:
            self._agenda.at(self._drained, Rank.DRAINED, self._node, self._written)
        elif self._began != NEVER and not self._write_replied:
            self._reply_written()

    def _all_written(self, now: int) -> None:
        if now < self._drained:
            self._agenda.at(self._drained, Rank.DRAINED, self._node, self._all_written)
            return
        if not self._write_replied:
            self._reply_written()
        self._agenda.at(max(self._flush_end(), now), Rank.FLUSH_END, self._node, self._all_flushed)

    def _all_flushed(self, now: int) -> None:
        end = self._flush_end()
        if now < end:
            self._agenda.at(end, Rank.FLUSH_END, self._node, self._all_flushed)
            return
        if not self._write_replied:
            self._reply_written()
        if self.written > self.room_until and self.out_of_room is not None:
            self.out_of_room(now)
            return
        self.flushed = self.written
        self.flushes.append(now)
        rows = self._replay.hand_over(now, self.flushed)
        for ship in self.ship:
            ship(now, self.flushed)
        self._reply(now, may_release=True)
        self._ask(now, rows)
        self._began = NEVER
        if self._inbox:
            arrival = self._inbox[0][0]
            self._begin(now if arrival <= now else arrival + self._wakeup)

    def _ask(self, now: int, rows: range) -> None:
        """Note the replies that the replay of ``rows`` will ask for; what was asked until now has been answered."""
        asked = self._asked
        if self._feedback is not None:
            while asked and asked[0] <= now:
                asked.popleft()
            for row in self._feedback(rows):
                applied = self._replay.applied(row)
                if not asked or asked[-1] < applied:
                    self._wait_for_reply(applied + self._wakeup)
                    asked.append(applied + self._wakeup)
        # A receiver that is waking up already for the last commit says that replay has run out, too.
        covered = asked and asked[-1] >= self._replay.free
        self._asked_at_end = NEVER if covered else self._replay.free + self._wakeup
        if not covered:
            self._wait_for_reply(self._asked_at_end)

    def _wait_for_reply(self, time: int) -> None:
        if self._eager_apply or self._awaited:
            self._agenda.at(time, Rank.FORCED_REPLY, self._node, self._reply_forced)

    def _reply_forced(self, now: int) -> None:
        if now <= self._began:
            self._reply_unprompted(now)

    def _reply_written(self) -> None:
        """The first reply of a batch; before it go those of the idle time that ended with the batch."""
        self._reply_unprompted(self._began)
        self._write_replied = True
        self._note_written()
        self._reply(self._agenda.ready(self._drained), may_release=self._eager_write or self._eager_apply)

    def _note_written(self) -> None:
        """The batch at work is written, and its flush begins; the receiver may stand still and say so later."""
        if not self._write_noted:
            self._write_noted = True
            self._device.starts.append(self._drained)
            self._replay.positions.append(self.written)

    def _reply_unprompted(self, until: int) -> None:
        """Send what an idle receiver had to send by ``until``: what replay asked for, and status replies."""
        while True:
            time = self._asked_at_end
            if self._asked and self._asked[0] < time:
                time = self._asked[0]
            if self._status_interval and self._uplink.last_sent + self._status_interval < time:
                time = self._uplink.last_sent + self._status_interval
            # What was due while the node stood still is sent, once, when it goes on.
            time = self._agenda.ready(time)
            if time > until or time == NEVER:
                return
            while self._asked and self._asked[0] <= time:
                self._asked.popleft()
            if self._asked_at_end <= time:
                self._asked_at_end = NEVER
            self._reply(time, may_release=self._eager_apply or self._awaited)

    def _reply(self, time: int, *, may_release: bool) -> None:
        written = self.written if self._write_replied else self.flushed
        # Unless a commit waits for it, what is replayed by now is worked out after the run.
        applied = self._replay.position(time) if self._eager_apply else 0
        self._uplink.reply(time, (written, self.flushed, applied), may_release=may_release)
