"""A standby without a connection tries to have one again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from replsim.engines.events.agenda import Rank
from replsim.engines.events.lost import lose
from replsim.record.branch import timelines
from replsim.units import SECOND

if TYPE_CHECKING:
    from replsim.engines.events.cluster import Cluster
    from replsim.engines.events.node import Node

__all__ = ["Reconnecting"]

SOON: Final = SECOND // 1000
"""When a standby that still flushes what it has received looks again."""


class Reconnecting:
    """At once, and then every ``wal_retrieve_retry_interval``.

    Source: PostgreSQL ``xlogrecovery.c:WaitForWALToBecomeAvailable``: after a failure it waits only if the last one
    is less than the interval ago.  A connection takes a round trip; one that finds the link cut or its upstream down
    fails, and is tried again after the interval.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def begin(self, node: Node, now: int) -> None:
        """A standby has lost its connection, or has just started."""
        following = node.following
        assert following is not None

        def again(time: int) -> None:
            # A node that has since had another life, or has a connection, needs none of this one's attempts.
            if node.following is following and following.connection is None:
                self._try(node, time, again)

        node.agenda.at(now, Rank.MANAGER, node.place, again)

    def _try(self, node: Node, now: int, again: Callable[[int], None]) -> None:
        cluster, following = self._cluster, node.following
        assert following is not None
        if not following.settled:
            node.agenda.at(now + SOON, Rank.MANAGER, node.place, again)
            return
        following.next_try = now + cluster.standby_settings(node.name).wal_retrieve_retry_interval
        upstream = cluster.upstream(node)
        if upstream is None or not self._reaches(node, upstream, now):
            node.agenda.at(following.next_try, Rank.MANAGER, node.place, again)
            return
        wires = cluster.wires(upstream.name, node.name)
        for wire in wires:
            wire.reset(now)
        out, back, _ = wires
        opened = out.send(back.send(now, 0), 0)

        def connect(time: int) -> None:
            if node.following is not following or following.connection is not None:
                return
            there = upstream is cluster.upstream(node) and self._reaches(node, upstream, time)
            if there and cluster.succession.diverged(node, upstream):
                cluster.succession.realign(node, time)
            elif there and self._served(node, upstream) and cluster.retention.holds(upstream, following.flushed):
                cluster.reconnect(node, time)
            elif not (there and self._served(node, upstream) and lose(cluster, node, time)):
                node.agenda.at(max(following.next_try, time + 1), Rank.MANAGER, node.place, again)

        node.agenda.at(opened, Rank.MANAGER, node.place, connect)

    def _reaches(self, node: Node, upstream: Node, now: int) -> bool:
        mute = self._cluster.mute
        return upstream.up and not mute(node, upstream, now) and not mute(upstream, node, now)

    def _served(self, node: Node, upstream: Node) -> bool:
        """Whether the upstream has what the standby asks for: it must know its timeline, and not be behind it.

        Source: PostgreSQL ``walsender.c:StartReplication`` ("requested starting point … is not in this server's
        history").
        """
        cluster, following = self._cluster, node.following
        assert following is not None
        known = timelines(cluster.branches, cluster.log_of(upstream).branch)
        return cluster.branches[following.log.branch].timeline in known and upstream.flushed >= following.flushed
