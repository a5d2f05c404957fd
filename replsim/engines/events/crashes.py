"""A node dies, and is there again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from replsim.engines.events.agenda import Rank
from replsim.scenario.faults import Crash

if TYPE_CHECKING:
    from replsim.engines.events.cluster import Cluster
    from replsim.engines.events.node import Node

__all__ = ["crash", "restart"]


def crash(cluster: Cluster, node: Node, fault: Crash, now: int) -> None:
    """A node dies.

    With its machine goes what it had not flushed; of a standby whose process alone dies, what it had written stays in
    the operating system's cache and is there when it starts again.  Peers of a process are told by its kernel,
    peers of a machine by nobody.  One that is being rewound, or waits for that, begins anew with it later.
    """
    told = fault.of == "process"
    following = node.following
    for connection in cluster.connections:
        if connection.standby is node:
            connection.standby_dies(now, told=told)
        elif connection.upstream is node:
            connection.upstream_dies(now, told=told, arrives=fault.in_flight == "arrives")
    if node.reign is not None:
        cluster.succession.falls(node, now)
    elif following is not None:
        following.ended = now
        node.kept = following.written(now) if told else following.flushed
        node.log = following.log
    node.gone, node.agent, node.deposed, node.down_since = not told, told, False, now
    node.end_life()
    cluster.succession.dies(node)
    for connection in cluster.connections:
        if not told and node in (connection.upstream, connection.standby):
            connection.watch(now)


def restart(cluster: Cluster, node: Node, now: int) -> None:
    """It is up again, with what was on its disk replayed.

    Those who still believe in a connection to it learn otherwise with the next thing that they say.
    """
    cluster.succession.returns(node, now)
    for connection in cluster.connections:
        if connection.upstream is node and not connection.lost:
            told = max(now, connection.receiver.status_due)
            connection.standby.agenda.at(told, Rank.ARRIVAL, connection.standby.place, connection.standby_loses)
