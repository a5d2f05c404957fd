"""Patroni names the synchronous standbys, at its looks, and keeps in the store who may promote."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from replsim.engines.events.agenda import Rank
from replsim.rules.synchronous import Mode, SyncKey, named
from replsim.scenario.failover import Patroni
from replsim.units import SECOND

if TYPE_CHECKING:
    from replsim.engines.events.cluster import Cluster
    from replsim.engines.events.reign import Reign

__all__ = ["SyncMembership"]

CONFIRM: Final = 2 * SECOND
"""So long after a new rule the manager asks whether those named have caught up (Patroni 4.1.4,
``ha.py:_process_multisync_replication``)."""


class SyncMembership:
    """The key ``/sync``, and the rule that the primary follows."""

    def __init__(self, cluster: Cluster, manager: Patroni, mode: Mode) -> None:
        self._cluster = cluster
        self._mode = mode
        self._count = manager.synchronous_node_count
        self._ttl = manager.ttl
        self._wait = manager.loop_wait
        self._rests = 0
        """Until when a new primary's standbys have time to connect."""
        self._key = SyncKey.settled(cluster.succession.leader.name, cluster.rule)
        self._since = 0
        """What those named must have flushed before they may take over."""

    def look(self, reign: Reign, now: int) -> None:
        """Name those who stream; what the rule names and what is in the store need not be the same for a while."""
        cluster, release = self._cluster, reign.managed
        if reign.node.name != self._key.leader or now < self._rests:
            return
        self._confirm(reign)
        rule = named(self._mode, self._present(release.streaming(), now), cluster.rule.names, self._count)
        if rule == cluster.rule:
            return
        self._key = self._key.changing(rule)
        self._since = reign.primary.flushed
        cluster.rule = rule
        cluster.note_rule(reign.node, now)
        release.obey(rule, now)
        reign.primary.expect_inserts()
        reign.node.agenda.at(now + CONFIRM, Rank.MANAGER, reign.node.place, lambda _: self._confirm(reign))

    def hand_over(self, winner: str, now: int) -> None:
        """A node is going to be promoted.

        ``on`` and ``strict`` begin with an empty key: nobody may take over from it until it has named somebody.
        ``quorum`` puts the old leader in the winner's place among the voters, and looks again after ``loop_wait``.
        """
        self._key, self._cluster.rule = self._key.handed_over(winner, self._mode)
        if self._mode == "quorum":
            self._rests = now + self._wait

    def electable(self, positions: Mapping[str, int]) -> tuple[str, ...]:
        """Who may take over, of those whose positions are known."""
        return self._key.electable(positions)

    def _present(self, streaming: Mapping[str, int], now: int) -> dict[str, int]:
        """Those whose entry in the store is there: that of a dead host runs out ``ttl`` after it died."""
        nodes = self._cluster.nodes
        return {
            name: flushed
            for name, flushed in streaming.items()
            if nodes[name].up or now < nodes[name].down_since + self._ttl
        }

    def _confirm(self, reign: Reign) -> None:
        """Whoever is named and has what was flushed when that was said may take over."""
        rule, flushed = self._cluster.rule, reign.managed.streaming()
        if reign.node.name == self._key.leader:
            self._key = self._key.confirmed(rule, flushed, self._since)
