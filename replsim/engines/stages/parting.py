"""A connection that may be lost, and the next one: what follows once one end hears nothing from the other."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from heapq import heappop, heappush
from typing import Final, NamedTuple

import numpy as np

from replsim.engines.stages.columns import by, cut
from replsim.engines.stages.kernels.sender_link import Flushed
from replsim.engines.stages.kernels.standby_state import Bounds
from replsim.engines.stages.stream import Stream
from replsim.engines.stages.ways import Disturbance, Kind, Ways
from replsim.units import NEVER, SECOND

__all__ = ["Note", "Parting", "Rank"]

SOON: Final = SECOND // 1000
"""When a standby that still flushes what it has received looks again."""


class Rank(IntEnum):
    """What comes first at one moment.  All others (flushes end, replies are processed) lie between the last two."""

    FAULT = -2
    MANAGER = -1
    """A standby tries to connect."""
    ARRIVAL = 0
    """The other end is told that a connection is gone."""
    REPLY = 5
    TIMEOUT = 9


class Note(NamedTuple):
    """What happened, in the order in which it is told: by time, rank and place, and what was there longest."""

    time: int
    rank: int
    place: int
    opened: int
    standby: int
    node: str
    what: str


class Loss(NamedTuple):
    """When one end knew that the connection is gone, and in which order with what else happens at that moment."""

    time: int
    rank: Rank

    @property
    def unheard(self) -> int:
        """The first moment at which a reply that is processed had no effect any more."""
        return self.time + 1 if self.rank > Rank.REPLY else self.time


class Parting:
    """From the first disturbance that may end a connection until all is quiet again.

    Both ends are followed event by event, in the order in which things happen; what flows between them comes from the
    kernels, as if the connection lasted, up to each moment at which somebody asks.
    """

    def __init__(
        self,
        ways: Ways,
        stream: Stream,
        place: int,
        first: int,
        *,
        opened: int,
        direct: bool,
        notes: list[Note],
        left: list[int],
    ) -> None:
        self._ways = ways
        self._stream = stream
        self._now = first
        self._coming = [each for each in reversed(ways.disturbances) if each.time >= first]
        self._place = place
        self._direct = direct
        self.opened = opened
        """When the connection began."""
        self.lost: Loss | None = None
        """When the standby knew that it is gone."""
        self.closed: Loss | None = None
        """When the upstream did."""
        self._down = False
        self._died = -1
        """When the standby died last."""
        self._kept = 0
        """Up to where its disk has the WAL while it is down."""
        self._in_vain = False
        """Whether the upstream sends to a standby that has died since: that is no step of what it is sent."""
        self._life = 0
        """How often it has died: what a former life has planned does not happen."""
        self._since = 0
        """When the last disturbance began."""
        self._next_try = 0
        self._agenda: list[tuple[int, int, int, Callable[[int], None]]] = []
        self._planned = 0
        self._rank = Rank.FAULT
        """Of what happens at the moment."""
        self._notes = notes
        self._left = left
        """From when on the standby counted for nothing, each time."""

    def follow(self, known: int, end: int) -> int | None:
        """Go on; returns when all is quiet, `NEVER` where the run ends before, or nothing where it is not known yet.

        All that the upstream flushes is known up to ``known``; ``end`` is the end of the run if that is all, else -1.
        """
        coming = self._coming
        while coming or self._agenda:
            disturbed = bool(coming) and (not self._agenda or coming[-1].time <= self._agenda[0][0])
            due = coming[-1].time if disturbed else self._agenda[0][0]
            if not (self._agenda or self.lost or self.closed or due == self._now):
                break
            if due > known:
                if end < 0:
                    self._rank = Rank.TIMEOUT
                    self._pass(known)
                    return None
                self._finish(end)
                return NEVER
            self._now = due
            if disturbed:
                self._rank = Rank.FAULT
                self._disturb(coming.pop(), due)
            else:
                _, rank, _, happens = heappop(self._agenda)
                self._rank = Rank(rank)
                happens(due)
        if not (self.lost or self.closed):
            return self._now
        # It is down for good.
        self._rank = Rank.TIMEOUT
        self._pass(known)
        if end < 0:
            return None
        self._finish(end)
        return NEVER

    def _plan(self, time: int, rank: Rank, happens: Callable[[int], None]) -> None:
        self._planned += 1
        heappush(self._agenda, (time, rank, self._planned, happens))

    def _plan_here(self, time: int, rank: Rank, happens: Callable[[int], None]) -> None:
        """The standby does something, when it can, if it lives."""
        life = self._life

        def happens_if_alive(now: int) -> None:
            if self._life == life:
                happens(now)

        self._plan(self._ways.ready(self._ways.standby, time), rank, happens_if_alive)

    def _plan_there(self, time: int, rank: Rank, happens: Callable[[int], None]) -> None:
        """Its upstream does."""
        self._plan(self._ways.ready(self._ways.upstream, time), rank, happens)

    def _note(self, now: int, node: str, what: str, place: int | None = None) -> None:
        place = self._place if place is None else place
        self._notes.append(Note(now, self._rank, place, self.opened, self._place, node, what))

    def _pass(self, now: int) -> None:
        """The upstream sends what it has flushed by now, if it still does."""
        within = self._rank == Rank.TIMEOUT
        seen = self._stream.see(now, within=within)
        if self.closed is None:
            sent = len(self._stream.sent.time)
            self._stream.ship(seen, now if within else now - 1)
            if self.lost:
                self._stream.under_way = cut(self._stream.under_way, slice(0))
            if self._in_vain:
                self._stream.sent = cut(self._stream.sent, slice(sent))

    def _disturb(self, found: Disturbance, now: int) -> None:
        if found.kind == Kind.RESET:
            self._upstream_loses(now, found.window)
            self._standby_loses(now, found.window)
        elif found.kind == Kind.SILENCE:
            self._watch(now)
        elif found.kind == Kind.STARTS:
            if self._down and self._died == found.began:
                self._standby_starts(now)
        else:
            self._standby_dies(now, told=found.kind == Kind.PROCESS_DIES)
            if found.kind == Kind.HOST_DIES:
                self._watch(now)

    def _watch(self, now: int) -> None:
        self._since = now
        self._has_upstream_heard(now)
        self._has_standby_heard(now)

    def _standby_dies(self, now: int, *, told: bool) -> None:
        """Its kernel tells the upstream (``told``), or nobody does; what was written, if it is told, is kept."""
        self._pass(now)
        self._died = now
        if self._down:
            return
        self._down, self._life = True, self._life + 1
        self._in_vain = True
        self._stream.sent = cut(self._stream.sent, slice(by(self._stream.sent.time, now)))
        bounds = self._bounds(now)._replace(before=now) if self._flushes else None
        self._kept = self._stream.die(now, bounds, keeps_written=told)
        self._stream.under_way = cut(self._stream.under_way, slice(0))
        if not self.lost:
            self.lost = Loss(now, self._rank)
            if told:
                self._plan_there(self._stream.standby.send(now), Rank.ARRIVAL, self._upstream_loses)
        if self.closed:
            self._take_back_replies()

    def _standby_starts(self, now: int) -> None:
        """It is up again, with what was on its disk replayed, and looks for its upstream."""
        self._down = False
        self._stream.start(now, self._kept)
        self._plan_here(now, Rank.MANAGER, self._try)

    def _upstream_loses(self, now: int, place: int | None = None) -> None:
        """It sends nothing any more, and the standby counts for nothing."""
        if self.closed:
            return
        self._pass(now)
        self.closed = Loss(now, self._rank)
        self._left.append(self.closed.unheard)
        if self.lost:
            self._take_back_replies()
        if self._direct:
            self._note(now, self._ways.standby, "dropped", place)

    def _standby_loses(self, now: int, place: int | None = None) -> None:
        """What has arrived is still flushed, and it tries again."""
        if self.lost:
            return
        self._pass(now)
        self.lost = Loss(now, self._rank)
        # What it would flush only after it has died again is left for then.
        dies = self._ways.next_death(now)
        self._stream.deliver(now, self._bounds(now)._replace(before=dies), within=self._rank != Rank.FAULT)
        self._stream.under_way = cut(self._stream.under_way, slice(0))
        if self.closed:
            self._take_back_replies()
        self._note(now, self._ways.standby, "disconnected", place)
        self._plan_here(now, Rank.MANAGER, self._try)

    def _receive(self, stream: Stream, now: int) -> None:
        """The standby deals with all that has arrived by now, and replies as long as the connection holds."""
        stream.deliver(now, self._bounds(now), within=self._rank != Rank.FAULT)

    def _bounds(self, now: int) -> Bounds:
        """Up to when it replies."""
        last = min((each for each in (self.closed, self.lost) if each), default=Loss(now, self._rank))
        flush_replies = last.time if last.rank == Rank.TIMEOUT else last.time - 1
        return Bounds(end=last.time, replies=last.time, flush_replies=flush_replies)

    @property
    def _flushes(self) -> bool:
        """Whether the standby deals with what it has received: it has a connection, or will die in the midst of it."""
        return not self.lost or self._stream.standby.open_from < NEVER

    def _take_back_replies(self) -> None:
        """The upstream processes none after it has closed the connection."""
        assert self.closed is not None
        stream = self._stream
        stream.hear(by(stream.replies.time, self.closed.time), self.closed.unheard)
        stream.replies = cut(stream.replies, slice(0))

    def _upstream_closes(self, now: int) -> None:
        """Its kernel tells the standby, now or when the link is whole again."""
        self._pass(now)
        told = self._stream.sender.send(now)
        self._upstream_loses(now)
        self._plan_here(told, Rank.ARRIVAL, self._standby_loses)

    def _standby_closes(self, now: int) -> None:
        """The same the other way."""
        self._standby_loses(now)
        self._plan_there(self._stream.standby.send(now), Rank.ARRIVAL, self._upstream_loses)

    def _has_upstream_heard(self, now: int) -> None:
        """``wal_sender_timeout``: half of it is waited for an unasked reply, then the walsender asks for one."""
        ways, timeout, stream = self._ways, self._ways.sender_timeout, self._stream
        if self.closed or not timeout:
            return
        self._pass(now)
        if self._flushes:
            stream = stream.fork()
            self._receive(stream, now)
        mute = self._down or ways.mute(ways.standby, ways.upstream, now)
        if not mute and stream.standby.resumes <= now:
            return
        count = by(stream.replies.time, now)
        heard = int(stream.replies.time[count - 1]) if count else stream.heard
        due = max(heard, self._since - timeout // 2, self.opened) + timeout
        if now < due:
            self._plan_there(due, Rank.TIMEOUT, self._has_upstream_heard)
        else:
            self._note(now, ways.upstream, "wal_sender_timeout")
            self._upstream_closes(now)

    def _has_standby_heard(self, now: int) -> None:
        """``wal_receiver_timeout``: the same at the other end."""
        ways, timeout, stream = self._ways, self._ways.receiver_timeout, self._stream
        if self.lost or not timeout:
            return
        self._pass(now)
        if not ways.mute(ways.upstream, ways.standby, now) and stream.sender.resumes <= now:
            return
        count = by(stream.under_way.arrival, now, within=self._rank != Rank.FAULT)
        arrived = int(stream.under_way.arrival[count - 1]) if count else stream.arrived
        due = max(arrived, self._since - timeout // 2, self.opened) + timeout
        if now < due:
            self._plan_here(due, Rank.TIMEOUT, self._has_standby_heard)
        else:
            self._note(now, ways.standby, "wal_receiver_timeout")
            self._standby_closes(now)

    def _try(self, now: int) -> None:
        """The standby tries to connect: at once, and then every ``wal_retrieve_retry_interval``."""
        assert self.lost is not None
        stream = self._stream
        flushed = stream.standby.flushed[0]
        busy = stream.standby.open_from < NEVER
        if busy or flushed > now or (flushed == now and self.lost != (now, Rank.TIMEOUT)):
            self._plan_here(now + SOON, Rank.MANAGER, self._try)
            return
        self._next_try = now + self._ways.retry
        if not self._ways.reaches(now):
            self._plan_here(self._next_try, Rank.MANAGER, self._try)
            return
        self._pass(now)
        stream.sender.reset(now)
        stream.standby.reset(now)
        self._plan_here(stream.sender.send(stream.standby.send(now)), Rank.MANAGER, self._connect)

    def _connect(self, now: int) -> None:
        self._pass(now)
        if self._ways.reaches(now) and self._stream.upstream_flushed >= self._stream.standby.flushed[1]:
            self._begin(now)
        else:
            self._plan_here(max(self._next_try, now + 1), Rank.MANAGER, self._try)

    def _begin(self, now: int) -> None:
        """A new connection; the standby has caught up once it has flushed all that was there when it connected."""
        stream = self._stream
        self._upstream_loses(now)
        stream.settle(now)
        stream.sent = cut(stream.sent, slice(0))
        self._note(now, self._ways.standby, f"connected to {self._ways.upstream}")
        self.opened, self.lost, self.closed, self._since, self._in_vain = now, None, None, 0, False
        self._agenda.clear()
        stream.heard = stream.arrived = -1
        stream.target = stream.upstream_flushed
        stream.sender.begin(stream.standby.flushed[1])
        stream.ship(Flushed(np.array([now]), np.array([stream.target])), -1)
        stream.replies = stream.standby.announce(now)

    def _finish(self, end: int) -> None:
        """The run ends."""
        self._rank = Rank.TIMEOUT
        self._pass(end)
        if self._flushes:
            self._receive(self._stream, end)
            if self.closed:
                self._take_back_replies()
        self._stream.settle(end + 1)
