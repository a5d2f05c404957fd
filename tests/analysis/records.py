"""Small records made by hand or at random, for tests of the analysis; times are a few hundred nanoseconds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from replsim.record import ACKNOWLEDGED, PENDING, Record, Replies, Table, Trajectory
from replsim.scenario import Scenario
from replsim.units import NEVER

DURATION, WARMUP = 240, 60
TIMES = ("submitted", "started", "inserted", "flushed", "visible", "acknowledged", "learned")


def make_scenario(**fields: Any) -> Scenario:
    """A scenario of a primary ``p`` and two standbys, of which ``s2`` streams from ``s1``."""
    link = {"latency": "1ns"}
    base: dict[str, Any] = {
        "name": "made by hand",
        "duration": f"{DURATION}ns",
        "warmup": f"{WARMUP}ns",
        "primary": {"max_connections": 1000},
        "standbys": {"s1": {}, "s2": {"upstream": "s1"}},
        "links": {"p -> s1": link, "s1 -> s2": link},
        "writers": {"app": {"rate": "10/s", "connections": 5}, "audit": {"rate": "10/s", "connections": 5}},
    }
    return Scenario.model_validate(base | fields)


RATE = "300000000/s"
MIXED = make_scenario(
    readers={
        "web": {
            "rate": RATE,
            "keys": {"count": 5, "zipf": 1},
            "route": {"policy": "random", "among": ["s1", "p", "s2"]},
            "network": {"uniform": {"low": "0ns", "high": "30ns"}},
        },
        "report": {"rate": RATE, "route": "s2"},
        "quorum": {
            "rate": RATE,
            "keys": {"count": 5},
            "route": {"quorum": 2, "among": ["s2", "p", "s1"]},
            "network": {"uniform": {"low": "0ns", "high": "30ns"}},
            "reply": {"uniform": {"low": "0ns", "high": "10ns"}},
            "ways": {"p": {"network": {"uniform": {"low": "20ns", "high": "40ns"}}, "reply": "7ns"}},
        },
        "admin": {"rate": RATE, "route": "primary", "keys": {"count": 3}, "network": "2ns"},
    },
    sessions={
        "user": {
            "count": 3,
            "think": "5ns",
            "reads": 2,
            "read_after": {"uniform": {"low": "0ns", "high": "20ns"}},
            "route": {"policy": "round_robin", "among": ["s1", "s2", "p"]},
            "network": "3ns",
        }
    },
)
"""Readers and sessions of every sort, some two hundred reads."""


def make_commits(scenario: Scenario, columns: Mapping[str, Any]) -> Table:
    """A table of commits from the columns given; the others get plain values."""
    count = len(next(iter(columns.values())))
    words = (*scenario.writers, *scenario.sessions)
    told = np.asarray(columns.get("acknowledged", np.full(count, NEVER)), dtype=np.int64)
    inserted = np.asarray(columns.get("inserted", np.arange(count)), dtype=np.int64)
    defaults: dict[str, Any] = {
        "writer": np.zeros(count, dtype=np.int16),
        "client": np.full(count, -1),
        "key": np.full(count, -1),
        "submitted": inserted,
        "started": columns.get("submitted", inserted),
        "inserted": inserted,
        "flushed": inserted,
        "visible": told,
        "acknowledged": told,
        "learned": told,
        "timeline": np.ones(count, dtype=np.int64),
        "lsn": 100 * np.arange(1, count + 1),
        "bytes": np.full(count, 100),
        "level": np.zeros(count, dtype=np.int8),
        "outcome": np.where(told < NEVER, ACKNOWLEDGED, PENDING).astype(np.int8),
    }
    given = {name: np.asarray(column) for name, column in columns.items()}
    return Table(defaults | given, times=TIMES, words={"writer": words})


def make_record(
    scenario: Scenario,
    commits: Mapping[str, Any],
    positions: Mapping[str, Mapping[str, tuple[ArrayLike, ArrayLike]]] | None = None,
    *,
    replies: Mapping[str, Replies] | None = None,
    flush_starts: Mapping[str, Any] | None = None,
    seed: int = 1,
) -> Record:
    """A record from columns and raw steps.  Stages that are not given are as the insert position."""
    table = make_commits(scenario, commits)
    logged = table["lsn"] < NEVER
    whole = Trajectory.of(table["inserted"][logged], table["lsn"][logged])
    stages: dict[str, tuple[str, ...]] = dict.fromkeys(scenario.nodes[:1], ("insert", "flush"))
    stages |= dict.fromkeys(scenario.standbys, ("sent", "receive", "write", "flush", "apply"))
    given = positions or {}
    return Record(
        scenario=scenario,
        seed=seed,
        engine="by hand",
        commits=table,
        positions={
            node: {
                stage: Trajectory.of(*given[node][stage]) if stage in given.get(node, {}) else whole for stage in names
            }
            for node, names in stages.items()
        },
        replies={name: Replies(*[np.empty(0, dtype=np.int64)] * 4) for name in scenario.standbys} | dict(replies or {}),
        flush_starts={name: np.asarray(starts, dtype=np.int64) for name, starts in (flush_starts or {}).items()},
        events=Table({"time": np.empty(0, dtype=np.int64)}),
    )


def random_record(seed: int, scenario: Scenario | None = None, *, most: int = 30, gap: int = 60) -> Record:
    """A record that no engine made, but that could be: positions follow each other, answers follow visibility."""
    rng = np.random.default_rng(seed)
    scenario = scenario or make_scenario()
    count, failed = int(rng.integers(0, most + 1)), int(rng.integers(0, 4))
    inserted = np.sort(rng.integers(0, DURATION, count))
    lsn = np.cumsum(rng.integers(1, 60, count)) + 10
    columns = _fates(rng, scenario, inserted, lsn, failed)

    # Background WAL moves the insert position without commits, and never past the next commit's start.
    insert = Trajectory.of(inserted, lsn)
    extra_time = np.sort(rng.integers(0, DURATION, 5))
    after = insert.at(extra_time)
    following = np.append(lsn, NEVER)[np.searchsorted(lsn, after, side="right")]
    extra = np.minimum(after + rng.integers(0, 8, 5), following - 1)
    time, position = np.concatenate([inserted, extra_time]), np.concatenate([lsn, extra])
    order = np.lexsort((position, time))
    insert = Trajectory.of(time[order], np.maximum.accumulate(position[order]))

    primary = scenario.primary.name
    steps = {primary: {"insert": insert, "flush": _follow(rng, insert, 10)}}
    replies, starts = {}, {primary: steps[primary]["flush"].time}
    for name in scenario.standbys:
        upstream = steps[scenario.upstream(name)]["flush"]
        steps[name] = {}
        for stage in ("sent", "receive", "write", "flush", "apply"):
            upstream = steps[name][stage] = _follow(rng, upstream, int(rng.integers(1, gap)))
        at = np.unique(rng.integers(0, DURATION, int(rng.integers(0, 40))))
        seen = np.maximum.accumulate(at - rng.integers(0, 10, len(at))) if len(at) else at
        replies[name] = Replies(at, *(steps[name][stage].at(seen) for stage in ("write", "flush", "apply")))
        starts[name] = steps[name]["flush"].time
    record = make_record(scenario, columns, replies=replies, seed=int(rng.integers(1000)))
    return Record(
        scenario=record.scenario,
        seed=record.seed,
        engine=record.engine,
        commits=record.commits,
        positions=steps,
        replies=replies,
        flush_starts=starts,
        events=record.events,
    )


def _fates(
    rng: np.random.Generator, scenario: Scenario, inserted: np.ndarray, lsn: np.ndarray, failed: int
) -> dict[str, Any]:
    count = len(inserted)
    never = np.full(failed, NEVER)
    visible = inserted + rng.integers(0, 50, count)
    told = visible + rng.integers(0, 20, count)
    visible[visible >= DURATION] = NEVER
    told[(told >= DURATION) | (rng.random(count) < 0.1)] = NEVER
    submitted = np.concatenate([inserted - rng.integers(0, 20, count), rng.integers(0, DURATION, failed)])
    words = len(scenario.writers) + len(scenario.sessions)
    return {
        "writer": rng.integers(0, words, count + failed).astype(np.int16),
        "key": rng.integers(-1, 5, count + failed),
        "client": rng.integers(0, 3, count + failed),
        "submitted": np.maximum(submitted, 0),
        "started": np.concatenate([np.maximum(inserted - rng.integers(0, 5, count), 0), never]),
        "inserted": np.concatenate([inserted, never]),
        "visible": np.concatenate([visible, never]),
        "acknowledged": np.concatenate([told, never]),
        "lsn": np.concatenate([lsn, never]),
        "bytes": np.concatenate([np.diff(lsn, prepend=0), np.zeros(failed, dtype=np.int64)]),
    }


def _follow(rng: np.random.Generator, ahead: Trajectory, slowest: int) -> Trajectory:
    """A position that trails another: now and then it takes up what the other had some time before."""
    time = np.sort(rng.integers(0, DURATION, int(rng.integers(1, 60))))
    return Trajectory.of(time, np.maximum.accumulate(ahead.at(time - rng.integers(0, slowest, len(time)))))
