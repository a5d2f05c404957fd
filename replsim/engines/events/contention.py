"""Reads that take some of replay's time: their load, by interval, slows the replay of the node that serves them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from replsim.engines.events.agenda import Rank
from replsim.engines.events.lookout import Lookout
from replsim.engines.events.sights import Sights
from replsim.engines.events.tempo import FULL, Tempo
from replsim.randomness.arrivals import arrivals
from replsim.randomness.trips import Trips
from replsim.rules.routing import NOWHERE
from replsim.scenario import Scenario
from replsim.scenario.clients import Reader
from replsim.scenario.surges import effective
from replsim.scenario.topology import client_ways
from replsim.units import SECOND

if TYPE_CHECKING:
    from replsim.engines.events.cluster import Cluster

__all__ = ["Contention", "contended"]

INTERVAL: Final = SECOND // 10
"""Load is counted, and replay's speed set, so often."""
SLOWEST: Final = FULL // 20
"""However many reads there are, replay keeps a twentieth of its speed."""


def contended(scenario: Scenario) -> set[str]:
    """The standbys whose replay reads slow."""
    reached = {
        node
        for reader in scenario.readers.values()
        if reader.contends
        for node in reader.route.nodes(scenario.primary.name, tuple(scenario.standbys))
    }
    return reached & set(scenario.standbys)


class Contention:
    """In each interval replay runs at 1 - r of its speed, where r is the share of its node's read servers that the
    contending reads issued in that interval keep busy, with what earlier ones left over.

    Which node a read goes to is decided as its route decides, by the router's last look; where it is sent on to is
    not followed.  A model of our own: no database documents how its reads and its replay share a machine.
    """

    def __init__(self, cluster: Cluster) -> None:
        scenario = cluster.scenario
        sights = Sights(cluster)
        self._agenda = cluster.agenda
        self._loads = [
            _Load(cluster, sights, name, reader) for name, reader in scenario.readers.items() if reader.contends
        ]
        self._servers: dict[str, int] = {}
        self._tempos: dict[str, Tempo] = {}
        self._left: dict[str, int] = {}
        """By node: nanoseconds of service that were not done within their interval."""
        for name, standby in scenario.standbys.items():
            tempo = cluster.nodes[name].pace
            if standby.read_capacity is not None and isinstance(tempo, Tempo):
                self._servers[name], self._tempos[name], self._left[name] = standby.read_capacity.servers, tempo, 0

    def start(self) -> None:
        """Count for the first time, and again and again."""
        for load in self._loads:
            load.lookout.start()
        self._agenda.at(0, Rank.READ, 0, self._count)

    def _count(self, now: int) -> None:
        work = dict(self._left)
        for load in self._loads:
            for node, service in load.until(now + INTERVAL).items():
                if node in work:
                    work[node] += service
        for node, servers in self._servers.items():
            can = servers * INTERVAL
            busy = min(work[node], can)
            self._left[node] = work[node] - busy
            self._tempos[node].set(now, max(FULL - FULL * busy // can, SLOWEST))
        self._agenda.at(now + INTERVAL, Rank.READ, 0, self._count)


class _Load:
    """The reads of one reader, node by node."""

    def __init__(self, cluster: Cluster, sights: Sights, name: str, reader: Reader) -> None:
        scenario, streams = cluster.scenario, cluster.streams
        self._route = reader.route
        self._nodes = reader.route.nodes(scenario.primary.name, tuple(scenario.standbys))
        self._issued = arrivals(
            streams, f"reader:{name}:arrivals", effective(scenario, streams.seed, name, reader), scenario.duration
        )
        ways = [client_ways(scenario, reader, node) for node in self._nodes]
        self._distances = np.array([way.out.mean for way in ways])
        self._u: NDArray[np.float64] = Trips(streams, f"reader:{name}", ways).block(len(self._issued)).route
        self.lookout = Lookout(cluster.agenda, sights, reader.route, self._nodes)
        self._next = 0
        self._takes = [_takes(cluster, node) for node in self._nodes]

    def until(self, end: int) -> dict[str, int]:
        """Nanoseconds of service that the reads need which are issued before ``end``, and were not counted before."""
        first, self._next = self._next, int(np.searchsorted(self._issued, end, side="left"))
        numbers = np.arange(first, self._next)
        place = self._route.choose(numbers, self._u[first : self._next], self._distances, self.lookout.open, None)
        counts = np.bincount(place[place != NOWHERE], minlength=len(self._nodes)).tolist()
        return {node: n * takes for node, n, takes in zip(self._nodes, counts, self._takes, strict=True)}


def _takes(cluster: Cluster, node: str) -> int:
    """The mean time, in nanoseconds, that a standby serves a read; the primary has no replay to slow."""
    standby = cluster.scenario.standbys.get(node)
    return 0 if standby is None or standby.read_capacity is None else round(standby.read_capacity.service.mean)
