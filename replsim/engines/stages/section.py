"""A run in sections: each a record that holds no more than what matters to one stretch of time.

So memory does not grow with the duration of a run.  A section holds the commits that are not settled at its start (not
acknowledged, or not applied everywhere), the one before them, and all that came since; and of each position the last
step before its start.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from replsim.engines.stages.columns import Ints, chained, cut, joined, merged, trajectory
from replsim.engines.stages.log import Rows
from replsim.engines.stages.pipeline import Chunk, Pipeline
from replsim.record import ACKNOWLEDGED, OUTCOMES, PENDING, Record, Replies, Table, Trajectory, happenings
from replsim.rules.acks import LEVELS
from replsim.units import NEVER

__all__ = ["Sections"]

TIMES = ("submitted", "started", "inserted", "flushed", "visible", "acknowledged", "learned")
FOREVER = NEVER - 1


class Track(NamedTuple):
    """Steps of a position."""

    time: Ints
    lsn: Ints

    def since(self, time: int, lsn: int) -> Track:
        """The last step before ``time`` and all from then on, and those that reached ``lsn`` and what follows it."""
        before = int(np.searchsorted(self.time, time, side="right")) - 1
        return cut(self, slice(max(min(before, int(np.searchsorted(self.lsn, lsn))), 0), None))


class Settled(NamedTuple):
    """Commits with their answers."""

    group: NDArray[np.int16]
    submitted: Ints
    inserted: Ints
    lsn: Ints
    bytes: Ints
    flushed: Ints
    visible: Ints
    acknowledged: Ints


def _settled(rows: Rows, flushed: Ints, visible: Ints, acknowledged: Ints) -> Settled:
    return Settled(rows.group, rows.submitted, rows.inserted, rows.lsn, rows.bytes, flushed, visible, acknowledged)


class Sections:
    """The sections of one run.  ``reach`` is how far behind a section's end somebody may look at a node."""

    def __init__(self, pipeline: Pipeline, seed: int, reach: int) -> None:
        self._pipeline, self._seed, self._reach = pipeline, seed, reach
        none = np.empty(0, dtype=np.int64)
        self._commits = [Settled(np.empty(0, dtype=np.int16), *(none,) * 7)]
        """Those with answers that a section may still need, in pieces."""
        self._tracks = {
            (name, stage): Track(none, none)
            for name in pipeline.scenario.standbys
            for stage in ("sent", "receive", "write", "flush", "apply")
        }
        self._flush = Track(none, none)
        self._starts = none
        """When flushes of the primary began; each of `_targets` is where one of them ended."""
        self._targets = none
        self._until = 0

    def add(self, chunk: Chunk, horizon: int) -> Record | None:
        """What of the run is known by now and was not before, if there is anything."""
        scenario = self._pipeline.scenario
        last = horizon > scenario.duration
        self._take(chunk)
        end = scenario.duration if last else self._known(horizon) - self._reach
        if end <= self._until and not last:
            return None
        record = self._record((self._until, end), last=last)
        self._until = end
        self._drop(end)
        return record

    def _take(self, chunk: Chunk) -> None:
        answered = chunk.answered
        self._commits.append(_settled(answered.rows, *answered[1:]))
        self._flush = chained([self._flush, Track(chunk.flushes.ends, chunk.flushes.targets)])
        self._starts = joined([self._starts, chunk.flushes.starts])
        self._targets = joined([self._targets, chunk.flushes.targets])
        for name in self._pipeline.replicas:
            sent, received, moved = chunk.streamed[name]
            for stage, new in {
                "sent": Track(*sent),
                "receive": Track(*received),
                "write": Track(*moved.written),
                "flush": Track(*moved.flushed),
                "apply": Track(*moved.applied),
            }.items():
                self._tracks[name, stage] = chained([self._tracks[name, stage], new])

    def _known(self, horizon: int) -> int:
        """Up to when all is known that has happened."""
        pipeline = self._pipeline
        assert pipeline.log.rows is not None
        unanswered = pipeline.log.rows.inserted[pipeline.answers.row - pipeline.log.first :]
        known = {pipeline.scenario.primary.name: horizon}
        for name, replica in pipeline.replicas.items():
            known[name] = min(known[replica.upstream], replica.open_from)
        under_way = self._starts[len(self._targets) :]
        return min(*known.values(), *(int(each[0]) for each in (unanswered, under_way) if len(each)), horizon)

    def _record(self, stretch: tuple[int, int], *, last: bool) -> Record:
        scenario, end = self._pipeline.scenario, self._pipeline.scenario.duration if last else FOREVER
        name = scenario.primary.name
        commits, logged = self._all_commits(last=last)
        ended = self._starts[: len(self._targets)]
        positions: dict[str, dict[str, Trajectory]] = {
            name: {
                "insert": merged(commits.inserted[:logged], commits.lsn[:logged], ended, self._targets, end),
                "flush": trajectory(*self._flush, end),
            }
        }
        for standby in scenario.standbys:
            positions[standby] = {
                stage: trajectory(*self._tracks[standby, stage], end)
                for stage in ("sent", "receive", "write", "flush", "apply")
            }
        none = np.empty(0, dtype=np.int64)
        return Record(
            scenario,
            self._seed,
            "stages",
            self._table(commits, end),
            positions,
            {standby: Replies(none, none, none, none) for standby in scenario.standbys},
            {name: self._starts} | {each: self._tracks[each, "write"].time for each in scenario.standbys},
            happenings(scenario, self._pipeline.happened),
            stretch=stretch,
        )

    def _all_commits(self, *, last: bool) -> tuple[Settled, int]:
        """Those with answers, those in the log that have none yet, and at the end those that did not get there; and how
        many are in the log."""
        pipeline = self._pipeline
        assert pipeline.log.rows is not None
        rows = cut(pipeline.log.rows, slice(pipeline.answers.row - pipeline.log.first, None))
        never = np.full(len(rows.lsn), NEVER, dtype=np.int64)
        parts = [*self._commits, _settled(rows, never, never, never)]
        answered = sum(len(part.lsn) for part in self._commits)
        left = pipeline.intake.left() if last else None
        if left is not None:
            never = np.full(len(left.group), NEVER, dtype=np.int64)
            parts.append(Settled(left.group, left.submitted, never, never, left.size, never, never, never))
        commits = chained(parts)
        # What comes next is behind them: so each commit is copied once.
        self._commits = [cut(commits, slice(answered))]
        return commits, answered + len(rows.lsn)

    def _table(self, commits: Settled, end: int) -> Table:
        scenario = self._pipeline.scenario
        declared = [LEVELS.index(each.declared) for each in self._pipeline.intake.groups] or [0]
        visible, told = commits.visible, commits.acknowledged
        if end < FOREVER:
            visible, told = (np.where(each <= end, each, NEVER) for each in (visible, told))
        nothing = np.broadcast_to(np.int64(-1), len(told))
        columns: dict[str, NDArray[Any] | Callable[[], NDArray[Any]]] = {
            "writer": commits.group,
            "client": nothing,
            "key": nothing,
            "submitted": commits.submitted,
            "started": commits.submitted,
            "inserted": commits.inserted,
            "flushed": commits.flushed,
            "visible": visible,
            "acknowledged": told,
            "learned": told,
            "timeline": partial(np.ones, len(told), dtype=np.int32),
            "lsn": commits.lsn,
            "bytes": commits.bytes,
            "level": partial(np.take, np.array(declared, dtype=np.int8), commits.group),
            "outcome": np.where(told == NEVER, np.int8(PENDING), np.int8(ACKNOWLEDGED)),
        }
        names = (*scenario.writers, *scenario.sessions)
        return Table(columns, times=TIMES, words={"writer": names, "level": LEVELS, "outcome": OUTCOMES})

    def _drop(self, end: int) -> None:
        """Forget what no later section needs."""
        (commits,) = self._commits
        waiting = np.flatnonzero(commits.acknowledged > end)
        settled = int(waiting[0]) if len(waiting) else len(commits.lsn)
        count = int(np.searchsorted(self._flush.time, end, side="right"))
        flushed = int(self._flush.lsn[count - 1]) if count else 0
        settled = min(settled, int(np.searchsorted(commits.lsn, flushed, side="right")))
        for name in self._pipeline.replicas:
            track = self._tracks[name, "apply"]
            count = int(np.searchsorted(track.time, end, side="right"))
            applied = int(track.lsn[count - 1]) if count else 0
            settled = min(settled, int(np.searchsorted(commits.lsn, applied, side="right")))
        commits = cut(commits, slice(max(settled - 1, 0), None))
        self._commits = [commits]
        lsn = int(commits.lsn[0]) if len(commits.lsn) else 0
        for key, track in self._tracks.items():
            self._tracks[key] = track.since(end, lsn)
        self._flush = self._flush.since(end, lsn)
        passed = max(int(np.searchsorted(self._starts[: len(self._targets)], end, side="right")) - 1, 0)
        self._starts, self._targets = self._starts[passed:], self._targets[passed:]
