"""What the finite capacity of nodes does to the reads of all groups: they queue for servers.

Which reads come when depends on when earlier ones were answered, where users read several times in a row.  So all reads
are worked out from the guess that nobody queues, and again with the queues that came out, until nothing changes.  A
read depends on earlier ones only, so each round settles at least the earliest that was still wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from replsim.analysis.reads.queue import served_from
from replsim.analysis.reads.walk import Walk
from replsim.randomness import Streams
from replsim.scenario import Scenario
from replsim.scenario.nodes import Primary, Standby
from replsim.units import NEVER

__all__ = ["Capacities", "Group", "Turns", "follow"]

Ints = NDArray[np.int64]


class Turns(NamedTuple):
    """What a node's capacity costs each read, in nanoseconds: it waits for its turn, and then is served."""

    queued: Ints
    served: Ints


class Group(Protocol):
    """The reads of one reader or session group."""

    @property
    def stream(self) -> str:
        """What its random streams are called by, such as ``reader:web``."""
        ...

    @property
    def numbers(self) -> Ints:
        """Which draws its reads take, those that would be issued after the run with them."""
        ...

    def follow(self, turns: Turns | None) -> tuple[Ints, Walk]:
        """When each read is issued, and its way, given what it waits for its turn."""
        ...


class Capacities:
    """The nodes that serve so many reads at once, and the time that each read takes there."""

    def __init__(self, scenario: Scenario, streams: Streams, groups: Sequence[Group]) -> None:
        nodes: list[Primary | Standby] = [scenario.primary, *scenario.standbys.values()]
        self._limits = {code: each.read_capacity for code, each in enumerate(nodes) if each.read_capacity is not None}
        self._end = scenario.duration
        self._takes: list[dict[int, Ints]] = []
        for group in groups if self._limits else ():
            uniforms = streams.uniforms(f"{group.stream}:service")
            u = uniforms.block(int(group.numbers.max(initial=-1)) + 1)
            drawn = {code: limit.service.values(u, 0, uniforms.phase) for code, limit in self._limits.items()}
            self._takes.append(
                {code: np.rint(values).astype(np.int64)[group.numbers] for code, values in drawn.items()}
            )

    def __bool__(self) -> bool:
        return bool(self._takes)

    def turns(self, flows: Sequence[tuple[Ints, Walk]]) -> list[Turns]:
        """What the reads of each group wait for their turn, first come, first served, and how long they are served."""
        found = [Turns(np.zeros(len(issued), np.int64), np.zeros(len(issued), np.int64)) for issued, _ in flows]
        for code, limit in self._limits.items():
            mine = [
                np.flatnonzero((walk.node == code) & (issued < self._end) & (walk.answered < NEVER))
                for issued, walk in flows
            ]
            ready = np.concatenate([walk.ready[rows] for (_, walk), rows in zip(flows, mine, strict=True)])
            takes = np.concatenate([takes[code][rows] for takes, rows in zip(self._takes, mine, strict=True)])
            order = np.argsort(ready, kind="stable")
            queued = np.empty_like(ready)
            queued[order] = served_from(ready[order], takes[order], limit.servers) - ready[order]
            edges = np.cumsum([len(rows) for rows in mine])
            for turns, rows, last in zip(found, mine, edges, strict=True):
                turns.queued[rows] = queued[last - len(rows) : last]
                turns.served[rows] = takes[last - len(rows) : last]
        return found


def follow(groups: Sequence[Group], capacities: Capacities) -> list[tuple[Ints, Walk]]:
    """When the reads of each group are issued, and their ways."""
    flows = [group.follow(None) for group in groups]
    turns: list[Turns] = []
    while capacities and not _same(turns, turns := capacities.turns(flows)):
        flows = [group.follow(each) for group, each in zip(groups, turns, strict=True)]
    return flows


def _same(before: Sequence[Turns], after: Sequence[Turns]) -> bool:
    return len(before) == len(after) and all(
        np.array_equal(*pair) for turns in zip(before, after, strict=True) for pair in zip(*turns, strict=True)
    )
