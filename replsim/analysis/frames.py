"""A run at given moments: where every node stood, what was on its way, and which reads had just looked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from replsim.analysis.facts import Facts
from replsim.analysis.reads import facts_reads
from replsim.analysis.reigns import Stretch, absences, reigns
from replsim.record import Trajectory
from replsim.record.branch import branch_of, distance, lsn_of
from replsim.scenario.succession import upstream_of
from replsim.scenario.topology import link_between
from replsim.units import NEVER, SECOND

__all__ = ["Flight", "Frame", "Look", "NodeState", "frames"]

Ints = NDArray[np.int64]
Role = Literal["primary", "standby", "down"]

MESSAGES: Final = 6
"""The most messages of one link and direction in a frame; of more, evenly chosen ones."""
LOOKS: Final = 4
"""The most reads of one node in a frame, the stalest first."""


@dataclass(frozen=True, slots=True)
class NodeState:
    """A node's role, whom it streams from (empty: nobody), its positions in bytes by stage, and its lag in bytes,
    commits and seconds (of the primary 0)."""

    role: Role
    upstream: str
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
    followers = [name for name, stages in facts.record.positions.items() if "sent" in stages]
    flights = {name: _flights(facts, name, moments) for name in followers}
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
    columns = {
        stage: lsn_of(position.at(moments))
        for stage, position in facts.record.positions[node].items()
        if stage != "sent"
    }
    lags = _lags(facts, node, moments)
    roles, leaders = _roles(facts, node, moments), _leaders(facts, moments)
    lags[:, np.array(roles) == "primary"] = 0
    return [
        NodeState(
            role,
            upstream_of(facts.record.scenario, node, leader),
            {stage: int(values[place]) for stage, values in columns.items()},
            int(lags[0, place]),
            int(lags[1, place]),
            float(lags[2, place] / SECOND),
        )
        for place, (role, leader) in enumerate(zip(roles, leaders, strict=True))
    ]


def _lags(facts: Facts, node: str, moments: Ints) -> Ints:
    """A node's lag at each moment in bytes, commits and nanoseconds, as rows."""
    if "apply" not in facts.record.positions[node]:  # a primary that was never anything else
        return np.zeros((3, len(moments)), dtype=np.int64)
    inserted, applied = facts.column("inserted"), facts.reached(node, "apply")
    done = np.searchsorted(applied, moments, side="right")
    there = np.searchsorted(inserted, moments, side="right")
    oldest = np.append(inserted, 0)[done]
    return np.stack([facts.behind(node, moments), there - done, np.where(there > done, moments - oldest, 0)])


def _roles(facts: Facts, node: str, moments: Ints) -> list[Role]:
    ruling = _covered([each for each in reigns(facts) if each.node == node], moments)
    gone = _covered([each for each in absences(facts) if each.node == node], moments)
    pairs = zip(ruling.tolist(), gone.tolist(), strict=True)
    return ["down" if down else "primary" if primary else "standby" for primary, down in pairs]


def _covered(stretches: Sequence[Stretch], moments: Ints) -> NDArray[np.bool_]:
    """Which moments lie in one of the stretches; the last moment of the run is in a stretch that lasts to its end."""
    inside = np.zeros(len(moments), dtype=bool)
    for each in stretches:
        inside |= (each.start <= moments) & (moments <= each.end)
    return inside


def _leaders(facts: Facts, moments: Ints) -> list[str]:
    """Who the last node is, at each moment, that has become primary."""
    branches = facts.record.branches
    if not branches:
        return [facts.record.scenario.primary.name] * len(moments)
    latest = np.searchsorted([branch.start for branch in branches], moments, side="right") - 1
    return [branches[place].node for place in latest]


def _flights(facts: Facts, node: str, moments: Ints) -> list[Flight]:
    record = facts.record
    sent, received, replies = record.position(node, "sent"), record.position(node, "receive"), record.replies[node]
    in_flight = distance(record.branches, sent.at(moments), received.at(moments))
    cut_off = moments >= _ends(facts, sent.at(moments))
    in_flight[cut_off] = 0
    messages = _on_the_way(sent.time, *_arrivals(facts, node, sent, received), moments)
    # A reply leaves when its standby has flushed what it reports; one that reports nothing new is not shown.
    told = Trajectory.of(replies.time, replies.flush)
    left = record.position(node, "flush").crossing(told.lsn)
    answers = _on_the_way(left, told.time, told.time - left, moments)
    return [
        Flight(int(in_flight[place]), messages[place], () if cut_off[place] else answers[place])
        for place in range(len(moments))
    ]


def _arrivals(facts: Facts, node: str, sent: Trajectory, received: Trajectory) -> tuple[Ints, Ints]:
    """When each message that was sent to a node is no longer on its way, and how long that takes.

    What was lost with its primary goes on as others do, until that primary goes down.
    """
    arrived = received.crossing(sent.lsn)
    lasts = arrived - sent.time
    ends = _ends(facts, sent.lsn)
    lost = (arrived >= ends) & (ends < NEVER)
    if lost.any():
        lasts[lost] = _latencies(facts, node)[branch_of(sent.lsn[lost])]
        arrived[lost] = np.minimum(sent.time + lasts, ends)[lost]
    return arrived, lasts


def _ends(facts: Facts, sent: Ints) -> Ints:
    """When the primary went down that had sent each of these positions; `NEVER` where it did not."""
    duration = facts.record.scenario.duration
    ends = np.array([each.end if each.end < duration else NEVER for each in reigns(facts)], dtype=np.int64)
    return np.asarray(ends[branch_of(sent)])


def _latencies(facts: Facts, node: str) -> Ints:
    """The mean latency to a node from the primary of each branch."""
    links = [link_between(facts.record.scenario, branch.node, node) for branch in facts.record.branches]
    return np.array([max(round(link.latency.mean), 1) if link is not None else 1 for link in links], dtype=np.int64)


def _on_the_way(left: Ints, arrived: Ints, lasts: Ints, moments: Ints) -> list[tuple[float, ...]]:
    """For each moment: how far each message has got that has left and not arrived; both never fall."""
    first, last = np.searchsorted(arrived, moments, side="right"), np.searchsorted(left, moments, side="right")
    found = []
    for moment, start, end in zip(moments.tolist(), first.tolist(), last.tolist(), strict=True):
        chosen = (
            np.unique(np.linspace(start, end - 1, min(MESSAGES, end - start)).astype(np.int64)) if end > start else ()
        )
        found.append(tuple(float(min((moment - left[i]) / lasts[i], 1.0)) for i in chosen))
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
