"""A connection: the walsender on one node and the walreceiver on another, for as long as it holds."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from replsim.engines.events.agenda import Agenda, Rank
from replsim.engines.events.life import Life
from replsim.engines.events.receiver import Receiver
from replsim.engines.events.sender import Sender
from replsim.engines.events.uplink import Positions, Uplink
from replsim.units import NEVER

if TYPE_CHECKING:
    from replsim.engines.events.cluster import Cluster
    from replsim.engines.events.following import Following
    from replsim.engines.events.node import Node

__all__ = ["Connection"]


class Connection:
    """From one node to a standby.  Either end may lose it without the other's knowing, for a while."""

    def __init__(self, cluster: Cluster, upstream: Node, standby: Node, following: Following, now: int) -> None:
        self._cluster = cluster
        self.upstream = upstream
        self.standby = standby
        self.opened = now
        self.lost = False
        """Whether the standby knows that it is gone."""
        self.closed = False
        """Whether the upstream knows that it is gone."""
        self._mortal = cluster.eventful
        self.network: Agenda = self._life(standby.agenda)
        """What is on its way to the standby, as long as it will arrive."""
        self.replies: Agenda = self._life(upstream.agenda)
        """What is on its way to the upstream."""
        self._sending = self._life(upstream.agenda)
        self._reign = upstream.reign
        release = upstream.reign.release if upstream.reign else None
        self.candidate: int | None = None
        if release is not None and standby.name in release.candidates:
            self.candidate = release.candidates.index(standby.name)
        remote = set(release.remote) if release is not None and self.candidate is not None else set()
        scenario, settings = cluster.scenario, cluster.standby_settings(standby.name)
        out, back, acknowledgements = cluster.wires(upstream.name, standby.name)
        self._out, self._back = out, back
        self._arriving: deque[int] = deque()
        """Where each message ends that is on its way."""
        self._target = self._since = 0
        self._streaming = False
        """Whether it has caught up; replies that were under way then come as before."""
        start = following.flushed
        self.uplink = Uplink(self.replies, standby.place, back, scenario.wakeup)
        self.receiver = Receiver(
            standby.agenda, standby.place, standby.device, following.replay, self.uplink,
            wakeup=scenario.wakeup,
            status_interval=settings.wal_receiver_status_interval,
            feedback=_feedback(cluster, following),
            # The reply about a batch's write also tells what has been replayed by then.
            eager_write=bool({"remote_write", "remote_apply"} & remote),
            eager_apply="remote_apply" in remote,
            start=start,
            ship=standby.ship,
        )  # fmt: skip
        self.sender = Sender(
            self._sending, standby.place, out, self._deliver if self._mortal else self.receiver.deliver,
            wakeup=scenario.wakeup,
            message_bytes=scenario.settings.message_bytes,
            window=cluster.link(upstream.name, standby.name).window,
            acknowledgements=acknowledgements,
            start=start,
        )  # fmt: skip
        self._listen()
        upstream.ship.append(self.sender.ship)

    def _life(self, within: Agenda) -> Agenda:
        return Life(within) if self._mortal else within

    def _deliver(self, arrival: int, position: int) -> None:
        # What arrives while the standby stands still is read when it goes on, before what comes at that moment.
        self._arriving.append(position)
        self.network.at(arrival, Rank.ARRIVAL, self.standby.place, self._arrived)

    def _arrived(self, now: int) -> None:
        self.receiver.deliver(now, self._arriving.popleft())

    def catch_up(self, now: int) -> None:
        """A later connection: the standby counts once it has flushed all that was there when it connected."""
        self._target = self.upstream.flushed
        self.uplink.listen(lambda _: True, self._catching_up)
        self.sender.ship(now, self._target)
        self.receiver.announce(now)

    def standby_loses(self, now: int) -> None:
        """The standby knows that the connection is gone: what has arrived is still flushed, and it tries again."""
        if not self.lost:
            self._part(now)
            self._cluster.note(now, self.standby.name, "disconnected")
            self._cluster.reconnecting.begin(self.standby, now)

    def upstream_loses(self, now: int, *, late: bool = False) -> None:
        """The upstream knows that the connection is gone: the standby counts for nothing any more.

        ``late`` says that it has processed all replies of this moment before.
        """
        if self.closed:
            return
        self.closed = True
        if not self.lost:
            self.receiver.finish(now)
        self.uplink.close(now)
        for life in (self._sending, self.replies):
            assert isinstance(life, Life)
            life.end()
        if self.sender.ship in self.upstream.ship:
            self.upstream.ship.remove(self.sender.ship)
        if self._reign is not None and self.upstream.reign is self._reign:
            self._cluster.note(now, self.standby.name, "dropped")
            if self.candidate is not None:
                self._reign.leaves(self.candidate, now, late=late)

    def standby_closes(self, now: int) -> None:
        """The standby ends the connection, and its kernel tells the upstream, now or when the link is whole again."""
        self.receiver.finish(now)
        told = self._back.send(now, 0)
        self.standby_loses(now)
        self.upstream.agenda.at(told, Rank.ARRIVAL, self.standby.place, self.upstream_loses)

    def upstream_closes(self, now: int) -> None:
        """The upstream ends the connection: the same the other way."""
        told = self._out.send(now, 0)
        self.upstream_loses(now, late=True)
        self.standby.agenda.at(told, Rank.ARRIVAL, self.standby.place, self.standby_loses)

    def standby_dies(self, now: int, *, told: bool) -> None:
        """The standby crashes; its kernel says so (``told``), or nobody does."""
        if self.lost:
            return
        self.receiver.finish(now)
        end = self._back.send(now, 0) if told else None
        self._part(now)
        if end is not None:
            self.upstream.agenda.at(end, Rank.ARRIVAL, self.standby.place, self.upstream_loses)

    def upstream_dies(self, now: int, *, told: bool, arrives: bool) -> None:
        """The upstream crashes; what it has sent still ``arrives``, or is lost with it."""
        if self.closed:
            return
        end = self._out.send(now, 0) if told else None
        if not self.lost:
            self.receiver.finish(now)
        self.closed = True
        self.uplink.close(now)
        if end is not None:
            self.standby.agenda.at(end, Rank.ARRIVAL, self.standby.place, self.standby_loses)
        elif not arrives:
            assert isinstance(self.network, Life)
            self.network.end()

    def has_reported(self, position: int, now: int) -> bool:
        """Whether the upstream has heard that the standby has flushed all up to ``position``."""
        if not self.lost:
            self.receiver.finish(now)
        return self.uplink.flushed_by(now) >= position

    def attend(self, now: int, *, late: bool) -> None:
        """Others have come or gone: somebody may wait for whatever this candidate says next, or has said already."""
        reign, candidate = self._reign, self.candidate
        assert reign is not None
        assert candidate is not None
        self.receiver.attend(now)
        heard = self.uplink.next_heard(now, late=late)
        if heard < NEVER:
            self.replies.at(
                heard, Rank.REPLY, self.standby.place, lambda then: reign.primary.replied_again(candidate, then)
            )

    def watch(self, now: int) -> None:
        """Something keeps one end from hearing the other: see whether it lasts too long for either."""
        self._since = now
        self._has_upstream_heard(now)
        self._has_standby_heard(now)

    def _part(self, now: int) -> None:
        """Nothing arrives at the standby any more, and nothing that it says goes anywhere."""
        self.receiver.finish(now)
        self.lost = True
        self.uplink.open = False
        assert isinstance(self.network, Life)
        self.network.end()

    def _catching_up(self, positions: Positions, now: int) -> None:
        if positions[1] < self._target:
            return
        first, self._streaming = not self._streaming, True
        if first:
            self._listen()
            self._cluster.note(now, self.standby.name, "streaming")
            if waits := self._cluster.awaited.pop(self.standby.name, None):
                waits(now)
        if self._reign is not None and self.candidate is not None:
            if first:
                self._reign.release.join(self.candidate)
            self._reign.primary.replied(self.candidate, positions, now)

    def _has_upstream_heard(self, now: int) -> None:
        """``wal_sender_timeout``: half of it is waited for an unasked reply, then the walsender asks for one."""
        timeout = self._cluster.scenario.primary.wal_sender_timeout
        if self.closed or not timeout:
            return
        if not self.lost:
            self.receiver.finish(now)
        if not self._cluster.mute(self.standby, self.upstream, now) and self._back.resumes <= now:
            return  # what it asks for is answered
        due = max(self.uplink.heard_by(now), self._since - timeout // 2, self.opened) + timeout
        if now >= due:
            self._cluster.note(now, self.upstream.name, "wal_sender_timeout")
            self.upstream_closes(now)
        else:
            self.upstream.agenda.at(due, Rank.TIMEOUT, self.standby.place, self._has_upstream_heard)

    def _has_standby_heard(self, now: int) -> None:
        """``wal_receiver_timeout``: the same at the other end."""
        timeout = self._cluster.standby_settings(self.standby.name).wal_receiver_timeout
        if self.lost or not timeout:
            return
        if not self._cluster.mute(self.upstream, self.standby, now) and self._out.resumes <= now:
            return
        arrived = self.receiver.arrivals
        due = max(arrived[-1] if arrived else -1, self._since - timeout // 2, self.opened) + timeout
        if now >= due:
            self._cluster.note(now, self.standby.name, "wal_receiver_timeout")
            self.standby_closes(now)
        else:
            self.standby.agenda.at(due, Rank.TIMEOUT, self.standby.place, self._has_standby_heard)

    def _listen(self) -> None:
        """What a synchronous candidate's replies are asked, and whom they reach; nothing for other standbys."""
        reign, candidate = self._reign, self.candidate
        if reign is None or candidate is None or not reign.release.remote:
            self.uplink.listen(None, None)
            return
        release, primary = reign.release, reign.primary
        self.uplink.listen(
            lambda positions: release.news(candidate, positions),
            lambda positions, now: primary.replied(candidate, positions, now),
        )


def _feedback(cluster: Cluster, following: Following) -> Callable[[range], Iterable[int]] | None:
    """Which of a batch's commits ask a standby for a reply once they are replayed: those at ``remote_apply``."""
    asking = {group.index for group in cluster.groups if group.level == "remote_apply"}
    if not asking:
        return None
    return lambda rows: [row for row in rows if following.log.steps[row].group in asking]
