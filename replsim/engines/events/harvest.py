"""From a cluster that has run to the record of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Final

import numpy as np
from numpy.typing import NDArray

from replsim.engines.events.clients import Step
from replsim.engines.events.cluster import Cluster, StandbyParts
from replsim.engines.events.columns import Ints, ints, trajectory
from replsim.record import ACKNOWLEDGED, OUTCOMES, PENDING, Record, Table, Trajectory, checkpoints
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
    cluster.primary.look(end)
    for parts in cluster.standbys.values():
        parts.receiver.finish(end)
    name = scenario.primary.name
    flush = trajectory(cluster.primary.flushes, cluster.primary.flush_positions, end)
    done = _columns(cluster.log.steps)
    cluster.log.steps.clear()
    positions = {name: {"insert": _insert(cluster, done["time"], end), "flush": flush}}
    positions |= {standby: _positions(cluster.standbys[standby], end) for standby in scenario.standbys}
    devices = {name: cluster.device} | {standby: cluster.standbys[standby].device for standby in scenario.standbys}
    return Record(
        scenario,
        cluster.streams.seed,
        "events",
        _commits(cluster, done, flush, end),
        positions,
        {each: cluster.standbys[each].uplink.replies(positions[each]["apply"], end) for each in scenario.standbys},
        {node: _until(ints(device.starts), end) for node, device in devices.items()},
        checkpoints(scenario),
    )


def _positions(parts: StandbyParts, end: int) -> dict[str, Trajectory]:
    sender, receiver, batches = parts.sender, parts.receiver, parts.replay.positions
    return {
        "sent": trajectory(sender.times, sender.positions, end),
        "receive": trajectory(receiver.arrivals, sender.positions, end),
        "write": trajectory(parts.device.starts, batches, end),
        "flush": trajectory(receiver.flushes, batches, end),
        "apply": parts.replay.trajectory(end),
    }


def _until(times: Ints, end: int) -> Ints:
    return times[: int(np.searchsorted(times, end, side="right"))]


def _columns(steps: Sequence[Step]) -> dict[str, Ints]:
    """Steps as columns, by field."""
    width = len(Step._fields)
    flat = np.fromiter(chain.from_iterable(steps), dtype=np.int64, count=len(steps) * width).reshape(-1, width)
    return {field: flat[:, Step._fields.index(field)].copy() for field in FIELDS}


def _of(values: Iterable[int]) -> Ints:
    return np.array(list(values), dtype=np.int64)


def _insert(cluster: Cluster, inserted: Ints, end: int) -> Trajectory:
    """The primary's insert position: at each commit record, and at each flush's start what it was about to flush."""
    flushes = ints(cluster.primary.flush_positions)
    time = np.concatenate([inserted, ints(cluster.device.starts)[: len(flushes)]])
    lsn = np.concatenate([ints(cluster.log.lsn), flushes])
    order = np.lexsort((lsn, time))
    time, lsn = time[order], lsn[order]
    upto = int(np.searchsorted(time, end, side="right"))
    return Trajectory.of(time[:upto], np.maximum.accumulate(lsn[:upto]) if upto else lsn[:upto])


def _commits(cluster: Cluster, done: dict[str, Ints], flush: Trajectory, end: int) -> Table:
    log = cluster.log
    left = _columns(cluster.transactions.remaining(end))
    steps = {name: np.concatenate([done[name], left[name]]) for name in FIELDS}
    count, never = len(done["time"]), np.full(len(left["time"]), NEVER, dtype=np.int64)
    lsn = ints(log.lsn)
    size = steps["size"]
    size[_of(log.images)] += _of(log.images.values())
    acknowledged = ints(log.acknowledged)[:count]
    learned = acknowledged.copy()
    learned[_of(log.learned)] = _of(log.learned.values())

    def until_end(times: Ints) -> Ints:
        times = times if len(times) == len(size) else np.concatenate([times, never])
        return np.where(times <= end, times, NEVER)

    levels = np.array([LEVELS.index(each.level) for each in cluster.groups] or [0], dtype=np.int8)
    columns: dict[str, NDArray[np.generic]] = {
        "writer": steps["group"].astype(np.int16),
        "client": steps["client"],
        "key": rows_written(cluster.scenario, cluster.streams.seed, steps["group"], steps["number"], steps["client"]),
        "submitted": steps["submitted"],
        "started": until_end(steps["started"]),
        "inserted": np.concatenate([steps["time"][:count], never]),
        "flushed": np.concatenate([flush.crossing(lsn), never]),
        "visible": until_end(ints(log.visible)[:count]),
        "acknowledged": until_end(acknowledged),
        "learned": until_end(learned),
        "timeline": np.ones(len(size), dtype=np.int32),
        "lsn": np.concatenate([lsn, never]),
        "bytes": size,
        "level": levels[steps["group"]],
        "outcome": np.where(until_end(acknowledged) == NEVER, PENDING, ACKNOWLEDGED).astype(np.int8),
    }
    names = (*cluster.scenario.writers, *cluster.scenario.sessions)
    return Table(columns, times=TIMES, words={"writer": names, "level": LEVELS, "outcome": OUTCOMES})
