"""From what was observed to the record of a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from replsim.engines.postgres.injections import Happened
from replsim.engines.postgres.proxy import Heard
from replsim.engines.postgres.transactions import LOCALLY, PENDING, TOLD
from replsim.engines.postgres.waldump import Commit
from replsim.record import OUTCOMES, Record, Replies, Table, Trajectory
from replsim.rules.acks import LEVELS
from replsim.scenario import Scenario
from replsim.scenario.rows import rows_written
from replsim.units import NEVER

__all__ = ["Observed", "harvest"]

Ints = NDArray[np.int64]

MICROSECOND: Final = 1000
TIMES: Final = ("submitted", "started", "inserted", "flushed", "visible", "acknowledged", "learned")


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """All that was observed, as it was: `harvest` brings it to the run's clock and to positions from its start."""

    scenario: Scenario
    seed: int
    origin: int
    """Nanoseconds since 1970 from which the proxies' times count."""
    zero: int
    """The run's start, counted from there."""
    base: int
    """Where the WAL ended then."""
    rows: Mapping[str, Ints]
    """The transactions as their clients saw them, in nanoseconds since the run's start."""
    heard: Mapping[tuple[str, str], Heard]
    """What passed on each link."""
    seen: Mapping[str, Ints]
    """What each node showed when it was looked at."""
    who: Mapping[tuple[int, int], int]
    """The server's number of a writer's transaction."""
    wal: Mapping[int, Commit]
    """What the WAL says of each transaction by that number."""
    happened: tuple[Happened, ...]
    """What was done to the servers."""
    notes: tuple[str, ...]


class _Points:
    """Moments by which a position had been reached, from one witness or several."""

    def __init__(self, *parts: tuple[Ints, Ints]) -> None:
        self.time = np.concatenate([time for time, _ in parts]) if parts else np.empty(0, dtype=np.int64)
        self.lsn = np.concatenate([lsn for _, lsn in parts]) if parts else np.empty(0, dtype=np.int64)

    def __or__(self, other: _Points) -> _Points:
        return _Points((self.time, self.lsn), (other.time, other.lsn))

    def trajectory(self, end: int) -> Trajectory:
        """The highest position that anybody had seen by each moment up to ``end``."""
        order = np.lexsort((self.lsn, self.time))
        time, lsn = self.time[order], np.maximum.accumulate(self.lsn[order]) if len(order) else self.lsn
        kept = (time >= 0) & (time <= end) & (lsn > 0)
        return Trajectory.of(time[kept], lsn[kept])


def harvest(observed: Observed) -> Record:
    """The record of a run on real servers."""
    scenario = observed.scenario
    end, primary = scenario.duration, scenario.primary.name
    made = _Commits(observed)
    points = _positions(observed, made)
    positions = {
        node: {stage: found.trajectory(end) for stage, found in stages.items()} for node, stages in points.items()
    }
    replies = {name: _replies(observed, name, end) for name in scenario.standbys}
    commits = made.table(positions[primary]["flush"])
    starts = {primary: _primary_flushes(scenario, commits, positions[primary]["flush"])}
    starts |= {name: _standby_flushes(observed, name, end) for name in scenario.standbys}
    return Record(
        scenario, observed.seed, "postgres", commits, positions, replies, starts, _events(observed), observed.notes
    )


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


