"""A read's way from its issue to its answer: where it goes, how long it waits, where it is sent on to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from replsim.analysis.reads.views import Views
from replsim.randomness.trips import Luck
from replsim.rules.promises import Promise
from replsim.rules.routing import NOWHERE, Route
from replsim.scenario import Scenario
from replsim.scenario.clients import Reader, Session
from replsim.scenario.topology import client_ways
from replsim.units import NEVER

__all__ = ["FIELDS", "Router", "Walk"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Rows = slice | Ints


@dataclass(slots=True, eq=False)
class Walk:
    """Reads on their way: when each arrived at the node that it read from, looked there, and was answered."""

    node: Ints
    """The code of that node."""
    arrived: Ints
    looked: Ints
    answered: Ints
    """`NEVER` for one that still waits at the run's end, when it has its look."""
    tries: Ints
    """How many nodes it came to."""
    waited: Ints
    """Nanoseconds that it waited for replay, on all of them."""
    queued: Ints
    """Nanoseconds that it waited for its turn at its node, after that."""
    served: Ints
    """Nanoseconds that it was served there, after its look."""
    timed_out: Bools
    diverted: Bools
    """It went to the primary, and its route's policy had not chosen that."""

    @classmethod
    def plain(cls, node: Ints, arrived: Ints, answered: Ints) -> Walk:
        """Reads that looked when they arrived at their first node."""
        none, one = np.broadcast_to(np.int64(0), len(node)), np.broadcast_to(np.int64(1), len(node))
        never = np.broadcast_to(np.False_, len(node))
        return cls(node, arrived, arrived, answered, one, none, none, none, never, never)

    @property
    def ready(self) -> Ints:
        """When each would have looked, had it not had to wait for its turn."""
        return self.looked - self.queued

    def take_turns(self, queued: Ints, served: Ints) -> None:
        """Reads look when their turn comes, and are served for a while after that."""
        done = self.answered < NEVER
        self.queued, self.served = np.where(done, queued, 0), np.where(done, served, 0)
        self.looked = self.looked + self.queued
        self.answered = self.answered + self.queued + self.served

    @classmethod
    def rows(cls, columns: Sequence[Walk]) -> Walk:
        """Columns of reads side by side, as tables with a row for each place in a column."""
        return cls(*(np.stack([getattr(walk, name) for walk in columns], axis=1) for name in FIELDS))

    def where(self, chosen: Any) -> Walk:
        """Some of the reads."""
        return Walk(*(getattr(self, name)[chosen] for name in FIELDS))

    def ravel(self) -> Walk:
        """The rows one after the other."""
        return Walk(*(getattr(self, name).ravel() for name in FIELDS))

    def put(self, chosen: Any, others: Walk) -> None:
        """Replace some of the reads."""
        for name in FIELDS:
            getattr(self, name)[chosen] = getattr(others, name)


FIELDS: Final = tuple(each.name for each in fields(Walk))


