"""Run a scenario through the cluster, and hand over what was recorded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from replsim.engines.events.cluster import Cluster
from replsim.randomness import Streams
from replsim.randomness.keys import KeyDraws
from replsim.record import ACKNOWLEDGED, OUTCOMES, PENDING, Record, Table, Trajectory
from replsim.rules.acks import LEVELS
from replsim.scenario import Scenario
from replsim.units import NEVER

__all__ = ["run"]

SLICES: Final = 200
"""How often a run reports its progress, and can be cancelled."""

TIMES: Final = ("submitted", "started", "inserted", "flushed", "visible", "acknowledged", "learned")

Ints = NDArray[np.int64]


def run(scenario: Scenario, seed: int, progress: Callable[[float], None] | None = None) -> Record:
    """Simulate ``scenario`` with ``seed``, event by event.

    ``progress`` is called with the fraction of simulated time done; what it raises ends the run.
    Raises `ScenarioError` where clients would go round without time passing.
    """
    cluster = Cluster(scenario, Streams(seed))
    cluster.start()
    for part in range(1, SLICES + 1):
        cluster.agenda.run(scenario.duration * part // SLICES)
        if progress is not None:
            progress(part / SLICES)
    end = scenario.duration
    cluster.primary.look(end)
    for parts in cluster.standbys.values():
        parts.receiver.finish(end)
    flush = cluster.primary.flush.until(end)
    positions = {scenario.primary.name: {"insert": _insert(cluster, end), "flush": flush}}
    flush_starts = {scenario.primary.name: _ints(cluster.device.starts)}
    for name in scenario.standbys:
        parts = cluster.standbys[name]
        positions[name] = {
            "sent": parts.sender.sent.until(end),
            "receive": parts.receiver.receive.until(end),
            "write": parts.receiver.write.until(end),
            "flush": parts.receiver.flush.until(end),
            "apply": parts.replay.trajectory(end),
        }
        flush_starts[name] = _ints(parts.device.starts)
    replies = {name: cluster.standbys[name].uplink.replies(end) for name in scenario.standbys}
    commits = _commits(cluster, seed, flush, end)
    return Record(scenario, seed, "events", commits, positions, replies, flush_starts, _events(scenario))


def _ints(values: object) -> Ints:
    return np.array(values, dtype=np.int64)


def _insert(cluster: Cluster, end: int) -> Trajectory:
    """The primary's insert position: at each commit record, and at each flush's start what it was about to flush."""
    log, primary = cluster.log, cluster.primary
    flushes = _ints(primary.flush.lsn)
    time = np.concatenate([_ints(log.inserted), _ints(cluster.device.starts)[: len(flushes)]])
    lsn = np.concatenate([_ints(log.lsn), flushes])
    order = np.lexsort((lsn, time))
    time, lsn = time[order], lsn[order]
    upto = int(np.searchsorted(time, end, side="right"))
    return Trajectory.of(time[:upto], np.maximum.accumulate(lsn[:upto]) if upto else lsn[:upto])


def _commits(cluster: Cluster, seed: int, flush: Trajectory, end: int) -> Table:
    log = cluster.log
    rest = cluster.transactions.remaining(end)
    never = np.full(len(rest), NEVER, dtype=np.int64)

    def column(inserted: object, left: object) -> Ints:
        return np.concatenate([_ints(inserted), _ints(left)])

    def until_end(times: Ints) -> Ints:
        return np.where(times <= end, times, NEVER)

    lsn = column(log.lsn, never)
    group = column(log.group, [step.group for step in rest])
    number = column(log.number, [step.number for step in rest])
    client = column(log.client, [step.client for step in rest])
    acknowledged = until_end(column(log.acknowledged, never))
    levels = np.array([LEVELS.index(each.level) for each in cluster.groups] or [0], dtype=np.int8)
    columns: dict[str, NDArray[np.generic]] = {
        "writer": group.astype(np.int16),
        "client": client,
        "key": _keys(cluster, seed, group, number, client),
        "submitted": column(log.submitted, [step.submitted for step in rest]),
        "started": until_end(column(log.started, [step.started for step in rest])),
        "inserted": column(log.inserted, never),
        "flushed": np.concatenate([flush.crossing(_ints(log.lsn)), never]),
        "visible": until_end(column(log.visible, never)),
        "acknowledged": acknowledged,
        "learned": until_end(column(log.learned, never)),
        "timeline": np.ones(len(lsn), dtype=np.int32),
        "lsn": lsn,
        "bytes": column(log.bytes, [step.size for step in rest]),
        "level": levels[group],
        "outcome": np.where(acknowledged == NEVER, PENDING, ACKNOWLEDGED).astype(np.int8),
    }
    names = tuple((*cluster.scenario.writers, *cluster.scenario.sessions))
    return Table(columns, times=TIMES, words={"writer": names, "level": LEVELS, "outcome": OUTCOMES})


def _keys(cluster: Cluster, seed: int, group: Ints, number: Ints, client: Ints) -> Ints:
    """The row that each transaction writes: a writer's draw, or a session user's own row.

    The users' rows are numbered behind all keys that any writer or reader draws.
    """
    scenario = cluster.scenario
    keys = np.full(len(group), -1, dtype=np.int64)
    streams = Streams(seed)
    drawing = {**scenario.writers, **scenario.readers}
    own = max((client.keys.count for client in drawing.values() if client.keys is not None), default=0)
    for index, (name, writer) in enumerate(scenario.writers.items()):
        mine = group == index
        if writer.keys is not None and mine.any():
            drawn = KeyDraws(streams.uniforms(f"writer:{name}:keys"), writer.keys).block(int(number[mine].max()) + 1)
            keys[mine] = drawn[number[mine]]
    for index, session in enumerate(scenario.sessions.values(), len(scenario.writers)):
        mine = group == index
        keys[mine] = own + client[mine]
        own += session.count
    return keys


def _events(scenario: Scenario) -> Table:
    """What happened to the cluster itself: its checkpoints."""
    every = scenario.primary.checkpoints.every if scenario.primary.checkpoints else scenario.duration
    times = np.arange(every, scenario.duration, every, dtype=np.int64)
    nodes = np.zeros(len(times), dtype=np.int16)
    return Table(
        {"time": times, "node": nodes, "what": np.zeros(len(times), dtype=np.int8)},
        times=("time",),
        words={"node": scenario.nodes, "what": ("checkpoint",)},
    )
