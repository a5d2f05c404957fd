"""From what was observed to the record of a run."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from replsim.engines.postgres.observed import MICROSECOND, Observed
from replsim.engines.postgres.positions import Witness, positions, replies, standby_flushes
from replsim.engines.postgres.transactions import LOCALLY, PENDING, TOLD
from replsim.engines.postgres.waldump import Commit
from replsim.record import OUTCOMES, Record, Table, Trajectory
from replsim.rules.acks import LEVELS
from replsim.scenario import Scenario
from replsim.scenario.rows import rows_written
from replsim.units import NEVER

__all__ = ["harvest"]

Ints = NDArray[np.int64]

TIMES: Final = ("submitted", "started", "inserted", "flushed", "visible", "acknowledged", "learned")


def harvest(observed: Observed) -> Record:
    """The record of a run on real servers."""
    scenario = observed.scenario
    made = _Commits(observed)
    branches = range(max(len(observed.branches), 1))
    found = positions(observed, [made.inserted(each) for each in branches], [made.flushed(each) for each in branches])
    primaries = [scenario.primary.name, *(branch.node for branch in observed.branches[1:])]
    commits = made.table([found[node]["flush"] for node in primaries])
    starts = {name: standby_flushes(observed, name) for name in scenario.standbys}
    starts[scenario.primary.name] = _primary_flushes(scenario, commits, found[scenario.primary.name]["flush"])
    told = {name: replies(observed, name) for name in scenario.standbys}
    starts = {name: starts[name] for name in scenario.nodes}
    return Record(
        scenario, observed.seed, "postgres", commits, found, told, starts, _events(observed), observed.notes,
        tuple(replace(branch, first=made.first(place)) for place, branch in enumerate(observed.branches)),
    )  # fmt: skip


def _events(observed: Observed) -> Table:
    """What was done to the servers, when it was done."""
    nodes = observed.scenario.nodes
    words = tuple(dict.fromkeys(("checkpoint", *(each.what for each in observed.happened))))
    columns: dict[str, NDArray[np.generic]] = {
        "time": np.array([each.time for each in observed.happened], dtype=np.int64),
        "node": np.array([nodes.index(each.node) for each in observed.happened], dtype=np.int16),
        "what": np.array([words.index(each.what) for each in observed.happened], dtype=np.int8),
    }
    return Table(columns, times=("time",), words={"node": nodes, "what": words})


def _primary_flushes(scenario: Scenario, commits: Table, flush: Trajectory) -> Ints:
    """When each flush of the primary began, as the mechanism has it: when a commit waited for it and the last one had
    ended.  A flush that nobody waits for (the WAL writer's) is taken to begin where it ended.

    Where no standby listens, only our looks saw flushes, which is not all of them: then none is given.
    """
    if not scenario.direct or not len(flush):
        return np.empty(0, dtype=np.int64)
    waits = (commits["lsn"] != NEVER) & (commits["timeline"] == 1) & (commits["level"] > LEVELS.index("off"))
    before = np.concatenate([[0], flush.lsn[:-1]])
    first = np.searchsorted(commits["lsn"][waits], before, side="right")
    inserted = np.append(commits["inserted"][waits], NEVER)[first]
    starts = np.maximum(np.concatenate([[0], flush.time[:-1]]), inserted)
    return np.where(starts <= flush.time, starts, flush.time)


class _Commits:
    """The transactions, joined: what clients saw, and what the WAL says."""

    def __init__(self, observed: Observed) -> None:
        self._observed = observed
        self._end = observed.scenario.duration
        rows = {field: column[observed.rows["submitted"] <= self._end] for field, column in observed.rows.items()}
        keys = zip(rows["group"].tolist(), rows["number"].tolist(), strict=True)
        found = [self._found(observed.wal.get(key)) for key in keys]
        branch, inserted, lsn, size = np.array(found, dtype=np.int64).reshape(-1, 4).T
        order = np.lexsort((rows["submitted"], lsn, branch))
        self._rows = {field: column[order] for field, column in rows.items()}
        self._branch, self._inserted, self._lsn, self._size = (each[order] for each in (branch, inserted, lsn, size))
        self._count = int(np.count_nonzero(self._lsn != NEVER))
        for each in range(max(len(observed.branches), 1)):
            # A commit's moment is taken just before its record has its place: two may be the wrong way round by a hair.
            mine = self._branch == each
            self._inserted[mine] = np.maximum.accumulate(self._inserted[mine])
        writers = observed.scenario.writers.values()
        levels = [LEVELS.index(observed.scenario.level(writer.synchronous_commit)) for writer in writers]
        self._level = np.array(levels or [0], dtype=np.int8)[self._rows["group"]]

    def _found(self, said: tuple[int, Commit] | None) -> tuple[int, int, int, int]:
        """Branch, moment, end and size of a commit; of one that was not made by the end, `NEVER` and nothing."""
        never = (NEVER, NEVER, NEVER, 0)
        if said is None:
            return never
        branch, commit = said
        inserted = commit.made * MICROSECOND - self._observed.origin - self._observed.zero
        return (branch, inserted, commit.end - self._observed.base, commit.size) if inserted <= self._end else never

    def _code(self, rows: Ints, time: Ints, branch: int) -> Ints:
        return self._observed.code(branch, time, self._lsn[rows] + self._observed.base)

    def first(self, branch: int) -> int:
        """The first row of a branch's own commits."""
        return int(np.searchsorted(self._branch, branch))

    def inserted(self, branch: int) -> Witness:
        """When the insert position of a branch's primary had passed each of its commits."""
        mine = np.flatnonzero(self._branch == branch)
        return self._inserted[mine], self._code(mine, self._inserted[mine], branch)

    def flushed(self, branch: int) -> Witness:
        """Whoever has the answer to a commit that waits for the primary's flush testifies to it."""
        answered = self._rows["visible"] < NEVER
        told = np.flatnonzero((self._branch == branch) & answered & (self._level > LEVELS.index("off")))
        return self._rows["visible"][told], self._code(told, self._rows["visible"][told], branch)

    def table(self, flushes: list[Trajectory]) -> Table:
        """The commits of a record; ``flushes`` are the flush positions of each branch's primary."""
        scenario, rows = self._observed.scenario, self._rows
        told = np.isin(rows["outcome"], (TOLD, LOCALLY))
        lacking = told & (rows["acknowledged"] <= self._end) & (self._lsn == NEVER)
        assert not lacking.any(), "the WAL lacks what was acknowledged"
        outcome = np.where(told & (rows["acknowledged"] > self._end), PENDING, rows["outcome"])
        flushed = np.full(len(self._lsn), NEVER, dtype=np.int64)
        for branch, flush in enumerate(flushes):
            mine = np.flatnonzero(self._branch == branch)
            flushed[mine] = flush.crossing(self._code(mine, self._inserted[mine], branch))
        columns: dict[str, NDArray[np.generic]] = {
            "writer": rows["group"].astype(np.int16),
            "client": rows["client"],
            "key": rows_written(scenario, self._observed.seed, rows["group"], rows["number"], rows["client"]),
            "submitted": rows["submitted"],
            "started": self._until_end(rows["started"]),
            "inserted": self._inserted,
            "flushed": flushed,
            "visible": self._until_end(rows["visible"]),
            "acknowledged": self._until_end(rows["acknowledged"]),
            "learned": self._until_end(rows["learned"]),
            "timeline": np.where(self._branch == 1, 2, 1).astype(np.int32),
            "lsn": self._lsn,
            "bytes": self._size,
            "level": self._level,
            "outcome": outcome.astype(np.int8),
        }
        words = {"writer": tuple(scenario.writers), "level": LEVELS, "outcome": OUTCOMES}
        return Table(columns, times=TIMES, words=words)

    def _until_end(self, times: Ints) -> Ints:
        return np.where(times <= self._end, times, NEVER)
