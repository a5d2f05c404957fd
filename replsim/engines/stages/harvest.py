"""From the chunks of a run to the record of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from replsim.engines.stages.answers import Answered
from replsim.engines.stages.columns import Ints, chained, cut, joined, merged, trajectory, until
from replsim.engines.stages.pipeline import Chunk, Pipeline
from replsim.record import ACKNOWLEDGED, OUTCOMES, PENDING, Record, Replies, Table, happenings
from replsim.rules.acks import LEVELS
from replsim.scenario.clients import Session, Writer
from replsim.scenario.rows import rows_written
from replsim.units import NEVER

__all__ = ["harvest"]

TIMES = ("submitted", "started", "inserted", "flushed", "visible", "acknowledged", "learned")


def harvest(pipeline: Pipeline, chunks: Sequence[Chunk], seed: int) -> Record:
    """Everything that happened by the end of the scenario."""
    scenario, end = pipeline.scenario, pipeline.scenario.duration
    name = scenario.primary.name
    answered = _answered([chunk.answered for chunk in chunks])
    starts, ends, targets = chained([chunk.flushes for chunk in chunks])
    rows = answered.rows
    positions = {
        name: {
            "insert": merged(rows.inserted, rows.lsn, starts[: len(ends)], targets, end),
            "flush": trajectory(ends, targets, end),
        }
    }
    replies, flush_starts = {}, {name: until(starts, end)}
    for standby in scenario.standbys:
        streamed = [chunk.streamed[standby] for chunk in chunks]
        moved = [each.moved for each in streamed]
        written = chained([each.written for each in moved])
        applied, lsn = chained([each.applied for each in moved])
        positions[standby] = {
            "sent": trajectory(*chained([each.sent for each in streamed]), end),
            "receive": trajectory(*chained([each.received for each in streamed]), end),
            "write": trajectory(*written, end),
            "flush": trajectory(*chained([each.flushed for each in moved]), end),
            "apply": trajectory(applied, lsn, end),
        }
        flush_starts[standby] = until(written.time, end)
        heard = chained([each.replies for each in moved])
        replies[standby] = Replies(*cut(heard, slice(len(until(heard.time, end)))))
    return Record(
        scenario,
        seed,
        "stages",
        _commits(pipeline, answered, seed),
        positions,
        replies,
        flush_starts,
        happenings(scenario, pipeline.happened),
    )


def _answered(parts: Sequence[Answered]) -> Answered:
    times = (joined([getattr(part, name) for part in parts]) for name in ("flushed", "visible", "acknowledged"))
    return Answered(chained([part.rows for part in parts]), *times)


def _commits(pipeline: Pipeline, answered: Answered, seed: int) -> Table:
    """One row a transaction, in the order of the log; those that were not inserted come last."""
    scenario, end, rows = pipeline.scenario, pipeline.scenario.duration, answered.rows
    left = pipeline.intake.left()
    count = 0 if left is None else len(left.group)
    never = np.full(count, NEVER, dtype=np.int64)

    def behind(column: NDArray[Any], rest: NDArray[Any] | None) -> NDArray[Any]:
        return column if rest is None or not len(rest) else np.concatenate([column, rest])

    def by_end(times: Ints) -> NDArray[Any]:
        late = np.flatnonzero(times > end)
        found = behind(times, never)
        if len(late):
            found = found.copy() if found is times else found
            found[late] = NEVER
        return found

    def both(name: str, rest: str | None = None) -> NDArray[Any]:
        return behind(getattr(rows, name), getattr(left, rest or name, None))

    group, submitted = both("group"), both("submitted")
    told = by_end(answered.acknowledged)
    levels = np.array([LEVELS.index(each.declared) for each in pipeline.intake.groups] or [0], dtype=np.int8)
    columns: dict[str, NDArray[Any] | Callable[[], NDArray[Any]]] = {
        "writer": group,
        "client": both("client"),
        # Nothing in the run depends on it.
        "key": partial(rows_written, scenario, seed, group, both("number"), both("client")),
        "submitted": submitted,
        "started": submitted,
        "inserted": behind(rows.inserted, never),
        "flushed": behind(answered.flushed, never),
        "visible": by_end(answered.visible),
        "acknowledged": told,
        "learned": told,
        "timeline": np.ones(len(group), dtype=np.int32),
        "lsn": behind(rows.lsn, never),
        "bytes": both("bytes", "size"),
        "level": levels[group],
        "outcome": np.where(told == NEVER, PENDING, ACKNOWLEDGED).astype(np.int8),
    }
    writing: list[Writer | Session] = [*scenario.writers.values(), *scenario.sessions.values()]
    if any(client.retry is not None for client in writing):
        # Nothing fails here, so each transaction is its first attempt.
        columns |= {"transaction": both("number"), "attempt": np.zeros(len(group), dtype=np.int16)}
    names = (*scenario.writers, *scenario.sessions)
    return Table(columns, times=TIMES, words={"writer": names, "level": LEVELS, "outcome": OUTCOMES})
