"""The faults of a scenario happen: what the windows of `Troubles` do not do by themselves."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from replsim.engines.events.agenda import Rank
from replsim.engines.events.connection import Connection
from replsim.engines.events.crashes import crash, restart
from replsim.engines.events.life import Life
from replsim.engines.events.troubles import concerns
from replsim.scenario.faults import Cancel, Crash, Cut, Fault, Partition, Pause, PauseReplay, Query, Restart, Switchover
from replsim.scenario.windows import Window

if TYPE_CHECKING:
    from replsim.engines.events.cluster import Cluster

__all__ = ["schedule"]


def schedule(cluster: Cluster) -> None:
    """Put the beginning and the end of every window on the agenda."""
    assert cluster.troubles is not None
    for window in cluster.troubles.windows:
        begin, end = _HANDLERS.get(type(window.fault), (None, None))
        _at(cluster, window.start, f"{window.fault.verb}", begin, window)
        if window.end > window.start and not isinstance(window.fault, Restart):
            _at(cluster, window.end, f"{window.fault.verb} ends", end, window)


def _at(
    cluster: Cluster,
    time: int,
    what: str,
    handler: Callable[[Cluster, Window, int], None] | None,
    window: Window,
) -> None:
    if time > cluster.scenario.duration:
        return

    def happen(now: int) -> None:
        if (window.place, window.start) in cluster.over:
            return
        cluster.note(now, _name(cluster, window.fault), what)
        if handler is not None:
            handler(cluster, window, now)

    cluster.agenda.at(time, Rank.FAULT, 0, happen)


def _name(cluster: Cluster, fault: Fault) -> str:
    """The node that an event is noted of: the first one that a fault names, else the primary of the moment."""
    text = str(fault).replace("->", " ").split()
    return next((word for word in text if word in cluster.nodes), cluster.succession.leader.name)


def _part(cluster: Cluster, window: Window, now: int) -> None:
    """A link is cut: a reset is known at once, a silent cut when something has not been heard for too long."""
    assert isinstance(window.fault, Cut | Partition)
    for connection in _open_connections(cluster):
        here, there = connection.upstream, connection.standby
        if not (concerns(window.fault, here.name, there.name) or concerns(window.fault, there.name, here.name)):
            continue
        if window.fault.how == "reset":
            connection.upstream_loses(now)
            connection.standby_loses(now)
        else:
            connection.watch(now)


def _pause(cluster: Cluster, window: Window, now: int) -> None:
    """A node's processes stand still, and its peers hear nothing from it."""
    node = cluster.nodes[str(window.fault.target)]
    if not node.up:
        return
    if node.reign is not None:
        node.reign.primary.attend(now)
        node.reign.transactions.hold(window.end)
    for connection in _open_connections(cluster):
        if connection.standby is node and not connection.lost:
            connection.receiver.finish(now - 1)
    assert isinstance(node.agenda, Life)
    node.agenda.pause(window.end)
    for connection in _open_connections(cluster):
        if node in (connection.upstream, connection.standby):
            connection.watch(now)


def _contest(cluster: Cluster, window: Window, now: int) -> None:
    """A query begins on a standby, or its replay goes on."""
    cluster.queries[str(window.fault.target)].contest(now)


def _crash(cluster: Cluster, window: Window, now: int) -> None:
    assert isinstance(window.fault, Crash)
    crash(cluster, cluster.nodes[window.fault.crash], window.fault, now)


def _restart(cluster: Cluster, window: Window, now: int) -> None:
    assert isinstance(window.fault, Crash)
    node = cluster.nodes[window.fault.crash]
    # A node that was down already when the crash came, being rebuilt or with its disk full, is not up again by this;
    # one that was stopped for a restart may have been started meanwhile.
    if node.down_since == window.start and not node.up:
        restart(cluster, node, now)


def _cancel(cluster: Cluster, window: Window, now: int) -> None:
    """The signal reaches the backends at once, or when their server goes on."""
    place = (*cluster.scenario.writers, *cluster.scenario.sessions).index(str(window.fault.target))
    for node in cluster.nodes.values():
        if node.reign is not None:
            node.agenda.at(now, Rank.FAULT, node.place, partial(node.reign.primary.cancel_all, place))


def _switch(cluster: Cluster, window: Window, now: int) -> None:
    assert isinstance(window.fault, Switchover)
    cluster.planned.switch(cluster.nodes[window.fault.switchover], now)


def _roll(cluster: Cluster, window: Window, now: int) -> None:
    assert isinstance(window.fault, Restart)
    assert window.fault.for_ is not None
    down = cluster.streams.draws(f"fault:restart:{window.place}:{window.start}:down", window.fault.for_).next
    cluster.planned.roll(window.fault, down, now)


def _open_connections(cluster: Cluster) -> list[Connection]:
    return [each for each in cluster.connections if not (each.lost and each.closed)]


_HANDLERS: Final[dict[type[Fault], tuple[Callable[..., None] | None, Callable[..., None] | None]]] = {
    Cut: (_part, None),
    Partition: (_part, None),
    Pause: (_pause, _contest),
    PauseReplay: (None, _contest),
    Query: (_contest, None),
    Crash: (_crash, _restart),
    Cancel: (_cancel, None),
    Switchover: (_switch, None),
    Restart: (_roll, None),
}
"""What a fault does when it begins and when it ends."""
