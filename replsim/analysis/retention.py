"""How much WAL each node keeps, over time.

An engine in which that matters to somebody records where the WAL of each node begins (``kept``); elsewhere it follows
from the checkpoints, and from what the standbys with a slot have reported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from replsim.analysis.facts import Facts
from replsim.analysis.names import spread
from replsim.analysis.registry import Part, measures
from replsim.analysis.weighted import Steps
from replsim.kernels.steps import differences
from replsim.record import Trajectory
from replsim.record.branch import lsn_of
from replsim.scenario.retention import retention_of

__all__ = ["kept", "retained"]

Ints = NDArray[np.int64]


@measures(
    *spread(
        "retained_wal",
        "B",
        ("mean", "p99", "max"),
        "the WAL that a node keeps, from its oldest file to its end (for the cluster, the largest of all nodes')",
        over_time=True,
    ),
    per=("node",),
    overall="largest",
)
def retained_wal(facts: Facts, node: str | None) -> Mapping[str, Part]:
    """WAL in ``pg_wal``, in bytes; a file counts up to where it is written."""
    assert node is not None
    return {"retained_wal": Steps.between(*retained(facts, node), *facts.window)}


def retained(facts: Facts, node: str) -> tuple[Ints, Ints]:
    """The bytes of WAL that a node keeps, as a step function: its times and values."""
    oldest, end = kept(facts, node), facts.record.position(node, "flush")
    time, size = differences(end.time, lsn_of(end.lsn), oldest.time, lsn_of(oldest.lsn))
    return time, np.maximum(size, 0)


def kept(facts: Facts, node: str) -> Trajectory:
    """Where the oldest file of a node's WAL begins, over time."""
    stages = facts.record.positions[node]
    return stages["kept"] if "kept" in stages else facts.once(_kept, node)


def _kept(facts: Facts, node: str) -> Trajectory:
    """Checkpoint by checkpoint, by the rule that the engine goes by; nobody comes, goes or falls off meanwhile."""
    scenario, record = facts.record.scenario, facts.record
    flushed, rule = record.position(node, "flush"), retention_of(scenario)
    slots = [name for name, each in scenario.standbys.items() if each.slot and scenario.upstream(name) == node]
    times, positions = [0], [0]
    for done, redo in _checkpoints(facts, node):
        told = {name: int(record.position(name, "reported_flush").at(done)) for name in slots}
        oldest, _ = rule.checkpoint(int(flushed.at(done)), redo, told)
        times.append(done)
        positions.append(max(oldest, positions[-1]))
    return Trajectory.of(times, positions)


def _checkpoints(facts: Facts, node: str) -> Iterator[tuple[int, int]]:
    """When each checkpoint (on a standby: restartpoint) of a node is done, and its redo point."""
    scenario, record = facts.record.scenario, facts.record
    checkpoints, name = scenario.primary.checkpoints, scenario.primary.name
    if checkpoints is None:
        return
    begins = np.arange(checkpoints.every, scenario.duration, checkpoints.every)
    flushed, spread = record.position(name, "flush"), round(checkpoints.completion_target * checkpoints.every)
    redo, records = flushed.at(begins), flushed.at(begins + spread)
    if node != name:
        replayed = record.position(node, "apply").at(begins)
        written = [(records <= each) & (begins + spread <= begin) for each, begin in zip(replayed, begins, strict=True)]
        redo = np.array([np.max(redo[each], initial=0) for each in written])
    for done, position in zip(begins + spread, redo, strict=True):
        if done <= scenario.duration:
            yield int(done), int(position)
