"""The luck of reads: draws that an engine and the analysis must share.

A read that nobody waits for is computed after the run; a closed-loop user is held up by its reads, so the
engine draws them too.  Both take the same draws from here, by one rule:

- read k (from 0) of a reader takes draw k of each of its streams;
- the reads that follow write n (from 0, in the order of submission) of user u, one of ``count`` users with
  ``reads`` reads a write, take draws ``(n * count + u) * reads`` to ``(n * count + u) * reads + reads - 1``.
  A user's luck is its own: it does not depend on how the writes of others fall between;
- a read that is sent on to another node takes the same number's draw from the streams of its second way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from replsim.randomness.distributions import Distribution
from replsim.randomness.streams import Streams, Uniforms
from replsim.units import NEVER

__all__ = ["Luck", "SessionLaw", "SessionLuck", "Trips", "Ways"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

BLOCK: Final = 1024


class SessionLaw(Protocol):
    """What of a session the draws depend on."""

    @property
    def count(self) -> int:
        """The number of users."""
        ...

    @property
    def reads(self) -> int:
        """Reads after each write."""
        ...

    @property
    def read_after(self) -> Distribution[int]:
        """The pause before each read, in nanoseconds."""
        ...


class Ways(NamedTuple):
    """The network between a client and one node: one-way latencies, there and back."""

    out: Distribution[int]
    back: Distribution[int]


class Luck(NamedTuple):
    """What was drawn for reads ``first``, ``first + 1``, and so on."""

    first: int
    route: Floats
    """One uniform a read."""
    out: Sequence[Sequence[Ints]]
    """By attempt, by node: nanoseconds to that node.  Nodes that are equally far share an array."""
    back: Sequence[Sequence[Ints]]

    def way(self, ways: Sequence[Ints], rows: slice | Ints, places: Ints) -> Ints:
        """Of one attempt's ``ways``: those of the reads at ``rows`` to the nodes at ``places``."""
        first, *others = ways
        taken = first[rows]
        for place, other in enumerate(others, 1):
            if other is not first:
                taken = np.where(places == place, other[rows], taken)
        return taken


class Trips:
    """An endless sequence of reads' ways: streams ``{name}:{route}``, ``{name}:network``, ``{name}:network_back``.

    ``ways`` holds the network to each node of the route, in the route's order; one uniform a read and direction,
    whichever node it goes to, so that a change of route leaves a read's luck on the network alone.  Attempt 2 takes
    the streams ``{name}:network:2``, and so on.
    """

    def __init__(
        self,
        streams: Streams,
        name: str,
        ways: Sequence[Ways],
        *,
        attempts: int = 1,
        route: str = "route",
        first: int = 0,
    ) -> None:
        self._route = streams.uniforms(f"{name}:{route}")
        self._directions = [
            [
                ([getattr(way, word) for way in ways], streams.uniforms(f"{name}:{stream}{_again(attempt)}"))
                for attempt in range(1, attempts + 1)
            ]
            for word, stream in (("out", "network"), ("back", "network_back"))
        ]
        self._drawn = first

    def block(self, count: int) -> Luck:
        """The luck of the next ``count`` reads."""
        out, back = ([self._ways(*law, count) for law in direction] for direction in self._directions)
        luck = Luck(self._drawn, self._route.block(count), out, back)
        self._drawn += count
        return luck

    def _ways(self, laws: Sequence[Distribution[int]], uniforms: Uniforms, count: int) -> list[Ints]:
        u = uniforms.block(count) if any(law.constant is None for law in laws) else None
        ways: list[Ints] = []
        for place, law in enumerate(laws):
            if law in laws[:place]:
                ways.append(ways[laws.index(law)])
            elif law.constant is not None:
                ways.append(np.broadcast_to(np.int64(law.constant), count))
            else:
                assert u is not None
                values = np.rint(law.values(u, self._drawn, uniforms.phase))
                ways.append(np.minimum(values, NEVER // 4).astype(np.int64))
        return ways


class SessionLuck:
    """The luck of the reads that follow the writes of one session group, ``session:{name}``.

    Streams: ``read_after``, ``read_route``, ``network`` and ``network_back`` after the group's name.
    """

    def __init__(
        self, streams: Streams, name: str, session: SessionLaw, ways: Sequence[Ways], *, attempts: int = 1
    ) -> None:
        self.round = session.count * session.reads
        """Reads after one write of every user."""
        self._after = streams.draws(f"session:{name}:read_after", session.read_after)
        self._trips = Trips(streams, f"session:{name}", ways, attempts=attempts, route="read_route")

    def block(self, rounds: int) -> tuple[Ints, Luck]:
        """The pause before each read, and its luck, after every user's next ``rounds`` writes."""
        count = rounds * self.round
        return self._after.block(count), self._trips.block(count)


def _again(attempt: int) -> str:
    return "" if attempt == 1 else f":{attempt}"
