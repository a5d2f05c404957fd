"""The failover managers at work: they look, and they promote."""

from __future__ import annotations

from typing import TYPE_CHECKING

from replsim.engines.events.agenda import Rank
from replsim.engines.events.sync_membership import SyncMembership
from replsim.rules.failover import electable, has_majority, healthiest
from replsim.scenario.failover import Manual, Patroni, Quorum

if TYPE_CHECKING:
    from replsim.engines.events.cluster import Cluster
    from replsim.engines.events.node import Node

__all__ = ["manage"]


def manage(cluster: Cluster) -> None:
    """The scenario's manager begins its work."""
    manager = cluster.scenario.failover
    if isinstance(manager, Manual):
        _operator(cluster, manager)
    elif isinstance(manager, Patroni):
        Lease(cluster, manager).begin()
    elif isinstance(manager, Quorum):
        Election(cluster, manager).begin()


def _operator(cluster: Cluster, manual: Manual) -> None:
    node = cluster.nodes[manual.promote]
    cluster.agenda.at(manual.at, Rank.MANAGER, 0, lambda now: cluster.succession.promote(node, now))


class Lease:
    """Patroni: the leader renews a lease in a store at each look; when it has run out, the others race for it.

    Source: Patroni ``ha.py``.  Each look also publishes the leader's position.  A leader that does not reach the
    store for ``retry_timeout`` steps down.  While the leader's process alone is down, its agent keeps the lease
    for ``primary_start_timeout``.
    """

    def __init__(self, cluster: Cluster, manager: Patroni) -> None:
        self._cluster = cluster
        self._manager = manager
        self._race = cluster.streams.draws("failover:race", manager.race).next
        self._phase = cluster.streams.uniforms("failover:phase").next
        self._members = manager.store or tuple(cluster.nodes)
        self._sync = SyncMembership(cluster, manager, cluster.mode) if cluster.mode else None
        self._renewed = 0
        self._published = 0
        self._reached = 0
        """When the leader last reached the store."""

    def begin(self) -> None:
        """The lease is fresh at some moment before the start."""
        agenda, wait = self._cluster.agenda, self._manager.loop_wait
        agenda.at(round(self._phase() * wait), Rank.MANAGER, 0, self._look)
        self._expires_later()

    def _look(self, now: int) -> None:
        cluster, leader = self._cluster, self._cluster.succession.leader
        cluster.agenda.at(now + self._manager.loop_wait, Rank.MANAGER, 0, self._look)
        if cluster.succession.promoting is not None:
            return
        reaches = self._reaches(leader, now)
        if leader.reign is not None and reaches:
            self._published = leader.reign.primary.flushed
            if self._sync is not None:
                self._sync.look(leader.reign, now)
        if reaches and (leader.reign is not None or self._starting(leader, now)):
            self._renewed = self._reached = now
            self._expires_later()
        elif leader.reign is not None and self._manager.fencing and self._too_long(now):
            cluster.succession.fence(leader, now, "steps down")

    def _too_long(self, now: int) -> bool:
        """Whether the leader has not reached the store for as long as it may."""
        return now >= self._reached + self._manager.retry_timeout

    def _starting(self, leader: Node, now: int) -> bool:
        """Whether the leader's process alone died, so that its agent starts it again."""
        return leader.agent and now - leader.down_since <= self._manager.primary_start_timeout

    def _expires_later(self) -> None:
        renewed = self._renewed

        def expires(now: int) -> None:
            if self._renewed == renewed and self._cluster.succession.promoting is None:
                self._cluster.agenda.at(now + self._race(), Rank.MANAGER, 0, lambda then: self._decide(then, renewed))

        self._cluster.agenda.at(renewed + self._manager.ttl, Rank.MANAGER, 0, expires)

    def _decide(self, now: int, renewed: int) -> None:
        """The race is over: the healthiest of those who may take part has the lease."""
        cluster = self._cluster
        if self._renewed != renewed or cluster.succession.promoting is not None:
            return
        positions = _positions(cluster, self._members, now)
        running = electable(positions, published=self._published, maximum_lag=self._manager.maximum_lag_on_failover)
        if self._sync is not None:
            allowed = self._sync.electable(positions)
            running = tuple(name for name in running if name in allowed)
        winner = healthiest({name: positions[name] for name in running})
        if winner is None:
            cluster.agenda.at(now + self._manager.loop_wait, Rank.MANAGER, 0, lambda then: self._decide(then, renewed))
            return
        self._renewed = self._reached = now
        self._published = positions[winner]
        if self._sync is not None:
            self._sync.hand_over(winner)
        cluster.succession.elevate(cluster.nodes[winner], now)
        self._expires_later()

    def _reaches(self, node: Node, now: int) -> bool:
        return (node.up or node.agent) and _majority(self._cluster, node, self._members, now)


class Election:
    """A majority of the members elects the one of them with the highest position, as Raft does (Ongaro 2014)."""

    def __init__(self, cluster: Cluster, manager: Quorum) -> None:
        self._cluster = cluster
        self._manager = manager
        self._members = manager.members or tuple(cluster.nodes)
        self._jitter = cluster.streams.uniforms("failover:election").next
        self._heard = 0
        """When the leader last reached a majority."""

    def begin(self) -> None:
        """The leader has just been heard."""
        self._cluster.agenda.at(self._manager.heartbeat, Rank.MANAGER, 0, self._beat)

    def _beat(self, now: int) -> None:
        cluster, manager = self._cluster, self._manager
        succession, leader = cluster.succession, cluster.succession.leader
        cluster.agenda.at(now + manager.heartbeat, Rank.MANAGER, 0, self._beat)
        if succession.promoting is not None:
            return
        if leader.reign is not None and _majority(cluster, leader, self._members, now):
            self._heard = now
        elif now - self._heard >= manager.election_timeout:
            if manager.fencing and leader.reign is not None and leader.agenda.ready(now) <= now:
                succession.fence(leader, now, "steps down")
            # Raft's own spread of the time-out, so that two rarely stand at once.
            wait = round(self._jitter() * manager.election_timeout)
            self._heard = now + wait
            cluster.agenda.at(now + wait, Rank.MANAGER, 0, self._elect)

    def _elect(self, now: int) -> None:
        cluster = self._cluster
        winner = healthiest(
            {name: each for name, each in _positions(cluster, self._members, now).items() if name in self._members}
        )
        if winner is not None:
            self._heard = now
            cluster.succession.elevate(cluster.nodes[winner], now)


def _positions(cluster: Cluster, members: tuple[str, ...], now: int) -> dict[str, int]:
    """How far each node is that may take over: it follows, or was deposed, and reaches a majority."""
    return {
        name: node.flushed if node.up else node.kept
        for name, node in cluster.nodes.items()
        if (node.following is not None or node.deposed) and _majority(cluster, node, members, now)
    }


def _majority(cluster: Cluster, node: Node, members: tuple[str, ...], now: int) -> bool:
    """Whether a node and more than half of the members hear each other; a witness hears whoever is not cut off."""
    if node.agenda.ready(now) > now:
        return False
    heard = [name for name in members if name == node.name or cluster.hears(node, name, now)]
    return has_majority(heard, members)
