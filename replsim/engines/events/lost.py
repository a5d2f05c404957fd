"""Standbys that need WAL which their upstream does not have any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from replsim.engines.events.agenda import Rank
from replsim.engines.events.restoring import Restoring
from replsim.units import SECOND

if TYPE_CHECKING:
    from replsim.engines.events.cluster import Cluster
    from replsim.engines.events.following import Following
    from replsim.engines.events.node import Node
    from replsim.scenario.nodes import Rebuild

__all__ = ["lose"]


def lose(cluster: Cluster, node: Node, now: int) -> bool:
    """A standby was refused: the WAL that it asks for has been removed.  Returns whether anything is done about it.

    It goes to the archive, if there is one, and else waits for a new base backup; without either it asks again, in
    vain.  Source: PostgreSQL ``walsender.c:XLogSendPhysical`` ("requested WAL segment … has already been removed").
    """
    following = node.following
    assert following is not None
    if following.replay.free > now:
        # It asks for more only when it has replayed all that it has.
        return False
    if not following.lost:
        following.lost = True
        cluster.note(now, node.name, "lost")
    if cluster.scenario.archive is not None:
        _restore(cluster, node, following, now)
        return True
    rebuild = cluster.standby_settings(node.name).rebuild
    if rebuild is not None:
        _rebuild(cluster, node, following, rebuild, now)
        return True
    return False


def _restore(cluster: Cluster, node: Node, following: Following, now: int) -> None:
    """File by file, as far as the archive goes; then it streams again."""
    archive, size = cluster.scenario.archive, cluster.scenario.primary.wal_segment_size
    assert archive is not None
    takes = size * SECOND // archive.bandwidth
    following.ended = now
    life = Restoring(cluster, node, following.log, start=following.flushed, now=now)
    node.following = life
    node.lives.append(life)
    cluster.note(now, node.name, "restoring")

    def fetch(time: int) -> None:
        if node.following is not life or cluster.succession.promoting is node:
            return
        upstream = cluster.upstream(node)
        position = (life.flushed // size + 1) * size
        if (
            upstream is None
            or not upstream.up
            or cluster.succession.diverged(node, upstream)
            or position > upstream.flushed
        ):
            node.agenda.at(max(time, life.replay.free), Rank.MANAGER, node.place, stream)
        else:
            life.follow(cluster.log_of(upstream), time)
            node.agenda.at(time + takes, Rank.MANAGER, node.place, lambda then: fetched(then, position))

    def fetched(time: int, position: int) -> None:
        if node.following is life:
            life.take(time, position)
            node.agenda.at(max(time, life.replay.free), Rank.MANAGER, node.place, fetch)

    def stream(time: int) -> None:
        if node.following is life and cluster.succession.promoting is not node:
            life.ended = time
            cluster.follow(node, life.log, start=life.flushed, now=time)
            cluster.reconnecting.begin(node, time)

    fetch(now)


def _rebuild(cluster: Cluster, node: Node, following: Following, rebuild: Rebuild, now: int) -> None:
    """A new base backup of its upstream, which keeps what is written meanwhile; until it is copied, the node is down.

    Simplification: what is written meanwhile is streamed after the copy, not beside it.
    """

    def begin(time: int) -> None:
        if node.following is not following or following.connection is not None:
            return
        source = cluster.upstream(node)
        if source is None or not source.up:
            node.agenda.at(time + SECOND, Rank.MANAGER, node.place, begin)
            return
        following.ended = time
        node.kept, node.log = following.flushed, following.log
        node.end_life()
        node.begin_life(cluster.agenda)
        copy(source, time)

    def copy(source: Node, time: int) -> None:
        cluster.note(time, node.name, "rebuilding")
        start = source.flushed
        cluster.retention.copies(node, source, start)
        takes = rebuild.data * SECOND // rebuild.bandwidth
        node.agenda.at(time + takes, Rank.MANAGER, node.place, lambda then: copied(source, start, then))

    def copied(source: Node, start: int, time: int) -> None:
        if not source.up or cluster.upstream(node) is not source:
            again(time)
            return
        node.log = cluster.log_of(source)
        cluster.retention.begins_anew(node, time, start, copied=True)
        cluster.note(time, node.name, "rebuilt")
        cluster.follow(node, node.log, start=start, now=time)
        cluster.reconnecting.begin(node, time)

    def again(time: int) -> None:
        """The backup's source is gone."""
        source = cluster.upstream(node)
        if source is not None and source.up:
            copy(source, time)
        else:
            node.agenda.at(time + SECOND, Rank.MANAGER, node.place, again)

    node.agenda.at(now + rebuild.after, Rank.MANAGER, node.place, begin)
