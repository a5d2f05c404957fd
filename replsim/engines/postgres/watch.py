"""The readers of a scenario, and a look at every server's positions now and then: a process of its own.

A read asks its node how far it has replayed, by the node's own clock.  That is all that a read's verdict depends on,
so the looks of readers and our own together are the record of what each node showed.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from psycopg import OperationalError
from psycopg.pq.abc import PGresult

from replsim.engines.postgres import statements
from replsim.engines.postgres.channel import serve
from replsim.engines.postgres.job import unpack
from replsim.engines.postgres.line import Line
from replsim.engines.postgres.loop import Loop
from replsim.randomness import Streams
from replsim.randomness.arrivals import arrivals
from replsim.randomness.trips import Trips
from replsim.scenario import Scenario
from replsim.scenario.clients import Reader
from replsim.scenario.surges import effective
from replsim.scenario.topology import client_ways
from replsim.units import SECOND

__all__ = ["EVERY", "Job", "main"]

EVERY: Final = SECOND // 100
"""Nanoseconds between our own looks at a node."""
LINES: Final = 4
"""A node's connections for readers; reads that find none free wait for one."""
AGAIN: Final = SECOND // 20
"""How soon a node is tried again that took no connection."""


class Job(NamedTuple):
    """What the process is given."""

    scenario: str
    """As `pack` makes it."""
    seed: int
    nodes: Mapping[str, str]
    """How to connect to each."""


class Node:
    """One server, its connections, and what they saw."""

    def __init__(self, loop: Loop, conninfo: str) -> None:
        self._loop = loop
        self._conninfo = conninfo
        self.seen = array("q")
        """By each look: whether it is a standby, its two positions, and microseconds since 1970."""
        self.late = array("q")
        """How late each look got hold of a connection, in nanoseconds."""
        self._free = deque(Line(loop, conninfo, [statements.LOOK]) for _ in range(LINES))
        self._waiting: deque[int] = deque()

    def look(self, due: int) -> None:
        """Ask for its positions, as soon as a connection is free."""
        self._waiting.append(due)
        self._serve()

    def _serve(self) -> None:
        while self._waiting and self._free:
            line = self._free.popleft()
            if not line.is_open and not self._reopen(line):
                return
            self.late.append(max(self._loop.now() - self._waiting.popleft(), 0))
            self._ask(line)

    def _ask(self, line: Line) -> None:
        line.run(0, (), lambda result: self._answered(line, result))

    def _reopen(self, line: Line) -> bool:
        try:
            line.open(self._conninfo)
        except OperationalError:
            self._loop.at(self._loop.now() + AGAIN, lambda: self._release(line))
            return False
        return True

    def _answered(self, line: Line, result: PGresult | None) -> None:
        if result is not None and result.ntuples:
            for column in range(4):
                value = result.get_value(0, column)
                assert value is not None
                self.seen.append(int.from_bytes(value, "big"))
        self._release(line)

    def _release(self, line: Line) -> None:
        self._free.append(line)
        self._serve()


class Watch:
    """All nodes and readers."""

    def __init__(self, job: Job, loop: Loop) -> None:
        self._scenario = unpack(job.scenario)
        self._seed = job.seed
        self._loop = loop
        self._nodes = {name: Node(loop, conninfo) for name, conninfo in job.nodes.items()}
        self._zero = 0

    def methods(self) -> Mapping[str, Callable[..., Any]]:
        """What a run may ask."""
        return {"begin": self._begin, "seen": self._seen, "late": self._late}

    def _begin(self, zero: int) -> None:
        self._zero = zero
        for node in self._nodes.values():
            self._every(node, zero)
        for name, reader in self._scenario.readers.items():
            _Reads(self._scenario, Streams(self._seed), name, reader, self._nodes, self._loop, zero).next()

    def _every(self, node: Node, when: int) -> None:
        self._loop.at(when, lambda: self._again(node, when))

    def _again(self, node: Node, when: int) -> None:
        node.look(when)
        # What a slow machine could not do in time is left out, not made up for.
        self._every(node, max(when + EVERY, self._loop.now()))

    def _late(self) -> tuple[float, float]:
        """The median and the 99th percentile of how late looks and reads were, in nanoseconds."""
        late = np.concatenate([np.array(node.late, dtype=np.int64) for node in self._nodes.values()])
        p50, p99 = np.percentile(late, [50, 99]) if len(late) else (0.0, 0.0)
        return float(p50), float(p99)

    def _seen(self) -> dict[str, NDArray[np.int64]]:
        return {name: np.array(node.seen, dtype=np.int64).reshape(-1, 4) for name, node in self._nodes.items()}


class _Reads:
    """A reader's reads, in the order of their arrival at their nodes."""

    def __init__(
        self,
        scenario: Scenario,
        streams: Streams,
        name: str,
        reader: Reader,
        nodes: Mapping[str, Node],
        loop: Loop,
        zero: int,
    ) -> None:
        under_load = effective(scenario, streams.seed, name, reader)
        issued = arrivals(streams, f"reader:{name}:arrivals", under_load, scenario.duration)
        places = reader.route.nodes(scenario.primary.name, tuple(scenario.standbys))
        ways = [client_ways(scenario, reader, node) for node in places]
        luck = Trips(streams, f"reader:{name}", ways).block(len(issued))
        numbers = np.arange(len(issued))
        if reader.route.quorum is None:
            # Where a route looks at lag, the verdict is worked out from positions; the looks go where it is calm.
            distances, open_ = np.array([way.out.mean for way in ways]), np.ones((1, len(ways)), dtype=bool)
            asked = [reader.route.choose(numbers, luck.route, distances, open_, None)]
        else:
            asked = [np.full(len(issued), place) for place in range(len(ways))]
        arrived = np.concatenate([issued + luck.way(luck.out[0], slice(None), place) for place in asked])
        order = np.argsort(arrived, kind="stable")
        self._reads = iter(zip(arrived[order].tolist(), np.concatenate(asked)[order].tolist(), strict=True))
        self._nodes = [nodes[place] for place in places]
        self._loop = loop
        self._zero = zero

    def next(self) -> None:
        """Expect the next."""
        read = next(self._reads, None)
        if read is not None:
            self._loop.at(self._zero + read[0], lambda: self._arrived(*read))

    def _arrived(self, when: int, place: int) -> None:
        self.next()
        self._nodes[place].look(self._zero + when)


def main() -> None:
    """Be the process that looks."""

    def make(job: Job, loop: Loop) -> tuple[int, Mapping[str, Callable[..., Any]]]:
        watch = Watch(job, loop)
        return len(job.nodes), watch.methods()

    serve(make)
