"""Where a read goes and how long its way takes: draws that an engine and the analysis must share.

A read that nobody waits for is computed after the run; a closed-loop user is held up by its reads, so the
engine draws them too.  Both take the same draws from here, by one rule:

- read k (from 0) of a reader takes draw k of each of its streams;
- the reads that follow write n (from 0, in the order of submission) of user u, one of ``count`` users with
  ``reads`` reads a write, take draws ``(n * count + u) * reads`` to ``(n * count + u) * reads + reads - 1``.
  A user's luck is its own: it does not depend on how the writes of others fall between.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from replsim.randomness.distributions import Distribution
from replsim.randomness.streams import Streams, Uniforms
from replsim.units import NEVER

__all__ = ["RouteLaw", "SessionDraws", "SessionLaw", "Trip", "Trips", "Ways"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

BLOCK: Final = 1024


class RouteLaw(Protocol):
    """A routing rule."""

    def choose(self, first: int, u: Floats, distances: Floats) -> Ints:
        """The index of the node of reads ``first``, ``first + 1``, …, one uniform each."""
        ...


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

    @property
    def route(self) -> RouteLaw:
        """Where its reads go."""
        ...


class Trip(NamedTuple):
    """Reads in a row, as arrays of one shape."""

    after: Ints
    """Nanoseconds between the answer before (or the acknowledgement of the write) and the read."""
    node: Ints
    """The place of the read's node among those of its route."""
    out: Ints
    """Nanoseconds to the node."""
    back: Ints
    """Nanoseconds back."""


class Ways(NamedTuple):
    """The network between a client and one node: one-way latencies, there and back."""

    out: Distribution[int]
    back: Distribution[int]


class Trips:
    """An endless sequence of reads' ways: streams ``{name}:{route}``, ``{name}:network``, ``{name}:network_back``.

    ``ways`` holds the network to each node of the route, in the route's order; one uniform a read and direction,
    whichever node it goes to, so that a change of route leaves a read's luck on the network alone.
    """

    def __init__(
        self, streams: Streams, name: str, law: RouteLaw, ways: Sequence[Ways], *, route: str = "route"
    ) -> None:
        self._law = law
        self._distances = np.array([way.out.mean for way in ways])
        self._there = [way.out for way in ways]
        self._home = [way.back for way in ways]
        self._route = streams.uniforms(f"{name}:{route}")
        self._out = streams.uniforms(f"{name}:network")
        self._back = streams.uniforms(f"{name}:network_back")
        self._drawn = 0

    def block(self, count: int) -> Trip:
        """The ways of the next ``count`` reads; ``after`` is zero."""
        node = np.asarray(self._law.choose(self._drawn, self._route.block(count), self._distances), dtype=np.int64)
        out, back = self._ways(self._there, self._out, node), self._ways(self._home, self._back, node)
        self._drawn += count
        return Trip(np.zeros(count, dtype=np.int64), node, out, back)

    def _ways(self, networks: Sequence[Distribution[int]], uniforms: Uniforms, node: Ints) -> Ints:
        if all(network.constant is not None for network in networks):
            return np.array([network.constant for network in networks], dtype=np.int64)[node]
        u = uniforms.block(len(node))
        first = networks[0]
        ways = self._rounded(first, u, uniforms.phase)
        for place, network in enumerate(networks):
            if network != first:
                ways = np.where(node == place, self._rounded(network, u, uniforms.phase), ways)
        return ways

    def _rounded(self, network: Distribution[int], u: Floats, phase: float) -> Ints:
        return np.minimum(np.rint(network.values(u, self._drawn, phase)), NEVER // 4).astype(np.int64)


class SessionDraws:
    """The reads that follow the writes of one session group, ``session:{name}``.

    Streams: ``read_after``, ``read_route``, ``network`` and ``network_back`` after the group's name.
    Use either `block` or `pause` on one value.
    """

    def __init__(self, streams: Streams, name: str, session: SessionLaw, ways: Sequence[Ways]) -> None:
        self._reads = session.reads
        self._count = session.count
        self._after = streams.draws(f"session:{name}:read_after", session.read_after)
        self._trips = Trips(streams, f"session:{name}", session.route, ways, route="read_route")
        self._pauses: list[int] = []

    def block(self, rounds: int) -> Trip:
        """The reads after every user's next ``rounds`` writes: arrays of shape (rounds, users, reads)."""
        shape = (rounds, self._count, self._reads)
        count = rounds * self._count * self._reads
        trip = self._trips.block(count)._replace(after=self._after.block(count))
        return Trip(*(column.reshape(shape) for column in trip))

    def pause(self, user: int, nth: int) -> int:
        """Nanoseconds from the acknowledgement of the user's ``nth`` write (from 0) to its last read's answer."""
        at = nth * self._count + user
        while at >= len(self._pauses):
            trip = self.block(-(-BLOCK // self._count))
            self._pauses.extend((trip.after + trip.out + trip.back).sum(axis=2).ravel().tolist())
        return self._pauses[at]
