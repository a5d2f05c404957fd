"""The reads of one reader, and what is common to those of readers and of users."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from replsim.analysis.reads.capacity import Turns
from replsim.analysis.reads.views import Views
from replsim.analysis.reads.walk import Router, Walk
from replsim.randomness import Streams
from replsim.randomness.keys import KeyDraws
from replsim.randomness.trips import Trips
from replsim.rules.quorum import newest_of_first
from replsim.scenario.clients import Reader
from replsim.scenario.surges import effective
from replsim.units import NEVER

__all__ = ["Looks", "Readers"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """Reads of one reader or session group, in order of their issue: when, how, at which row, and what they saw."""

    issued: Ints
    walk: Walk
    user: Ints | None
    key: Ints | None
    seen: Ints
    """One more than the newest commit that each saw; 0 for none."""
    ahead: Bools


class Readers:
    """Open-loop readers."""

    def __init__(self, views: Views, streams: Streams, name: str, reader: Reader) -> None:
        scenario = views.facts.record.scenario
        self.stream = f"reader:{name}"
        self._views = views
        first, self._issued = views.facts.issued(
            streams, f"{self.stream}:arrivals", effective(scenario, streams.seed, name, reader)
        )
        self.numbers = np.arange(first, first + len(self._issued))
        self._router = Router(scenario, reader, views)
        self._key = None
        if reader.keys is not None:
            self._key = KeyDraws(streams.uniforms(f"{self.stream}:keys"), reader.keys).block(len(self._issued))
        self._quorum = None if reader.route.quorum is None else self._asked(streams, reader.route.quorum)
        if self._quorum is None:
            ways = self._router.ways
            trips = Trips(streams, self.stream, ways, attempts=self._router.attempts, first=first)
            self._luck = trips.block(len(self._issued))
            self._place = self._router.choose(self._issued, self.numbers, self._luck.route)
        self._token = None
        if reader.bound is not None:
            acknowledged = views.acknowledged
            self._token = acknowledged.newest(acknowledged.by(self._issued - reader.bound))

    @property
    def codes(self) -> Ints:
        """The nodes that they may come to."""
        return self._router.codes

    def follow(self, turns: Turns | None) -> tuple[Ints, Walk]:
        """Every read's way."""
        if self._quorum is not None:
            return self._issued, self._quorum[0]
        walk = self._router.walk(self._luck, slice(None), self._issued, self._place, self._token)
        if turns is not None:
            walk.take_turns(*turns)
        return self._issued, walk

    def looks(self, issued: Ints, walk: Walk) -> Looks:
        """What the reads saw that went these ways."""
        if self._quorum is not None:
            return Looks(issued, walk, None, self._key, *self._quorum[1:])
        return Looks(issued, walk, None, self._key, *self._views.looked(walk.node, walk.looked))

    def _asked(self, streams: Streams, quorum: int) -> tuple[Walk, Ints, Bools]:
        """Reads that ask every node of their route, each over ways of its own: their ways, and what they saw."""
        router, count = self._router, len(self._issued)
        places: list[tuple[Ints, Ints, Ints, Bools]] = []
        for code, to, way in zip(router.codes, router.nodes, router.ways, strict=True):
            asked = self._issued + streams.draws(f"{self.stream}:network:{to}", way.out).block(count)
            back = asked + streams.draws(f"{self.stream}:network_back:{to}", way.back).block(count)
            # Who is down does not answer; a quorum that is then too small never does.
            back = np.where(self._views.down(to, asked), NEVER, back)
            places.append((asked, back, *self._views.looked(np.broadcast_to(code, count), asked)))
        arrived, answered, seen, ahead = (np.stack(each) for each in zip(*places, strict=True))
        taken, done = newest_of_first(quorum, answered, seen)
        mine = (taken, np.arange(count))
        return Walk.plain(router.codes[taken], arrived[mine], done), seen[mine], ahead[mine]