def _positions(observed: Observed, made: _Commits) -> dict[str, dict[str, _Points]]:
    """Each node's points at each stage.

    A stage that comes before another is reached no later, whoever saw which: so what was applied at a moment had been
    flushed by then, and so on upwards to the primary's insertion.
    """
    scenario = observed.scenario
    points: dict[str, dict[str, _Points]] = {}
    needed: dict[str, _Points] = {name: _Points() for name in scenario.nodes}
    for name in reversed(_downwards(scenario)):
        heard = observed.heard[scenario.upstream(name), name]
        time = heard.replies[:, 5] + MICROSECOND - observed.zero
        write, flush, apply = ((time, heard.replies[:, place] - observed.base) for place in (2, 3, 4))
        looked, received, replayed = _looks(observed, name)
        ends = heard.wal[:, 2] - observed.base
        handed = heard.wal[:, 1] < NEVER
        chain = {
            "apply": _Points(apply, (looked, replayed)),
            "flush": _Points(flush, (looked, received)) | needed[name],
            "write": _Points(write),
            "receive": _Points((heard.wal[handed, 1] - observed.zero, ends[handed])),
            "sent": _Points((heard.wal[:, 0] - observed.zero, ends)),
        }
        reached = _Points()
        for stage, own in chain.items():
            chain[stage] = reached = own | reached
        points[name] = dict(reversed(chain.items()))
        upstream = scenario.upstream(name)
        flushed = _Points((heard.wal[:, 4] + MICROSECOND - observed.zero, heard.wal[:, 3] - observed.base))
        needed[upstream] = needed[upstream] | reached | flushed
    primary = scenario.primary.name
    looked, inserted, flushed_there = _looks(observed, primary)
    flushed = _Points((looked, flushed_there), made.flushed()) | needed[primary]
    points[primary] = {"insert": _Points((looked, inserted), made.inserted()) | flushed, "flush": flushed}
    return {name: points[name] for name in scenario.nodes}


def _downwards(scenario: Scenario) -> list[str]:
    """The standbys, each after its upstream."""
    found: list[str] = []
    while len(found) < len(scenario.standbys):
        found += [
            name
            for name in scenario.standbys
            if name not in found and scenario.upstream(name) in (scenario.primary.name, *found)
        ]
    return found


def _looks(observed: Observed, node: str) -> tuple[Ints, Ints, Ints]:
    """When a node was looked at, and its two positions."""
    seen = observed.seen[node]
    time = seen[:, 3] * MICROSECOND + MICROSECOND - observed.origin - observed.zero
    return time, seen[:, 1] - observed.base, seen[:, 2] - observed.base


def _replies(observed: Observed, name: str, end: int) -> Replies:
    """The replies that a standby's upstream had by the end."""
    found = observed.heard[observed.scenario.upstream(name), name].replies
    time = found[:, 1] - observed.zero
    kept = (found[:, 1] < NEVER) & (time >= 0) & (time <= end)
    write, flush, apply = (np.maximum(found[kept, place] - observed.base, 0) for place in (2, 3, 4))
    return Replies(time[kept], write, flush, apply)


def _primary_flushes(scenario: Scenario, commits: Table, flush: Trajectory) -> Ints:
    """When each flush of the primary began, as the mechanism has it: when there was WAL and the last one had ended.

    Where no standby listens, only our looks saw flushes, which is not all of them: then none is given.
    """
    if not scenario.direct or not len(flush):
        return np.empty(0, dtype=np.int64)
    lsn = commits["lsn"][commits["lsn"] != NEVER]
    before = np.concatenate([[0], flush.lsn[:-1]])
    first = np.searchsorted(lsn, before, side="right")
    inserted = np.append(commits["inserted"][: len(lsn)], NEVER)[first]
    starts = np.maximum(np.concatenate([[0], flush.time[:-1]]), inserted)
    return np.where(starts <= flush.time, starts, flush.time)


def _standby_flushes(observed: Observed, name: str, end: int) -> Ints:
    """When each flush of a standby began: its walreceiver replies just before it, and again just after."""
    replies = observed.heard[observed.scenario.upstream(name), name].replies
    made = replies[:, 5] - observed.zero
    rises = np.flatnonzero(np.diff(replies[:, 3]) > 0)
    starts = made[rises]
    kept: Ints = starts[(starts >= 0) & (starts <= end)]
    return kept


