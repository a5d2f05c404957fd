"""How far each node was at each moment, from all that was witnessed of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from replsim.engines.postgres.observed import MICROSECOND, Observed
from replsim.engines.postgres.proxy import Heard
from replsim.record import Replies, Trajectory
from replsim.units import NEVER

__all__ = ["Life", "Points", "Witness", "lives", "positions", "replies", "standby_flushes"]

Ints = NDArray[np.int64]
Witness = tuple[Ints, Ints]
"""Moments, and positions that had been reached by them."""

_NOTHING = np.empty(0, dtype=np.int64)


class Points:
    """What witnesses say of one position."""

    def __init__(self, *witnesses: Witness) -> None:
        self.time = np.concatenate([_NOTHING, *(time for time, _ in witnesses)])
        self.lsn = np.concatenate([_NOTHING, *(lsn for _, lsn in witnesses)])

    def __or__(self, other: Points) -> Points:
        return Points((self.time, self.lsn), (other.time, other.lsn))

    def within(self, start: int, end: int) -> Points:
        """What was said from ``start`` up to ``end``."""
        inside = (self.time >= start) & (self.time <= end)
        return Points((self.time[inside], self.lsn[inside]))

    def trajectory(self, end: int) -> Trajectory:
        """The highest position that anybody had seen by each moment up to ``end``."""
        order = np.lexsort((self.lsn, self.time))
        time, lsn = self.time[order], np.maximum.accumulate(self.lsn[order])
        kept = (time >= 0) & (time <= end) & (lsn > 0)
        return Trajectory.of(time[kept], lsn[kept])


class Life(NamedTuple):
    """A stretch of a run in which a node streamed from an upstream, or was the primary (with no upstream)."""

    node: str
    upstream: str | None
    branch: int
    start: int
    end: int


def lives(observed: Observed) -> list[Life]:
    """Every life of every node: the primary's first, then each standby's after its upstream's."""
    scenario, end = observed.scenario, observed.scenario.duration
    if len(observed.branches) < 2:
        return [Life(scenario.primary.name, None, 0, 0, end), *(Life(*each, 0, 0, end) for each in _streams(observed))]
    promoted = observed.branches[1]
    before = [Life(scenario.primary.name, None, 0, 0, promoted.start)]
    before += [Life(*each, 0, 0, promoted.start) for each in _streams(observed)]
    after = [Life(promoted.node, None, 1, promoted.start, end)]
    for name in scenario.standbys:
        heard = observed.heard.get((promoted.node, name))
        if heard is not None and len(heard.wal):
            after.append(Life(name, promoted.node, 1, promoted.start, end))
    return before + after


def positions(
    observed: Observed, inserted: Sequence[Witness], flushed: Sequence[Witness]
) -> dict[str, dict[str, Trajectory]]:
    """Every node's stages.  ``inserted`` and ``flushed`` are what the commits of each branch testify of its primary.

    A stage that comes before another is reached no later, whoever saw which: so what was applied at a moment had been
    flushed by then, and so on upwards to the primary's insertion.
    """
    points: dict[str, dict[str, Points]] = {name: {} for name in observed.scenario.nodes}
    needed: dict[tuple[str, int], Points] = {}
    for life in reversed(lives(observed)):
        below = needed.pop((life.node, life.branch), Points())
        if life.upstream is None:
            own = _primary(observed, life, below, inserted[life.branch], flushed[life.branch])
        else:
            own = _standby(observed, life, below)
            above = (life.upstream, life.branch)
            needed[above] = needed.get(above, Points()) | own["sent"] | _told(observed, life)
        for stage, said in own.items():
            points[life.node][stage] = points[life.node].get(stage, Points()) | said.within(life.start, life.end)
    end = observed.scenario.duration
    return {node: {stage: said.trajectory(end) for stage, said in _in_order(stages)} for node, stages in points.items()}


def _primary(observed: Observed, life: Life, below: Points, inserted: Witness, flushed: Witness) -> dict[str, Points]:
    looked, ahead, behind = _looks(observed, life, standby=False)
    flush = Points((looked, behind), flushed) | below
    return {"insert": Points((looked, ahead), inserted) | flush, "flush": flush}


