"""Planned work: a switchover, and restarts of nodes one after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from replsim.engines.events.agenda import Rank
from replsim.engines.events.crashes import crash, restart
from replsim.scenario.faults import Crash, Restart
from replsim.units import SECOND

if TYPE_CHECKING:
    from replsim.engines.events.cluster import Cluster
    from replsim.engines.events.node import Node

__all__ = ["Planned"]

SOON: Final = SECOND // 1000
"""When a primary that shuts down looks again whether its standbys have all."""
LATER: Final = SECOND
"""When who restarts nodes looks again whether one that is down is up."""


class Planned:
    """What an operator does to a cluster that works.

    A primary that is shut down (``pg_ctl stop -m fast``) ends its clients' connections, flushes what is in its log, and
    goes only when every standby that is connected to it has reported all of it (``walsender.c:WalSndDone``).  So
    nothing is lost that was inserted.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def switch(self, target: Node, now: int, then: Callable[[bool, int], None] | None = None) -> None:
        """The primary stops, and a standby takes over once it has all of the WAL.

        A standby that does not stream from the primary, or that the manager lets nobody promote, is refused; one that
        is lost meanwhile leaves the primary to start again.  ``then`` is told whether the primary was replaced.
        """
        cluster, succession = self._cluster, self._cluster.succession
        leader = succession.leader
        if not self._fit(target, now):
            self._answer(target, now, "switchover refused", then)
            return
        assert leader.reign is not None
        # Nobody else is promoted meanwhile.
        succession.promoting = leader
        cluster.note(now, leader.name, "shuts down")

        def stopped(time: int) -> None:
            following, whole = target.following, leader.flushed
            succession.fence(leader, time, "stopped")
            if following is not None and following.flushed >= whole:
                if cluster.manager is not None:
                    cluster.manager.hand_over(target, time)
                succession.promote(target, time)
                if then is not None:
                    then(True, time)
            else:
                succession.returns(leader, time)
                self._answer(leader, time, "switchover failed", then)

        self._shut_down(leader, now, stopped, lambda time: self._answer(leader, time, "switchover failed", then))

    def roll(self, fault: Restart, down: Callable[[], int], now: int) -> None:
        """Nodes are restarted in order, each once the last one streams again (or serves again, if it is the primary).

        The primary's turn is a switchover, where the fault names who takes over: it comes back as a standby.
        """
        cluster = self._cluster
        left = [cluster.nodes[name] for name in fault.restart]

        def next_one(time: int) -> None:
            if not left:
                cluster.note(time, fault.restart[-1], "restart ends")
            elif not left[0].up or cluster.succession.promoting is not None:
                cluster.agenda.at(time + LATER, Rank.MANAGER, 0, next_one)
            elif left[0].reign is None:
                self._restart_standby(left.pop(0), down(), time, next_one)
            elif fault.hand_over_to is None:
                self._restart_primary(left.pop(0), down(), time, next_one)
            else:
                self._replace_primary(left.pop(0), cluster.nodes[fault.hand_over_to], time, next_one)

        next_one(now)

    def _restart_standby(self, node: Node, down: int, now: int, then: Callable[[int], None]) -> None:
        self._stop(node, now)
        self._cluster.awaited[node.name] = then
        self._start_after(node, down, now)

    def _restart_primary(self, node: Node, down: int, now: int, then: Callable[[int], None]) -> None:
        self._cluster.note(now, node.name, "shuts down")

        def stopped(time: int) -> None:
            self._stop(node, time)
            self._start_after(node, down, time, then)

        self._shut_down(node, now, stopped, lambda time: self._cluster.note(time, node.name, "restart fails"))

    def _replace_primary(self, node: Node, target: Node, now: int, then: Callable[[int], None]) -> None:
        def replaced(done: bool, time: int) -> None:
            if done:
                self._cluster.awaited[node.name] = then
            else:
                self._cluster.note(time, node.name, "restart fails")

        self.switch(target, now, replaced)

    def _answer(self, node: Node, now: int, what: str, then: Callable[[bool, int], None] | None) -> None:
        """It came to nothing."""
        self._cluster.note(now, node.name, what)
        if then is not None:
            then(False, now)

    def _stop(self, node: Node, now: int) -> None:
        """As a process that ends: its kernel tells its peers, and what it has written is kept."""
        self._cluster.note(now, node.name, "stopped")
        crash(self._cluster, node, Crash.model_construct(crash=node.name, of="process", in_flight="arrives"), now)

    def _start_after(self, node: Node, down: int, now: int, then: Callable[[int], None] | None = None) -> None:
        def starts(time: int) -> None:
            if node.gone:  # and comes back with its machine
                self._cluster.agenda.at(time + LATER, Rank.MANAGER, node.place, starts)
                return
            if not node.up:
                self._cluster.note(time, node.name, "started")
                restart(self._cluster, node, time)
            if then is not None:
                then(time)

        self._cluster.agenda.at(now + down, Rank.MANAGER, node.place, starts)

    def _shut_down(self, node: Node, now: int, then: Callable[[int], None], dies: Callable[[int], None]) -> None:
        """Let clients go, flush, and wait for the standbys; or it ``dies`` before that."""
        reign, agenda = node.reign, self._cluster.agenda
        assert reign is not None
        self._cluster.succession.dismiss(reign, now)
        whole = reign.primary.close(now)

        def look(time: int) -> None:
            open_ones = [each for each in reign.connections if not each.closed]
            resumes = node.agenda.ready(time)
            if node.reign is not reign:
                dies(time)
            elif resumes > time:
                agenda.at(resumes, Rank.MANAGER, node.place, look)
            elif reign.primary.flushed < whole or not all(each.has_reported(whole, time) for each in open_ones):
                agenda.at(time + SOON, Rank.MANAGER, node.place, look)
            else:
                then(time)

        agenda.at(now, Rank.MANAGER, node.place, look)

    def _fit(self, target: Node, now: int) -> bool:
        """Whether a standby streams from a primary that is up, and may take over from it."""
        cluster, succession = self._cluster, self._cluster.succession
        leader, following = succession.leader, target.following
        if leader.reign is None or succession.promoting is not None or following is None:
            return False
        connection = following.connection
        streams = connection is not None and not connection.closed and connection.upstream is leader
        return streams and (cluster.manager is None or cluster.manager.lets(target, now))
