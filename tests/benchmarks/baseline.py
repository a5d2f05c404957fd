"""The yardstick: the same pipeline as most people would first write it in SimPy, a process for each transaction.

A transaction takes a connection and the primary's flush device, then starts a process for each standby that travels
the link, is written, flushed and replayed there, and reports each of the three back; the commit is done when ANY 1 of
them has reported its flush.  Each process that is woken takes a moment to run.  There is no group commit, no message
that carries many commits, and none of PostgreSQL's rules of when to reply: it is here for its speed only, so that the
engine's speed is a ratio measured in one run, whatever the machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import simpy

__all__ = ["commits"]

FLUSH_MEDIAN = 0.4e-3
FLUSH_SIGMA = 0.4
LINK_SECONDS = {"s1": 0.5e-3, "s2": 1e-3, "s3": 5e-3}
WAKEUP_SECONDS = 50e-6
WRITE_SECONDS = 10e-6
REPLAY_SECONDS = 20e-6
CONNECTIONS = 500


@dataclass(frozen=True)
class Standby:
    """A standby's one-way link time and its two servers: the walreceiver with its disk, and replay."""

    link: float
    receiver: simpy.Resource
    replay: simpy.Resource


class Cluster:
    """A primary and its standbys."""

    def __init__(self, env: simpy.Environment, seed: int) -> None:
        self.env = env
        self.random = np.random.Generator(np.random.PCG64(seed))
        self.connections = simpy.Resource(env, CONNECTIONS)
        self.device = simpy.Resource(env)
        self.standbys = [Standby(link, simpy.Resource(env), simpy.Resource(env)) for link in LINK_SECONDS.values()]
        self.latencies: list[float] = []

    def flush_seconds(self) -> float:
        """The time of one flush."""
        return FLUSH_MEDIAN * float(self.random.lognormal(0.0, FLUSH_SIGMA))

    def clients(self, rate: float) -> Iterator[Any]:
        """Transactions arrive as a Poisson process."""
        while True:
            yield self.env.timeout(self.random.exponential(1 / rate))
            self.env.process(self.transaction())

    def transaction(self) -> Iterator[Any]:
        """One commit, from its arrival to its acknowledgement."""
        start = self.env.now
        with self.connections.request() as connection:
            yield connection
            with self.device.request() as turn:
                yield turn
                yield self.env.timeout(self.flush_seconds())
            flushed = [self.env.event() for _ in self.standbys]
            for standby, report in zip(self.standbys, flushed, strict=True):
                self.env.process(self.replicate(standby, report))
            yield self.env.any_of(flushed)
            yield self.env.timeout(WAKEUP_SECONDS)
        self.latencies.append(self.env.now - start)

    def replicate(self, standby: Standby, flushed: simpy.Event) -> Iterator[Any]:
        """One commit on one standby: sent, written, flushed, replayed."""
        yield self.env.timeout(WAKEUP_SECONDS)
        yield self.env.timeout(standby.link)
        yield self.env.timeout(WAKEUP_SECONDS)
        with standby.receiver.request() as turn:
            yield turn
            yield self.env.timeout(WRITE_SECONDS)
            self.env.process(self.report(standby, self.env.event()))
            yield self.env.timeout(self.flush_seconds())
            self.env.process(self.report(standby, flushed))
        with standby.replay.request() as turn:
            yield turn
            yield self.env.timeout(WAKEUP_SECONDS + REPLAY_SECONDS)
            self.env.process(self.report(standby, self.env.event()))

    def report(self, standby: Standby, received: simpy.Event) -> Iterator[Any]:
        """A reply's way back, to where it is read."""
        yield self.env.timeout(standby.link)
        yield self.env.timeout(WAKEUP_SECONDS)
        received.succeed()


def commits(rate: float, seconds: float, seed: int) -> int:
    """The number of commits acknowledged in so many simulated seconds at so many a second."""
    env = simpy.Environment()
    cluster = Cluster(env, seed)
    env.process(cluster.clients(rate))
    env.run(until=seconds)
    return len(cluster.latencies)
