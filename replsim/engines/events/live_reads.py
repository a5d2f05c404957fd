"""The reads of closed-loop users, where what they see decides how long they take: one event after the other.

The same rules as those of `replsim.analysis.reads`, which works the reads out again after the run, from positions: a
test holds the one against the other.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from replsim.engines.events.agenda import Rank
from replsim.engines.events.clients import Step
from replsim.engines.events.closed_loop import ClosedLoop
from replsim.engines.events.lookout import Lookout
from replsim.engines.events.sights import Sights
from replsim.randomness.trips import Luck, SessionLuck
from replsim.rules.routing import NOWHERE
from replsim.scenario.clients import Session
from replsim.scenario.topology import client_ways

if TYPE_CHECKING:
    from replsim.engines.events.cluster import Cluster

__all__ = ["LiveReads", "live_reads"]

Ints = NDArray[np.int64]
BLOCK: Final = 1024


def live_reads(cluster: Cluster) -> list[LiveReads]:
    """The users whose reads are events, wired to a cluster without faults; none in most scenarios."""
    found: list[LiveReads] = []
    scenario, reign = cluster.scenario, cluster.reigns[0]
    sights = Sights(cluster)
    for index, (name, session) in enumerate(scenario.sessions.items(), len(scenario.writers)):
        if session.live:
            group = cluster.groups[index]
            assert isinstance(group, ClosedLoop)

            def go_on(wrote: Step, time: int, group: ClosedLoop = group) -> None:
                reign.transactions.add(group.resume(wrote.client, time), wrote.submitted)
                reign.primary.expect_inserts()

            found.append(LiveReads(cluster, sights, name, index=index, go_on=go_on))

    def hear(row: int, visible: int, acknowledged: int) -> None:
        sights.answered(row, visible)
        for each in found:
            each.answered(row, acknowledged)

    if found:
        reign.primary.eager = True
        reign.transactions.hearers.append(hear)
    return found


class Trip(NamedTuple):
    """A read on its way."""

    user: int
    number: int
    place: int
    """Where it goes or is, among the nodes that it may come to."""
    attempt: int
    """How many nodes it came to before."""
    token: int
    """One more than the newest commit that it must see."""


class LiveReads:
    """The users of one session group: each reads after its write, and goes on once its last read is answered."""

    def __init__(
        self,
        cluster: Cluster,
        sights: Sights,
        name: str,
        *,
        index: int,
        go_on: Callable[[Step, int], None],
    ) -> None:
        scenario, streams = cluster.scenario, cluster.streams
        self._session: Session = scenario.sessions[name]
        self._agenda, self._sights, self._log = cluster.agenda, sights, cluster.reigns[0].log
        self._index, self._go_on = index, go_on
        primary, route = scenario.primary.name, self._session.route
        nodes = route.nodes(primary, tuple(scenario.standbys))
        self._choices = len(nodes)
        self._nodes = nodes if primary in nodes else (*nodes, primary)
        self._home = self._nodes.index(primary)
        ways = [client_ways(scenario, self._session, node) for node in self._nodes]
        self._distances = np.array([way.out.mean for way in ways[: self._choices]])
        self._luck = SessionLuck(streams, name, self._session, ways, attempts=self._session.attempts(self._choices))
        self._blocks: list[tuple[Ints, Luck]] = []
        self._rounds = max(BLOCK // self._luck.round, 1)
        self._homes = None
        if route.policy == "per_session":
            self._homes = streams.uniforms(f"session:{name}:home").block(self._session.count)
        self._lookout = Lookout(cluster.agenda, sights, route, nodes)
        count = self._session.count
        self._round, self._told, self._written, self._read = [-1] * count, [0] * count, [0] * count, [0] * count
        """By user: which round it is in, when its newest write was told, that write, and the most that it saw."""
        self._wrote: list[Step | None] = [None] * count
        self._acknowledged: list[tuple[int, int]] = []
        """Commits whose clients do not know yet, or not for long enough: when they do, and their count."""
        self._known = 0

    def start(self) -> None:
        """Look at the lag for the first time."""
        self._lookout.start()

    def answered(self, row: int, acknowledged: int) -> None:
        """A commit of anybody's has its answer on the way; after a user's own the user reads."""
        if self._session.bound is not None:
            heappush(self._acknowledged, (acknowledged, row + 1))
        step = self._log.steps[row]
        if step.group == self._index:
            user = step.client
            self._round[user] += 1
            self._wrote[user], self._told[user], self._written[user] = step, acknowledged, row + 1
            number = (self._round[user] * self._session.count + user) * self._session.reads
            self._issue_after(acknowledged, user, number)

    def _issue_after(self, time: int, user: int, number: int) -> None:
        block, at = self._drawn(number)
        self._agenda.at(time + int(block[0][at]), Rank.READ, 0, lambda now: self._issue(now, user, number))

    def _issue(self, now: int, user: int, number: int) -> None:
        bounded = 0
        if self._session.bound is not None:
            while self._acknowledged and self._acknowledged[0][0] <= now - self._session.bound:
                self._known = max(self._known, heappop(self._acknowledged)[1])
            bounded = self._known
        token = 0
        if self._session.promises:
            token = int(self._session.token(self._written[user], self._read[user], bounded))
        place = self._choose(now, user, number)
        self._travel(now, Trip(user, number, place, 0, token))

    def _choose(self, now: int, user: int, number: int) -> int:
        """Where a read goes first."""
        route, sights = self._session.route, self._sights
        (_, luck), at = self._drawn(number)
        u = luck.route[at : at + 1] if self._homes is None else self._homes[user : user + 1]
        place = int(route.choose(np.array([number]), u, self._distances, self._lookout.open, None)[0])
        if route.primary_after_write is not None and now - self._told[user] < route.primary_after_write:
            return self._home
        if route.until_caught_up is not None:
            asked = [self._nodes[place]]
            if route.until_caught_up != "chosen":
                asked = [node for node in self._nodes[: self._choices] if not sights.is_primary(node)]
            caught = [sights.seen(node, now) >= self._written[user] for node in asked]
            if caught and not (any(caught) if route.until_caught_up == "any" else all(caught)):
                return self._home
        return self._home if place == NOWHERE else place

    def _travel(self, left: int, trip: Trip) -> None:
        """On the way to a node, since ``left``."""
        (_, luck), at = self._drawn(trip.number)
        arrival = left + int(luck.out[trip.attempt][trip.place][at])
        self._agenda.at(arrival, Rank.READ, 0, lambda now: self._arrive(now, trip))

    def _arrive(self, now: int, trip: Trip) -> None:
        node, session = self._nodes[trip.place], self._session
        if trip.place == self._home or self._sights.seen(node, now) >= trip.token:
            self._look(now, trip)
        elif session.by == "wait":
            self._wait(now, trip)
        else:
            to_next = session.by == "another" and trip.attempt + 1 < self._choices
            self._send_on(now, trip, (trip.place + 1) % self._choices if to_next else self._home)

    def _wait(self, now: int, trip: Trip) -> None:
        """Until the standby has replayed up to the token, or the time is up."""
        limit = now + self._session.timeout
        waiting = True

        def replayed(ready: int) -> None:
            nonlocal waiting
            if waiting and ready <= limit:
                waiting = False
                self._agenda.at(ready, Rank.READ, 0, lambda then: self._look(then, trip))

        def time_up(then: int) -> None:
            nonlocal waiting
            if waiting:
                waiting = False
                if self._session.at_timeout == "primary":
                    self._send_on(then, trip, self._home)
                else:
                    self._look(then, trip)

        self._sights.replay(self._nodes[trip.place]).call_when(trip.token, replayed)
        if waiting:
            self._agenda.at(limit, Rank.READ, 0, time_up)

    def _send_on(self, now: int, trip: Trip, place: int) -> None:
        """Back from where it is, and on to another node."""
        (_, luck), at = self._drawn(trip.number)
        back = int(luck.back[trip.attempt][trip.place][at])
        self._travel(now + back, trip._replace(place=place, attempt=trip.attempt + 1))

    def _look(self, now: int, trip: Trip) -> None:
        user, number = trip.user, trip.number
        self._read[user] = max(self._read[user], self._sights.seen(self._nodes[trip.place], now))
        (_, luck), at = self._drawn(number)
        answered = now + int(luck.back[trip.attempt][trip.place][at])
        if (number + 1) % self._session.reads:
            self._issue_after(answered, user, number + 1)
        else:
            wrote = self._wrote[user]
            assert wrote is not None
            self._go_on(wrote, answered)

    def _drawn(self, number: int) -> tuple[tuple[Ints, Luck], int]:
        """The block of draws that a read's number lies in, and its place there."""
        size = self._rounds * self._luck.round
        while number >= len(self._blocks) * size:
            self._blocks.append(self._luck.block(self._rounds))
        return self._blocks[number // size], number % size