class Router:
    """One client's way to its nodes: its route, its promise, and the network."""

    def __init__(self, scenario: Scenario, client: Reader | Session, views: Views) -> None:
        self.route: Route = client.route
        self.promise: Promise = client
        self._views = views
        self._end = scenario.duration
        primary = scenario.primary.name
        self.nodes = self.route.nodes(primary, tuple(scenario.standbys))
        # What closed-loop users wait for was known before anything failed: they keep to the servers that they had.
        self._stays = isinstance(client, Session) and client.think is not None
        times = [] if self._stays else [views.downtimes(node) for node in self.nodes]
        self._downtimes = [time for windows in times for window in windows for time in window]
        fails = self.route.quorum is None and bool(self._downtimes)
        falls_back = fails or self.route.looks_at_lag or self.route.looks_at_writes or self.promise.promises
        self.targets = self.nodes if primary in self.nodes or not falls_back else (*self.nodes, primary)
        """The nodes that a read may come to: those of the route, and the primary where it may fall back on it."""
        self._primary = self.targets.index(primary) if primary in self.targets else NOWHERE
        """The place that stands for the primary; where that becomes another node, it is one of its own."""
        self._since = self._who = np.zeros(1, dtype=np.int64)
        follows = len({node for _, node in views.serving}) > 1 and (falls_back or self.route.policy == "primary")
        if follows and not self._stays:
            self._follow(views.serving)
        self.codes = np.array([scenario.nodes.index(node) for node in self.targets], dtype=np.int64)
        self.ways = [client_ways(scenario, client, node) for node in self.targets]
        self.attempts = self.promise.attempts(len(self.nodes))
        self._edges, self._open = self._openings(scenario.duration)

    def choose(self, issued: Ints, numbers: Ints, u: NDArray[np.float64]) -> Ints:
        """The place among `targets` that the policy chooses for reads issued at these times."""
        look = None
        if self.route.policy == "primary" and self._moves:
            return np.full(len(issued), self._primary)
        if len(self._edges) > 1:
            look = np.searchsorted(self._edges, issued, side="right") - 1
        distances = np.array([way.out.mean for way in self.ways[: len(self.nodes)]])
        return self.route.choose(numbers, u, distances, self._open, look)

    @property
    def _moves(self) -> bool:
        """Whether the primary is one node now and another then."""
        return len(self._since) > 1

    def _follow(self, serving: Sequence[tuple[int, str]]) -> None:
        """Reads of the primary go to whoever serves the clients at the time; its place is beyond those of the nodes."""
        new = dict.fromkeys(node for _, node in serving if node not in self.targets)
        self.targets = (*self.targets, *new)
        self._primary = len(self.targets)
        self._since = np.array([time for time, _ in serving], dtype=np.int64)
        self._who = np.array([self.targets.index(node) for _, node in serving], dtype=np.int64)

    def _at(self, place: Ints, moments: Ints) -> Ints:
        """The places of the nodes that reads come to which leave for a place at these times."""
        if not self._moves:
            return place
        return np.where(
            place == self._primary, self._who[np.searchsorted(self._since, moments, side="right") - 1], place
        )

    def _openings(self, end: int) -> tuple[Ints, Bools]:
        """When it changes which nodes are open, and which are from then on: by the router's looks at the lag, and by
        crashes and returns, which it knows of at once."""
        views, route = self._views, self.route
        looks = np.arange(0, end + 1 if route.looks_at_lag else 1, route.poll_interval, dtype=np.int64)
        edges = np.unique(np.concatenate([looks, np.array(self._downtimes, dtype=np.int64)]))
        up = np.ones((len(edges), len(self.nodes)), dtype=bool)
        if self._downtimes:
            up = ~np.stack([views.down(node, edges) for node in self.nodes], axis=1)
        if not route.looks_at_lag:
            return edges, up
        last = np.searchsorted(looks, edges, side="right") - 1
        lag, lag_bytes = views.lags(self.nodes, route.poll_interval)
        return edges, route.open(lag[last], lag_bytes[last], up)

    def after_write(self, place: Ints, issued: Ints, told: Ints, written: Ints) -> Ints:
        """Where reads go instead, whose users' newest acknowledged write was told at ``told`` (0: none) and is commit
        ``written - 1``."""
        to_primary = np.zeros(len(place), dtype=bool)
        if self.route.primary_after_write is not None:
            to_primary |= (told > 0) & (issued - told < self.route.primary_after_write)
        if self.route.until_caught_up is not None:
            to_primary |= ~self._caught_up(place, issued, written)
        return np.where(to_primary, NOWHERE, place)

    def walk(self, luck: Luck, rows: Rows, issued: Ints, place: Ints, token: Ints | None) -> Walk:
        """From the choice of a place to the answer.  ``rows`` are the reads' rows in ``luck``."""
        chosen = place
        place = np.where(place == NOWHERE, self._primary, place) if self._primary != NOWHERE else place
        there = self._at(place, issued)
        arrived = issued + luck.way(luck.out[0], rows, there)
        walk = Walk.plain(self.codes[there], arrived, arrived + luck.way(luck.back[0], rows, there))
        if token is not None:
            assert self._primary != NOWHERE
            walk.tries = np.ones(len(issued), dtype=np.int64)
            if self.promise.by == "wait":
                place = self._wait(walk, luck, rows, place, token)
            else:
                place = self._elsewhere(walk, luck, rows, place, token)
        if self._primary != NOWHERE:
            walk.diverted = (place == self._primary) & (chosen != self._primary)
        return walk

    def _wait(self, walk: Walk, luck: Luck, rows: Rows, place: Ints, token: Ints) -> Ints:
        """Wait where it is until the token is replayed, or the time is up."""
        limit = walk.arrived + self.promise.timeout
        replayed = self._views.ready(walk.node, token, walk.arrived)
        if self._moves:  # the primary takes every read, whoever that is
            replayed[place == self._primary] = 0
        ready = np.maximum(walk.arrived, replayed)
        walk.timed_out = (ready > limit) & ((ready < NEVER) | (limit <= self._end))
        # What is not replayed by the end may be so before the time is up: nobody knows.
        unknown = (ready == NEVER) & ~walk.timed_out
        until = np.minimum(ready, limit)
        walk.waited = np.where(unknown, np.maximum(self._end - walk.arrived, 0), until - walk.arrived)
        walk.looked = until
        walk.answered = walk.answered + walk.waited
        gone = np.flatnonzero(walk.timed_out)
        if self.promise.at_timeout == "primary" and len(gone):
            place = self._send_on(walk, luck, rows, gone, place, np.full(len(gone), self._primary), 1)
        walk.looked[unknown] = np.maximum(self._end, walk.arrived[unknown])
        walk.answered[unknown] = NEVER
        return place

    def _elsewhere(self, walk: Walk, luck: Luck, rows: Rows, place: Ints, token: Ints) -> Ints:
        """Be sent on until a node has the token."""
        walk.looked = walk.arrived.copy()
        for attempt in range(1, self.attempts):
            away = place != self._primary
            away[away] = ~self._views.holds(walk.node[away], walk.arrived[away], token[away])
            gone = np.flatnonzero(away)
            if not len(gone):
                break
            following = np.full(len(gone), self._primary)
            if self.promise.by == "another" and attempt < len(self.nodes):
                following = (place[gone] + 1) % len(self.nodes)
            place = self._send_on(walk, luck, rows, gone, place, following, attempt)
        return place

    def _send_on(
        self, walk: Walk, luck: Luck, rows: Rows, gone: NDArray[np.intp], place: Ints, to: Ints, attempt: int
    ) -> Ints:
        """The reads ``gone`` go back from where they are and on ``to`` other places: their way number ``attempt``."""
        place[gone] = to
        there = gone if isinstance(rows, slice) else rows[gone]
        to = self._at(to, walk.answered[gone])
        arrived = walk.answered[gone] + luck.way(luck.out[attempt], there, to)
        walk.node[gone], walk.arrived[gone] = self.codes[to], arrived
        walk.looked[gone], walk.answered[gone] = arrived, arrived + luck.way(luck.back[attempt], there, to)
        walk.tries[gone] += 1
        return place

    def _caught_up(self, place: Ints, issued: Ints, written: Ints) -> Bools:
        """Whether the standbys that the route asks have replayed each user's write when the read is issued."""
        if self.route.until_caught_up == "chosen":
            there = np.where(place == NOWHERE, 0, self.codes[self._at(place, issued)])
            return self._views.holds(there, issued, written)
        shown: list[Any] = [
            self._views.holds(np.broadcast_to(code, len(issued)), issued, written)
            for code in self.codes[: len(self.nodes)]
            if code
        ]
        if not shown:
            return np.ones(len(issued), dtype=bool)
        caught: Bools = (np.all if self.route.until_caught_up == "all" else np.any)(shown, axis=0)
        return caught