def _standby(observed: Observed, life: Life, below: Points) -> dict[str, Points]:
    heard = _heard(observed, life)
    looked, received, replayed = _looks(observed, life, standby=True)
    made = heard.replies[:, 5] + MICROSECOND - observed.zero
    write, flush, apply = ((made, observed.code(life.branch, made, heard.replies[:, place])) for place in (2, 3, 4))
    read, handed = heard.wal[:, 0] - observed.zero, heard.wal[:, 1]
    ends = observed.code(life.branch, read, heard.wal[:, 2])
    there = handed < NEVER
    chain = {
        "apply": Points(apply, (looked, replayed)),
        "flush": Points(flush, (looked, received)) | below,
        "write": Points(write),
        "receive": Points((handed[there] - observed.zero, ends[there])),
        "sent": Points((read, ends)),
    }
    reached = Points()
    for stage, own in chain.items():
        chain[stage] = reached = own | reached
    return chain


def _told(observed: Observed, life: Life) -> Points:
    """What the upstream said of its own flush position in each message of WAL."""
    wal = _heard(observed, life).wal
    made = wal[:, 4] + MICROSECOND - observed.zero
    return Points((made, observed.code(life.branch, made, wal[:, 3])))


def _heard(observed: Observed, life: Life) -> Heard:
    assert life.upstream is not None
    return observed.heard[life.upstream, life.node]


def _looks(observed: Observed, life: Life, *, standby: bool) -> tuple[Ints, Ints, Ints]:
    """When a node was looked at and was what it is in this life, and its two positions."""
    seen = observed.seen[life.node]
    time = observed.since(seen[:, 3])
    kept = (seen[:, 0] == standby) & (time >= life.start) & (time <= life.end)
    time, seen = time[kept], seen[kept]
    ahead, behind = (observed.code(life.branch, time, seen[:, place]) for place in (1, 2))
    return time, ahead, behind


def replies(observed: Observed, name: str) -> Replies:
    """The replies of a standby that its upstreams had by the end."""
    columns: list[list[Ints]] = [[_NOTHING], [_NOTHING], [_NOTHING], [_NOTHING]]
    for life in lives(observed):
        if life.node != name or life.upstream is None:
            continue
        found = _heard(observed, life).replies
        time = found[:, 1] - observed.zero
        kept = (found[:, 1] < NEVER) & (time >= life.start) & (time <= life.end)
        columns[0].append(time[kept])
        for place, column in zip((2, 3, 4), columns[1:], strict=True):
            told = np.maximum(found[kept, place], observed.base)
            column.append(observed.code(life.branch, time[kept], told))
    return Replies(*(np.concatenate(column) for column in columns))


def standby_flushes(observed: Observed, name: str) -> Ints:
    """When each flush of a standby began: its walreceiver replies just before it, and again just after."""
    starts = [_NOTHING]
    for life in lives(observed):
        if life.node == name and life.upstream is not None:
            found = _heard(observed, life).replies
            made = found[:, 5] - observed.zero
            rises = made[np.flatnonzero(np.diff(found[:, 3]) > 0)]
            starts.append(rises[(rises >= life.start) & (rises <= life.end)])
    return np.concatenate(starts)


def _streams(observed: Observed) -> Iterator[tuple[str, str]]:
    """Each standby and its upstream as the scenario has them, upstreams first."""
    scenario = observed.scenario
    found: list[str] = []
    while len(found) < len(scenario.standbys):
        for name in scenario.standbys:
            if name not in found and scenario.upstream(name) in (scenario.primary.name, *found):
                found.append(name)
                yield name, scenario.upstream(name)


def _in_order(stages: dict[str, Points]) -> Iterator[tuple[str, Points]]:
    """Stages along the way of the WAL."""
    for stage in ("insert", "sent", "receive", "write", "flush", "apply"):
        if stage in stages:
            yield stage, stages[stage]
