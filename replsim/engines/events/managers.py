"""The failover managers at work: they look, and they promote."""

from __future__ import annotations

from typing import TYPE_CHECKING

from replsim.engines.events.agenda import Rank
from replsim.engines.events.sync_membership import SyncMembership
from replsim.rules.failover import electable, has_majority, healthiest
from replsim.scenario.failover import Manual, Patroni, Quorum
from replsim.units import SECOND

if TYPE_CHECKING:
    from replsim.engines.events.cluster import Cluster
    from replsim.engines.events.node import Node

__all__ = ["Election", "Lease", "manage"]


def manage(cluster: Cluster) -> Lease | Election | None:
    """The scenario's manager begins its work; an operator's is done once."""
    manager = cluster.scenario.failover
    if isinstance(manager, Manual):
        _operator(cluster, manager)
    if not isinstance(manager, Patroni | Quorum):
        return None
    working = Lease(cluster, manager) if isinstance(manager, Patroni) else Election(cluster, manager)
    working.begin()
    return working


def _operator(cluster: Cluster, manual: Manual) -> None:
    node = cluster.nodes[manual.promote]
    cluster.agenda.at(manual.at, Rank.MANAGER, 0, lambda now: cluster.succession.promote(node, now))


class Lease:
    """Patroni: the leader renews a lease in a store at each look; when it has run out, the others race for it.

    Source: Patroni 4.1.4, ``ha.py`` (``update_lock``, ``_handle_dcs_error``, ``handle_starting_instance``,
    ``_is_healthiest_node``) and its page on dynamic configuration.  Each look also publishes the leader's position.  A
    leader that does not reach the store tries again for ``retry_timeout``, and then steps down; one that could not even
    do that (it stands still) is stopped by its watchdog before the lease runs out.  While the leader's process alone is
    down, its agent keeps the lease, and gives it away ``primary_start_timeout`` after the look that found it, if
    somebody may take it.
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
        self._insists = False
        """Whether the leader keeps trying to reach the store."""
        self._found_down = (-1, 0)
        """Since when the leader's process has been down, and when its agent noticed."""

    def begin(self) -> None:
        """The lease is fresh at some moment before the start."""
        agenda, wait = self._cluster.agenda, self._manager.loop_wait
        agenda.at(round(self._phase() * wait), Rank.MANAGER, 0, self._look)
        self._expires_later()

    def _look(self, now: int) -> None:
        cluster, leader = self._cluster, self._cluster.succession.leader
        cluster.agenda.at(now + self._manager.loop_wait, Rank.MANAGER, 0, self._look)
        if cluster.succession.promoting is not None or self._insists:
            return
        if self._reaches(leader, now):
            self._looked(leader, now)
        elif leader.reign is not None:
            self._insists = True
            self._insist(leader, now, now + self._manager.retry_timeout)

    def _looked(self, leader: Node, now: int) -> None:
        """The leader has reached the store."""
        if leader.reign is not None:
            self._published = leader.reign.primary.flushed
            if self._sync is not None:
                self._sync.look(leader.reign, now)
        elif not leader.agent:
            return
        elif self._starts_too_long(leader, now) and self._winner(now) is not None:
            self._released(now)
            return
        self._renewed = now
        self._expires_later()

    def _insist(self, leader: Node, now: int, until: int) -> None:
        """Try again until it is too late."""
        if leader.reign is not None and self._reaches(leader, now):
            self._insists = False
            self._looked(leader, now)
        elif leader.reign is None or now >= until:
            self._insists = False
            if leader.reign is not None and self._manager.fencing and leader.agenda.ready(now) <= now:
                self._cluster.succession.fence(leader, now, "steps down")
        else:
            again = min(now + SECOND, until)
            self._cluster.agenda.at(again, Rank.MANAGER, 0, lambda then: self._insist(leader, then, until))

    def _starts_too_long(self, leader: Node, now: int) -> bool:
        """Whether the agent of a leader whose process died has tried to start it for as long as it may."""
        if self._found_down[0] != leader.down_since:
            self._found_down = leader.down_since, now
        return now - self._found_down[1] >= self._manager.primary_start_timeout

    def _expires_later(self) -> None:
        renewed = self._renewed

        def expires(now: int) -> None:
            leader, succession = self._cluster.succession.leader, self._cluster.succession
            if self._renewed == renewed and succession.promoting is None:
                if leader.reign is not None and self._manager.fencing:
                    succession.fence(leader, now)
                self._released(now)

        self._cluster.agenda.at(renewed + self._manager.ttl, Rank.MANAGER, 0, expires)

    def _released(self, now: int) -> None:
        """Nobody holds the lease: whoever may take part races for it."""
        renewed = self._renewed
        self._cluster.agenda.at(now + self._race(), Rank.MANAGER, 0, lambda then: self._decide(then, renewed))

    def _decide(self, now: int, renewed: int) -> None:
        """The race is over: the healthiest of those who may take part has the lease."""
        cluster = self._cluster
        if self._renewed != renewed or cluster.succession.promoting is not None:
            return
        winner = self._winner(now)
        if winner is None:
            cluster.agenda.at(now + self._manager.loop_wait, Rank.MANAGER, 0, lambda then: self._decide(then, renewed))
            return
        self.hand_over(cluster.nodes[winner], now)
        cluster.succession.elevate(cluster.nodes[winner], now)

    def _winner(self, now: int) -> str | None:
        """Who takes over, if anybody may: nobody does who finds the old primary alive."""
        cluster, leader = self._cluster, self._cluster.succession.leader
        positions = _positions(cluster, self._members, now)
        running = electable(positions, published=self._published, maximum_lag=self._manager.maximum_lag_on_failover)
        if self._sync is not None:
            allowed = self._sync.electable(positions)
            running = tuple(name for name in running if name in allowed)
        if leader.reign is not None:
            running = tuple(name for name in running if cluster.mute(leader, cluster.nodes[name], now))
        return healthiest({name: positions[name] for name in running})

    def _reaches(self, node: Node, now: int) -> bool:
        return (node.up or node.agent) and _majority(self._cluster, node, self._members, now)

    def lets(self, node: Node, now: int) -> bool:
        """Whether a node may take over by a switchover: a synchronous mode lets members of ``/sync`` alone."""
        return self._sync is None or node.name in self._sync.electable(_positions(self._cluster, self._members, now))

    def hand_over(self, node: Node, now: int) -> None:
        """A node has the lease from now on."""
        self._renewed = now
        self._published = node.flushed if node.up else node.kept
        if self._sync is not None:
            self._sync.hand_over(node.name, now)
        self._expires_later()


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

    def lets(self, node: Node, now: int) -> bool:
        """Whether a node may take over by a switchover: if it and a majority reach each other."""
        return node.name in self._members and _majority(self._cluster, node, self._members, now)

    def hand_over(self, _: Node, now: int) -> None:
        """A node is the leader from now on; it has just been heard."""
        self._heard = now


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
