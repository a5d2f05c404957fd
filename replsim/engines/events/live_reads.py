"""The reads of closed-loop users, where what they see decides how long they take: one event after the other.

The same rules as those of `replsim.analysis.reads`, which works the reads out again after the run, from positions: a
test holds the one against the other.  Where something may happen to the cluster, what became of each is recorded.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from replsim.engines.events.agenda import Rank
from replsim.engines.events.clients import Step
from replsim.engines.events.closed_loop import ClosedLoop
from replsim.engines.events.lookout import Lookout
from replsim.engines.events.sights import Sights
from replsim.engines.events.stranded import RECONNECT
from replsim.engines.events.trip import Trip, recorded
from replsim.randomness.trips import Luck, SessionLuck
from replsim.record import Table
from replsim.record.branch import LSN
from replsim.rules.routing import NOWHERE
from replsim.scenario.clients import Session
from replsim.scenario.topology import client_ways
from replsim.units import NEVER

if TYPE_CHECKING:
    from replsim.engines.events.cluster import Cluster
    from replsim.engines.events.log import Log
    from replsim.engines.events.node import Node
    from replsim.engines.events.reign import Reign

__all__ = ["LiveReads", "live_reads"]

Ints = NDArray[np.int64]
BLOCK: Final = 1024


def live_reads(cluster: Cluster) -> list[LiveReads]:
    """The users whose reads are events, wired to a cluster; none in most scenarios."""
    scenario = cluster.scenario
    sights = Sights(cluster)
    found = [
        LiveReads(cluster, sights, name, index)
        for index, (name, session) in enumerate(scenario.sessions.items(), len(scenario.writers))
        if session.live
    ]
    if found:
        reign = cluster.reigns[0]
        reign.transactions.hearers.append(lambda row, visible, _: sights.answered(row, visible))
        for each in found:
            each.follow(reign)
    return found


class LiveReads:
    """The users of one session group: each reads after its write, and goes on once its last read is answered.

    A node that dies breaks the reads that wait on it, and refuses those that come to it.  Their users find another one
    by their route, which knows who is up; while there is none, and no primary to fall back on, they try again every
    `RECONNECT`.  A read that is tried again meets the network that it met before.
    """

    def __init__(self, cluster: Cluster, sights: Sights, name: str, index: int) -> None:
        scenario, streams = cluster.scenario, cluster.streams
        self.name = name
        self._session: Session = scenario.sessions[name]
        self._cluster, self._agenda, self._sights = cluster, cluster.agenda, sights
        self._index = index
        group = cluster.groups[index]
        assert isinstance(group, ClosedLoop)
        self._group = group
        primary, route = scenario.primary.name, self._session.route
        nodes = route.nodes(primary, tuple(scenario.standbys))
        self._choices = len(nodes)
        # Any node may be the primary one day, and each read may fall back on that.
        others = [node for node in scenario.nodes if node == primary or cluster.eventful]
        self._nodes = (*nodes, *(node for node in others if node not in nodes))
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
        self._acknowledged: list[tuple[int, int]] = []
        """Commits whose clients do not know yet, or not for long enough: when they do, and where they end."""
        self._known = 0
        self.trips: list[Trip] = []
        """All reads, in the order of their issue, where something may happen to the cluster."""
        self._waiting: dict[str, list[Trip]] = {node: [] for node in self._nodes}
        for node in self._nodes:
            cluster.nodes[node].watchers.append(self._changed)

    def start(self) -> None:
        """Look at the lag for the first time."""
        self._lookout.start()

    def follow(self, reign: Reign) -> None:
        """Hear of all that a primary answers, as it happens."""
        reign.primary.eager = True
        reign.transactions.hearers.append(lambda row, _, acknowledged: self._answered(reign.log, row, acknowledged))

    def _answered(self, log: Log, row: int, acknowledged: int) -> None:
        """A commit of anybody's has its answer on the way; after a user's own the user reads."""
        if self._session.bound is not None:
            heappush(self._acknowledged, (acknowledged, self._sights.coded(log, row + 1)))
        step = log.steps[row]
        if step.group == self._index:
            user = step.client
            self._round[user] += 1
            number = (self._round[user] * self._session.count + user) * self._session.reads
            self._issue_after(acknowledged, user, number, log, row)

    def _issue_after(self, time: int, user: int, number: int, log: Log, row: int) -> None:
        block, at = self._drawn(number)
        self._agenda.at(time + int(block[0][at]), Rank.READ, 0, lambda now: self._issue(now, user, number, log, row))

    def _issue(self, now: int, user: int, number: int, log: Log, row: int) -> None:
        if log.acknowledged[row] == NEVER:
            # Its primary died before it had answered.
            self._write(user, log.steps[row], now + RECONNECT)
            return
        self._told[user], self._written[user] = log.acknowledged[row], self._sights.coded(log, row + 1)
        bounded = 0
        if self._session.bound is not None:
            while self._acknowledged and self._acknowledged[0][0] <= now - self._session.bound:
                self._known = max(self._known, heappop(self._acknowledged)[1])
            bounded = self._known
        token = 0
        if self._session.promises:
            token = int(self._session.token(self._written[user], self._read[user], bounded))
        trip = Trip(user, number, log, row, now, token)
        if self._cluster.eventful:
            self.trips.append(trip)
        self._set_out(now, trip)

    def _set_out(self, now: int, trip: Trip) -> None:
        """To a node of the route's choice, or to the primary instead."""
        trip.chosen = self._choose(trip)
        home = trip.chosen == NOWHERE or self._first_to_primary(now, trip)
        self._travel(now, trip, NOWHERE if home else trip.chosen)

    def _choose(self, trip: Trip) -> int:
        """Where the route's policy sends a read."""
        route = self._session.route
        if route.policy == "primary":
            return NOWHERE
        (_, luck), at = self._drawn(trip.number)
        u = luck.route[at : at + 1] if self._homes is None else self._homes[trip.user : trip.user + 1]
        return int(route.choose(np.array([trip.number]), u, self._distances, self._lookout.open, None)[0])

    def _first_to_primary(self, now: int, trip: Trip) -> bool:
        """Whether what the user wrote sends its reads to the primary."""
        route, sights, user = self._session.route, self._sights, trip.user
        if route.primary_after_write is not None and now - self._told[user] < route.primary_after_write:
            return True
        if route.until_caught_up is None:
            return False
        asked = [self._nodes[trip.chosen]]
        if route.until_caught_up != "chosen":
            asked = [node for node in self._nodes[: self._choices] if sights.up(node) and not sights.is_primary(node)]
        caught = [sights.holds(node, self._written[user], now) for node in asked]
        return bool(caught) and not (any(caught) if route.until_caught_up == "any" else all(caught))

    def _travel(self, left: int, trip: Trip, place: int) -> None:
        """On the way to a node, or to the clients' primary (`NOWHERE`), since ``left``."""
        trip.home = place == NOWHERE
        if trip.home:
            primary = self._sights.serving()
            if primary is None:
                self._agenda.at(left + RECONNECT, Rank.READ, 0, lambda now: self._set_out(now, trip))
                return
            place = self._nodes.index(primary)
        trip.place, trip.tries = place, trip.tries + 1
        trip.arrived = left + self._way(trip)[0]
        self._agenda.at(trip.arrived, Rank.READ, 0, lambda now: self._arrive(now, trip))

    def _way(self, trip: Trip) -> tuple[int, int]:
        """How long it takes to the node where it goes or is, and back."""
        (_, luck), at = self._drawn(trip.number)
        attempt = min(trip.tries, len(luck.out)) - 1
        return int(luck.out[attempt][trip.place][at]), int(luck.back[attempt][trip.place][at])

    def _arrive(self, now: int, trip: Trip) -> None:
        node, session = self._nodes[trip.place], self._session
        if not self._sights.up(node):
            self._refuse(now, trip)
        elif self._sights.holds(node, trip.token, now):
            self._look(now, trip)
        elif session.by == "wait":
            self._wait(now, trip)
        else:
            self._send_on(now, trip, self._next(trip) if session.by == "another" else NOWHERE)

    def _next(self, trip: Trip) -> int:
        """The next node of the route after the one where a read is, if it has not come to all of them."""
        last = self._choices - trip.tries
        places = [(trip.place + i) % self._choices for i in range(1, last + 1)] if trip.place < self._choices else []
        return next((place for place in places if self._sights.up(self._nodes[place])), NOWHERE)

    def _wait(self, now: int, trip: Trip) -> None:
        """Until the standby has replayed up to the token, or the time is up."""
        if trip.limit == NEVER:
            trip.limit = now + self._session.timeout
        trip.waits = now
        self._waiting[self._nodes[trip.place]].append(trip)
        self._listen(trip)
        self._agenda.at(max(trip.limit, now), Rank.READ, 0, lambda then: self._time_up(then, trip, now))

    def _listen(self, trip: Trip) -> None:
        """Hear of the token's replay, and look then, if nothing has put it off."""
        since, node = trip.waits, self._nodes[trip.place]
        replay = self._sights.replay(node)

        def due(now: int) -> None:
            if trip.waits != since:
                return
            if self._sights.holds(node, trip.token, now):
                self._end_wait(now, trip)
                self._look(now, trip)
            else:
                self._listen(trip)

        def replayed(ready: int) -> None:
            if trip.waits == since and ready <= trip.limit:
                self._agenda.at(ready, Rank.READ, 0, due)

        replay.call_when(trip.token & LSN, replayed)

    def _time_up(self, now: int, trip: Trip, since: int) -> None:
        if trip.waits != since:
            return
        self._end_wait(now, trip)
        trip.timed_out = not self._sights.holds(self._nodes[trip.place], trip.token, now)
        if trip.timed_out and self._session.at_timeout == "primary":
            self._send_on(now, trip, NOWHERE)
        else:
            self._look(now, trip)

    def _end_wait(self, now: int, trip: Trip) -> None:
        trip.waited, trip.waits = trip.waited + now - trip.waits, -1
        self._waiting[self._nodes[trip.place]].remove(trip)

    def _changed(self, node: Node, now: int) -> None:
        """A node has died, which breaks the reads that wait on it, or is the primary, which takes them as they are."""
        for trip in list(self._waiting[node.name]):
            self._end_wait(now, trip)
            if node.reign is not None:
                self._look(now, trip)
            else:
                self._refuse(now, trip)

    def _refuse(self, now: int, trip: Trip) -> None:
        """Back from a node that is down: its user asks the route again."""
        self._agenda.at(now + self._way(trip)[1], Rank.READ, 0, lambda then: self._set_out(then, trip))

    def _send_on(self, now: int, trip: Trip, place: int) -> None:
        """Back from where it is, and on to another node."""
        self._travel(now + self._way(trip)[1], trip, place)

    def _look(self, now: int, trip: Trip) -> None:
        user, number = trip.user, trip.number
        self._read[user] = max(self._read[user], self._sights.seen(self._nodes[trip.place], now))
        trip.looked, trip.answered = now, now + self._way(trip)[1]
        if (number + 1) % self._session.reads:
            self._issue_after(trip.answered, user, number + 1, trip.log, trip.row)
        else:
            self._write(user, trip.log.steps[trip.row], trip.answered)

    def _write(self, user: int, wrote: Step, time: int) -> None:
        """A user goes on with its next write."""
        self._cluster.succession.submit(self._group.resume(user, time), wrote.submitted)

    def recorded(self, rows: Callable[[Log, int], int]) -> Table:
        """What became of all reads; ``rows`` tells the rows of the commits that they follow."""
        scenario = self._cluster.scenario
        trips = [trip for trip in self.trips if trip.issued < scenario.duration]
        falls_back = self._session.route.policy != "primary"
        return recorded(trips, self._nodes, scenario, falls_back=falls_back, rows=rows)

    def _drawn(self, number: int) -> tuple[tuple[Ints, Luck], int]:
        """The block of draws that a read's number lies in, and its place there."""
        size = self._rounds * self._luck.round
        while number >= len(self._blocks) * size:
            self._blocks.append(self._luck.block(self._rounds))
        return self._blocks[number // size], number % size
