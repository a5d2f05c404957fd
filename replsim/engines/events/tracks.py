"""The positions of a node over the whole run, put together from its lives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from replsim.engines.events.columns import Ints, ints, steps
from replsim.engines.events.following import Following
from replsim.engines.events.reign import Reign
from replsim.engines.events.retaining import Kept
from replsim.record import Branch, Replies, Trajectory
from replsim.record.branch import coded
from replsim.units import NEVER

if TYPE_CHECKING:
    from replsim.engines.events.cluster import Cluster
    from replsim.engines.events.node import Node

__all__ = ["node_positions", "node_replies", "reign_flush"]


class Track(NamedTuple):
    """Some steps of one position, coded."""

    time: Ints
    code: Ints


def node_positions(cluster: Cluster, node: Node, inserted: Sequence[Ints], end: int) -> dict[str, Trajectory]:
    """Every stage of a node; ``inserted`` holds the times of the commits of each reign's own."""
    found: dict[str, list[Track]] = {}
    for life in node.lives:
        upto = min(end, life.ended)
        if isinstance(life, Reign):
            own = inserted[cluster.reigns.index(life)]
            tracks = {
                "insert": _insert(cluster.branches, life, own, upto),
                "flush": _flush(cluster.branches, life, upto),
            }
            if len(cluster.branches) > 1:
                # Where primaries come and go, whoever reigns has applied what it has inserted.
                tracks["apply"] = tracks["insert"]
        else:
            tracks = _standby(cluster.branches, life, upto)
        for stage, track in tracks.items():
            found.setdefault(stage, []).append(track)
    if cluster.retention.active:
        found["kept"] = _kept(cluster.branches, cluster.retention.kept[node.name], end)
    return {stage: _joined(tracks) for stage, tracks in found.items()}


def reign_flush(cluster: Cluster, reign: Reign, end: int) -> Trajectory:
    """The flush position of one reign; the first step is where it began."""
    return _joined([_flush(cluster.branches, reign, min(end, reign.ended))])


def node_replies(cluster: Cluster, node: Node, end: int) -> Replies:
    """All that a standby has told its upstreams; what it said of replay follows from what was replayed when it did."""
    parts: list[tuple[Ints, ...]] = []
    places: list[Ints] = []
    for life in node.lives:
        if not isinstance(life, Following):
            continue
        replayed = life.replay.trajectory(end)
        applied = Trajectory.of(*replayed)
        for connection in life.connections:
            time, sent, write, flush = connection.uplink.columns(end)
            # A reply that leaves at the very moment of a flush or a replay speaks of what was flushed before it.
            flushed_and_applied = replayed[1][np.maximum(np.searchsorted(replayed[1], flush, side="right") - 1, 0)]
            told = (write, flush, np.minimum(applied.at(sent), flushed_and_applied))
            parts.append((time, *(_coded(cluster.branches, life, sent, each) for each in told)))
            places.append(np.full(len(time), cluster.scenario.nodes.index(connection.upstream.name)))
    time, write, flush, apply = (_together([part[k] for part in parts]) for k in range(4))
    upstream = _together(places) if len(cluster.branches) > 1 else None
    replies = Replies(time, write, flush, apply, upstream)
    return replies if upstream is None else _in_order(replies, upstream)


def _in_order(replies: Replies, upstream: Ints) -> Replies:
    """Replies to several upstreams: one of them may still read what is on its way when the next has heard already."""
    order = np.argsort(replies.time, kind="stable")
    columns = (replies.time, replies.write, replies.flush, replies.apply, upstream)
    return Replies(*(column[order] for column in columns))


