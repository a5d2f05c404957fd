"""Run a scenario through the cluster, and hand over what was recorded."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Final

import numpy as np
from numpy.typing import NDArray

from replsim.engines.events.clients import Step
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
    with _rare_collections():
        for part in range(1, SLICES + 1):
            cluster.agenda.run(scenario.duration * part // SLICES)
            if progress is not None:
                progress(part / SLICES)
    end = scenario.duration
    cluster.primary.look(end)
    for parts in cluster.standbys.values():
        parts.receiver.finish(end)
    flush = cluster.primary.flush.until(end)
    done = _columns(cluster.log.steps)
    positions = {scenario.primary.name: {"insert": _insert(cluster, done["time"], end), "flush": flush}}
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
    replies = {name: cluster.standbys[name].uplink.replies(positions[name]["apply"], end) for name in scenario.standbys}
    commits = _commits(cluster, seed, done, flush, end)
    return Record(scenario, seed, "events", commits, positions, replies, flush_starts, _events(scenario))


@contextmanager
def _rare_collections() -> Iterator[None]:
    """A run makes millions of small objects and no cycles: let the collector look for cycles rarely meanwhile."""
    before = gc.get_threshold()
    gc.set_threshold(100_000, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _ints(values: object) -> Ints:
    return np.array(values, dtype=np.int64)


def _columns(steps: Sequence[Step]) -> dict[str, Ints]:
    """Steps as columns, by field."""
    flat = np.fromiter(chain.from_iterable(steps), dtype=np.int64, count=len(steps) * len(Step._fields))
    return dict(zip(Step._fields, flat.reshape(-1, len(Step._fields)).T, strict=True))


def _insert(cluster: Cluster, inserted: Ints, end: int) -> Trajectory:
    """The primary's insert position: at each commit record, and at each flush's start what it was about to flush."""
    flushes = _ints(cluster.primary.flush.lsn)
    time = np.concatenate([inserted, _ints(cluster.device.starts)[: len(flushes)]])
    lsn = np.concatenate([_ints(cluster.log.lsn), flushes])
    order = np.lexsort((lsn, time))
    time, lsn = time[order], lsn[order]
    upto = int(np.searchsorted(time, end, side="right"))
    return Trajectory.of(time[:upto], np.maximum.accumulate(lsn[:upto]) if upto else lsn[:upto])


def _commits(cluster: Cluster, seed: int, done: dict[str, Ints], flush: Trajectory, end: int) -> Table:
    log = cluster.log
    count = len(log.lsn)
    left = _columns(cluster.transactions.remaining(end))
    steps = {name: np.concatenate([done[name], left[name]]) for name in Step._fields}
    never = np.full(len(left["time"]), NEVER, dtype=np.int64)
    lsn = _ints(log.lsn)
    size = steps["size"]
    size[_ints(list(log.images))] += _ints(list(log.images.values()))
    acknowledged = _ints(log.acknowledged)[:count]
    learned = acknowledged.copy()
    learned[_ints(list(log.learned))] = _ints(list(log.learned.values()))

    def until_end(times: Ints) -> Ints:
        times = times if len(times) == len(steps["time"]) else np.concatenate([times, never])
        return np.where(times <= end, times, NEVER)

    levels = np.array([LEVELS.index(each.level) for each in cluster.groups] or [0], dtype=np.int8)
    columns: dict[str, NDArray[np.generic]] = {
        "writer": steps["group"].astype(np.int16),
        "client": steps["client"],
        "key": _keys(cluster.scenario, seed, steps["group"], steps["number"], steps["client"]),
        "submitted": steps["submitted"],
        "started": until_end(steps["started"]),
        "inserted": np.concatenate([done["time"], never]),
        "flushed": np.concatenate([flush.crossing(lsn), never]),
        "visible": until_end(_ints(log.visible)[:count]),
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


def _keys(scenario: Scenario, seed: int, group: Ints, number: Ints, client: Ints) -> Ints:
    """The row that each transaction writes: a writer's draw, or a session user's own row.

    The users' rows are numbered behind all keys that any writer or reader draws.
    """
    keys = np.full(len(group), -1, dtype=np.int64)
    streams = Streams(seed)
    drawn_keys = [each.keys for each in scenario.writers.values()] + [each.keys for each in scenario.readers.values()]
    own = max((keys.count for keys in drawn_keys if keys is not None), default=0)
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