class _Commits:
    """The transactions, joined: what clients saw, and what the WAL says."""

    def __init__(self, observed: Observed) -> None:
        self._observed = observed
        scenario = observed.scenario
        self._end = scenario.duration
        rows = {field: column[observed.rows["submitted"] <= self._end] for field, column in observed.rows.items()}
        count = len(rows["group"])
        self._found: dict[str, Ints] = {field: np.full(count, NEVER, np.int64) for field in ("inserted", "lsn")}
        size = np.zeros(count, dtype=np.int64)
        for row, key in enumerate(zip(rows["group"].tolist(), rows["number"].tolist(), strict=True)):
            commit = observed.wal.get(observed.who.get(key, -1))
            if commit is None:
                continue
            inserted = commit.made * MICROSECOND - observed.origin - observed.zero
            if inserted <= self._end:
                self._found["inserted"][row] = inserted
                self._found["lsn"][row] = commit.end - observed.base
                size[row] = commit.size
        order = np.lexsort((rows["submitted"], self._found["lsn"]))
        self._rows = {field: column[order] for field, column in rows.items()}
        self._found = {field: column[order] for field, column in self._found.items()}
        self._size = size[order]
        self._count = int(np.count_nonzero(self._found["lsn"] != NEVER))
        # A commit's moment is taken just before its record has its place, so two may be the wrong way round by a hair.
        moments = self._found["inserted"]
        moments[: self._count] = np.maximum.accumulate(moments[: self._count])
        names = list(scenario.writers)
        levels = [LEVELS.index(scenario.level(scenario.writers[name].synchronous_commit)) for name in names]
        self._level = np.array(levels or [0], dtype=np.int8)[self._rows["group"]]

    def inserted(self) -> tuple[Ints, Ints]:
        """When the primary's insert position had passed each commit."""
        return self._found["inserted"][: self._count], self._found["lsn"][: self._count]

    def flushed(self) -> tuple[Ints, Ints]:
        """Whoever has the answer to a commit that waits for the primary's flush testifies to it."""
        told = np.flatnonzero((self._rows["visible"] < NEVER) & (self._level > LEVELS.index("off")))
        told = told[told < self._count]
        return self._rows["visible"][told], self._found["lsn"][told]

    def table(self, flush: Trajectory) -> Table:
        """The commits of a record."""
        scenario, rows, found = self._observed.scenario, self._rows, self._found
        lsn = found["lsn"]
        never = np.full(len(lsn) - self._count, NEVER, dtype=np.int64)
        told = np.isin(rows["outcome"], (TOLD, LOCALLY))
        assert np.all(lsn[told & (rows["acknowledged"] <= self._end)] != NEVER), "the WAL lacks what was acknowledged"
        outcome = np.where(told & (rows["acknowledged"] > self._end), PENDING, rows["outcome"])
        columns: dict[str, NDArray[np.generic]] = {
            "writer": rows["group"].astype(np.int16),
            "client": rows["client"],
            "key": rows_written(scenario, self._observed.seed, rows["group"], rows["number"], rows["client"]),
            "submitted": rows["submitted"],
            "started": self._until_end(rows["started"]),
            "inserted": found["inserted"],
            "flushed": np.concatenate([flush.crossing(lsn[: self._count]), never]),
            "visible": self._until_end(rows["visible"]),
            "acknowledged": self._until_end(rows["acknowledged"]),
            "learned": self._until_end(rows["learned"]),
            "timeline": np.ones(len(lsn), dtype=np.int32),
            "lsn": lsn,
            "bytes": self._size,
            "level": self._level,
            "outcome": outcome.astype(np.int8),
        }
        words = {"writer": tuple(scenario.writers), "level": LEVELS, "outcome": OUTCOMES}
        return Table(columns, times=TIMES, words=words)

    def _until_end(self, times: Ints) -> Ints:
        return np.where(times <= self._end, times, NEVER)


def who(rows: Iterable[tuple[int, int, int]]) -> dict[tuple[int, int], int]:
    """The servers' numbers of transactions by writer and number, from what the servers hold."""
    return {(writer, number): xid for xid, writer, number in rows}
