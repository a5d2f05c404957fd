"""A run at given moments: where every node stood, what was on its way, and which reads had just looked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from replsim.analysis.facts import Facts
from replsim.analysis.reads import facts_reads
from replsim.record import Trajectory
from replsim.units import SECOND

__all__ = ["Flight", "Frame", "Look", "NodeState", "frames"]

Ints = NDArray[np.int64]

MESSAGES: Final = 6
"""The most messages of one link and direction in a frame; of more, evenly chosen ones."""
LOOKS: Final = 4
"""The most reads of one node in a frame, the stalest first."""


@dataclass(frozen=True, slots=True)
class NodeState:
    """A node's positions in bytes by stage, and its lag: bytes, commits and seconds (of the primary 0)."""

    positions: Mapping[str, int]
    lag_bytes: int
    lag_commits: int
    lag_seconds: float


@dataclass(frozen=True, slots=True)
class Flight:
    """What is on its way from one node to the next: bytes of WAL, and how far each message has got (0 to 1).

    ``replies`` is the same for the replies on their way back.
    """

    in_flight: int
    messages: tuple[float, ...]
    replies: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """A read that looked since the frame before: what it saw and should have seen (bytes), and its staleness (s)."""

    number: int
    reader: str
    node: str
    saw: int
    should: int
    stale: bool
    age: float


@dataclass(frozen=True, slots=True)
class Frame:
    """The cluster at one moment (seconds since the start).  Flights are by the standby that they are for."""

    time: float
    nodes: Mapping[str, NodeState]
    flights: Mapping[str, Flight]
    looks: tuple[Look, ...]


def frames(facts: Facts, times: ArrayLike) -> list[Frame]:
    """The cluster at each of ``times`` (seconds, rising)."""
    moments = np.round(np.asarray(times, dtype=np.float64) * SECOND).astype(np.int64)
    scenario = facts.record.scenario
    states = {name: _states(facts, name, moments) for name in scenario.nodes}
    flights = {name: _flights(facts, name, moments) for name in scenario.standbys}
    looks = _looks(facts, moments)
    return [
        Frame(
            float(moment / SECOND),
            {name: every[place] for name, every in states.items()},
            {name: every[place] for name, every in flights.items()},
            looks[place],
        )
        for place, moment in enumerate(moments)
    ]


def _states(facts: Facts, node: str, moments: Ints) -> list[NodeState]:
    record = facts.record
    primary = record.scenario.primary.name
    columns = {stage: position.at(moments) for stage, position in record.positions[node].items() if stage != "sent"}
    if node == primary:
        lags = np.zeros((3, len(moments)))
    else:
        inserted, applied = facts.column("inserted"), facts.reached(node, "apply")
        behind = facts.behind(node, moments)
        done = np.searchsorted(applied, moments, side="right")
        there = np.searchsorted(inserted, moments, side="right")
        oldest = np.append(inserted, 0)[done]
        lags = np.stack([behind, there - done, np.where(there > done, moments - oldest, 0)])
    return [
        NodeState(
            {stage: int(values[place]) for stage, values in columns.items()},
            int(lags[0, place]),
            int(lags[1, place]),
            float(lags[2, place] / SECOND),
        )
        for place in range(len(moments))
    ]


def _flights(facts: Facts, node: str, moments: Ints) -> list[Flight]:
    record = facts.record
    sent, received, replies = record.position(node, "sent"), record.position(node, "receive"), record.replies[node]
    in_flight = sent.at(moments) - received.at(moments)
    messages = _on_the_way(sent.time, received.crossing(sent.lsn), moments)
    # A reply leaves when its standby has flushed what it reports; one that reports nothing new is not shown.
    told = Trajectory.of(replies.time, replies.flush)
    answers = _on_the_way(record.position(node, "flush").crossing(told.lsn), told.time, moments)
    return [Flight(int(in_flight[place]), messages[place], answers[place]) for place in range(len(moments))]


def _on_the_way(left: Ints, arrived: Ints, moments: Ints) -> list[tuple[float, ...]]:
    """For each moment: how far each message has got that has left and not arrived; both never fall."""
    first, last = np.searchsorted(arrived, moments, side="right"), np.searchsorted(left, moments, side="right")
    found = []
    for moment, start, end in zip(moments.tolist(), first.tolist(), last.tolist(), strict=True):
        chosen = (
            np.unique(np.linspace(start, end - 1, min(MESSAGES, end - start)).astype(np.int64)) if end > start else ()
        )
        found.append(tuple(float((moment - left[i]) / (arrived[i] - left[i])) for i in chosen))
    return found


def _looks(facts: Facts, moments: Ints) -> list[tuple[Look, ...]]:
    """For each moment: reads that looked since the moment before (since the start for the first)."""
    table = facts_reads(facts)
    order = np.argsort(table["looked"], kind="stable")
    edges = np.searchsorted(table["looked"][order], np.concatenate([[-1], moments]), side="right")
    found = []
    for start, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        here: Ints = order[start:end]
        looks: list[Look] = []
        for code in range(len(table.words["node"])):
            mine = here[table["node"][here] == code]
            chosen = mine[np.argsort(-table["age"][mine], kind="stable")[:LOOKS]]
            looks += [_look(facts, int(number)) for number in chosen]
        found.append(tuple(looks))
    return found


def _look(facts: Facts, number: int) -> Look:
    table = facts_reads(facts)
    row = {name: table[name][number] for name in ("saw", "should", "versions", "age", "reader", "node")}
    return Look(
        number,
        table.words["reader"][row["reader"]],
        table.words["node"][row["node"]],
        int(row["saw"]),
        int(row["should"]),
        bool(row["versions"] > 0),
        float(row["age"] / SECOND),
    )