def _standby(branches: Sequence[Branch], life: Following, end: int) -> dict[str, Track]:
    batches = life.replay.positions
    sent, receive = [], []
    # What an upstream that has not noticed still sends once the standby has another is nothing that it will receive.
    ends = [*(each.opened - 1 for each in life.connections), end][1:]
    for connection, upto in zip(life.connections, ends, strict=False):
        sent.append(steps(connection.sender.times, connection.sender.positions, min(upto, end)))
        receive.append(steps(connection.receiver.arrivals, connection.sender.positions, min(upto, end)))
    if not life.connections:
        # What comes from the archive is sent when it is received.
        sent.append(steps(*life.received(), end))
        receive.append(steps(*life.received(), end))
    starts = life.node.device.starts[life.first_flush : life.first_flush + len(batches)]
    flushes = life.flushes()
    track = partial(_track, branches, life)
    return {
        "sent": track(sent),
        "receive": track(receive),
        "write": track([steps(starts, batches, end)]),
        "flush": track([steps(flushes, batches, end)]),
        "apply": track([life.replay.trajectory(end)], begins=False),
    }


def _insert(branches: Sequence[Branch], reign: Reign, inserted: Ints, end: int) -> Track:
    """The primary's insert position: at each commit record, and at each flush's start what it was about to flush."""
    flushes = ints(reign.primary.flush_positions)
    starts = ints(reign.node.device.starts)[reign.first_flush : reign.first_flush + len(flushes)]
    time = np.concatenate([inserted, starts])
    lsn = np.concatenate([ints(reign.log.lsn)[reign.log.first :], flushes])
    order = np.lexsort((lsn, time))
    time, lsn = time[order], lsn[order]
    upto = int(np.searchsorted(time, end, side="right"))
    return _track(branches, reign, [(time[:upto], np.maximum.accumulate(lsn[:upto]) if upto else lsn[:upto])])


def _kept(branches: Sequence[Branch], kept: Kept, end: int) -> list[Track]:
    """Where the WAL begins that a node has, branch by branch."""
    branch, time, lsn = ints(kept.branches), ints(kept.times), ints(kept.positions)
    mine = [np.flatnonzero((branch == each) & (time <= end)) for each in np.unique(branch)]
    return [Track(time[at], coded(branches, int(branch[at[0]]), time[at], lsn[at])) for at in mine if len(at)]


def _flush(branches: Sequence[Branch], reign: Reign, end: int) -> Track:
    return _track(branches, reign, [steps(reign.primary.flushes, reign.primary.flush_positions, end)])


def _track(
    branches: Sequence[Branch], life: Reign | Following, parts: Iterable[tuple[Ints, Ints]], *, begins: bool = True
) -> Track:
    """One life's steps; it begins with what it starts from."""
    columns = [(np.array([life.began]), np.array([life.start]))] if begins and life.start else []
    columns += parts
    time, lsn = (_together([part[k] for part in columns]) for k in range(2))
    return Track(time, _coded(branches, life, time, lsn))


def _coded(branches: Sequence[Branch], life: Reign | Following, time: Ints, lsn: Ints) -> Ints:
    """Positions of one life, each along the history that it was on at the time."""
    if isinstance(life, Reign) or len(life.histories) == 1:
        return coded(branches, life.log.branch, time, lsn)
    code = lsn.copy()
    for (since, branch), until in zip(
        life.histories, [*(since for since, _ in life.histories[1:]), NEVER], strict=True
    ):
        mine = (since <= time) & (time < until)
        code[mine] = coded(branches, branch, time[mine], lsn[mine])
    return code


def _joined(tracks: Sequence[Track]) -> Trajectory:
    """The steps of several lives, in order.  What is received, written or flushed again is no step."""
    time, code = (_together([track[k] for track in tracks]) for k in range(2))
    if np.any(np.diff(code) < 0) or np.any(np.diff(time) < 0):
        order = np.argsort(time, kind="stable")
        time, code = time[order], np.maximum.accumulate(code[order])
    return Trajectory.of(time, code)


def _together(parts: Sequence[Ints]) -> Ints:
    """Stretches of one column, one after the other; one alone is not copied."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts or [np.empty(0, np.int64)])
