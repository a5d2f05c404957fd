"""From a cluster that has run to the record of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain
from typing import Final

import numpy as np
from numpy.typing import NDArray

from replsim.engines.events.clients import ATTEMPT, Step
from replsim.engines.events.cluster import Cluster
from replsim.engines.events.columns import Ints, ints
from replsim.engines.events.following import Following
from replsim.engines.events.log import Log
from replsim.engines.events.tracks import node_positions, node_replies, reign_flush
from replsim.record import (
    ACKNOWLEDGED,
    ACKNOWLEDGED_LOCALLY,
    FAILED,
    OUTCOMES,
    PENDING,
    UNKNOWN,
    Branch,
    Record,
    Table,
    Trajectory,
    happenings,
)
from replsim.record.branch import coded
from replsim.rules.acks import LEVELS
from replsim.scenario.rows import rows_written
from replsim.units import NEVER

__all__ = ["harvest"]

TIMES: Final = ("submitted", "started", "inserted", "flushed", "visible", "acknowledged", "learned")
FIELDS: Final = ("time", "group", "number", "client", "submitted", "started", "size")
"""What of a step a record keeps."""


def harvest(cluster: Cluster) -> Record:
    """Everything recorded by the end of the scenario.  The cluster gives its columns away: it cannot run on."""
    scenario, end = cluster.scenario, cluster.scenario.duration
    cluster.finish(end)
    done = [_columns(reign.log.steps[reign.log.first :]) for reign in cluster.reigns]
    inserted = [steps["time"] for steps in done]
    for reign in cluster.reigns:
        reign.log.steps.clear()
    positions = {name: node_positions(cluster, cluster.nodes[name], inserted, end) for name in scenario.nodes}
    flushed = [reign_flush(cluster, reign, end) for reign in cluster.reigns]
    branches = _branches(cluster, [len(each["time"]) for each in done])

    def row(log: Log, own: int) -> int:
        return branches[log.branch].first + own - log.first

    return Record(
        scenario,
        cluster.streams.seed,
        "events",
        _commits(cluster, done, flushed, end),
        positions,
        {name: node_replies(cluster, cluster.nodes[name], end) for name in scenario.nodes if _followed(cluster, name)},
        {name: _until(ints(cluster.nodes[name].device.starts), end) for name in scenario.nodes},
        happenings(scenario, cluster.events),
        branches=branches,
        reads={users.name: users.recorded(row) for users in cluster.users if cluster.eventful},
    )


def _followed(cluster: Cluster, name: str) -> bool:
    """Whether a node has ever been a standby."""
    return any(isinstance(life, Following) for life in cluster.nodes[name].lives)


def _until(times: Ints, end: int) -> Ints:
    return times[: int(np.searchsorted(times, end, side="right"))]


def _columns(steps: Sequence[Step]) -> dict[str, Ints]:
    """Steps as columns, by field."""
    width = len(Step._fields)
    flat = np.fromiter(chain.from_iterable(steps), dtype=np.int64, count=len(steps) * width).reshape(-1, width)
    return {field: flat[:, Step._fields.index(field)].copy() for field in FIELDS}


def _of(values: Iterable[int]) -> Ints:
    return np.array(list(values), dtype=np.int64)


def _commits(cluster: Cluster, done: list[dict[str, Ints]], flushed: list[Trajectory], end: int) -> Table:
    logs = [reign.log for reign in cluster.reigns]
    ended = cluster.succession.stranded.failed
    remaining = [*cluster.remaining(end), *(step for step, when in ended if when > end)]
    gone = [each for reign in cluster.reigns for each in reign.transactions.gone.values()]
    failed = [each for each in ended if each[1] <= end]
    left = _columns([*remaining, *(step for step, _ in (*gone, *failed))])
    steps = {name: np.concatenate([*(each[name] for each in done), left[name]]) for name in FIELDS}
    counts, never = [len(each["time"]) for each in done], np.full(len(left["time"]), NEVER, dtype=np.int64)
    count = sum(counts)
    size = steps["size"]
    first = 0
    for log, rows in zip(logs, counts, strict=True):
        size[_of(log.images) - log.first + first] += _of(log.images.values())
        first += rows

    def own(column: str) -> Ints:
        """A column of the logs, each with the rows of its own."""
        parts = zip(logs, counts, strict=True)
        return np.concatenate([ints(getattr(log, column))[log.first : log.first + rows] for log, rows in parts])

    lsn, acknowledged = own("lsn"), own("acknowledged")
    learned = acknowledged.copy()
    first = 0
    for log, rows in zip(logs, counts, strict=True):
        learned[_of(log.learned) - log.first + first] = _of(log.learned.values())
        first += rows

    if gone or failed:
        learned = np.concatenate([learned, never[: len(remaining)], _of(when for _, when in (*gone, *failed))])

    def until_end(times: Ints) -> Ints:
        times = times if len(times) == len(size) else np.concatenate([times, never])
        return np.where(times <= end, times, NEVER)

    levels = np.array([LEVELS.index(each.level) for each in cluster.groups] or [0], dtype=np.int8)
    timelines = [np.full(rows, cluster.branches[log.branch].timeline) for log, rows in zip(logs, counts, strict=True)]
    crossings = [
        flush.crossing(coded(cluster.branches, log.branch, each["time"], ints(log.lsn)[log.first : log.first + rows]))
        for flush, log, each, rows in zip(flushed, logs, done, counts, strict=True)
    ]
    number = steps["number"] % ATTEMPT
    columns: dict[str, NDArray[np.generic]] = {
        "writer": steps["group"].astype(np.int16),
        "client": steps["client"],
        "key": rows_written(cluster.scenario, cluster.streams.seed, steps["group"], number, steps["client"]),
        "submitted": steps["submitted"],
        "started": until_end(steps["started"]),
        "inserted": np.concatenate([steps["time"][:count], never]),
        "flushed": np.concatenate([*crossings, never]),
        "visible": until_end(own("visible")),
        "acknowledged": until_end(acknowledged),
        "learned": until_end(learned),
        "timeline": np.concatenate([*timelines, np.ones(len(never))]).astype(np.int32),
        "lsn": np.concatenate([lsn, never]),
        "bytes": size,
        "level": levels[steps["group"]],
        "outcome": _outcomes(cluster, until_end(acknowledged), counts, len(gone), len(failed)),
    }
    if any(group.tries_again for group in cluster.groups):
        columns |= {"transaction": number, "attempt": (steps["number"] // ATTEMPT).astype(np.int16)}
    names = (*cluster.scenario.writers, *cluster.scenario.sessions)
    return Table(columns, times=TIMES, words={"writer": names, "level": LEVELS, "outcome": OUTCOMES})


def _branches(cluster: Cluster, counts: list[int]) -> tuple[Branch, ...]:
    firsts = np.cumsum([0, *counts])
    return tuple(replace(branch, first=int(first)) for branch, first in zip(cluster.branches, firsts, strict=False))


def _outcomes(cluster: Cluster, acknowledged: Ints, counts: list[int], gone: int, failed: int) -> NDArray[np.int8]:
    """What became of each commit: whose primary died before it could answer, or whose client went away before it did,
    has an outcome that its client does not know."""
    outcome = np.where(acknowledged == NEVER, PENDING, ACKNOWLEDGED).astype(np.int8)
    first = 0
    for reign, rows in zip(cluster.reigns, counts, strict=True):
        own = outcome[first : first + rows]
        cancelled = _of(reign.log.cancelled) - reign.log.first
        own[cancelled[own[cancelled] == ACKNOWLEDGED]] = ACKNOWLEDGED_LOCALLY
        deserted = [row for row, when in reign.log.deserted.items() if when <= cluster.scenario.duration]
        own[_of(deserted) - reign.log.first] = UNKNOWN
        if reign.ended != NEVER:
            own[own == PENDING] = UNKNOWN
        first += rows
    outcome[len(outcome) - failed - gone :] = UNKNOWN
    outcome[len(outcome) - failed :] = FAILED
    return outcome
