"""The links of a real cluster: a process that stands between each standby and its upstream.

It listens on a port of the loopback address for each link, and passes on what comes, delayed as the scenario says.
It also listens in: what the servers tell each other on the way is the record of their positions.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from replsim.engines.postgres.channel import serve
from replsim.engines.postgres.ear import Ear, Report, Wal
from replsim.engines.postgres.job import unpack
from replsim.engines.postgres.loop import Loop
from replsim.engines.postgres.pump import HandedOn, Pump
from replsim.engines.postgres.way import Way
from replsim.randomness import DurationDistribution, Streams
from replsim.scenario import Scenario
from replsim.scenario.topology import link_between
from replsim.units import NEVER

__all__ = ["HOST", "Heard", "Job", "main"]

HOST: Final = "127.0.0.1"
MICROSECOND: Final = 1000
WAL_COLUMNS: Final = 5
REPLY_COLUMNS: Final = 6

Ints = NDArray[np.int64]
Pair = tuple[str, str]


class Job(NamedTuple):
    """What the process is given."""

    scenario: str
    """As `pack` makes it."""
    seed: int
    pairs: tuple[Pair, ...]
    """The upstream and the standby of each link."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What passed on one link, in columns: times in nanoseconds since the origin, positions in bytes;
    `NEVER` stands for what was not handed on."""

    wal: Ints
    """A row a message: read from the upstream, handed to the standby, where it ends, the upstream's flush position
    and its own time when it was made."""
    replies: Ints
    """A row a reply: read from the standby, handed to the upstream, write, flush, apply, and the standby's own time."""


@dataclass(eq=False)
class _Connection:
    """A standby's connection to its upstream through the proxy."""

    near: socket.socket
    far: socket.socket
    pumps: dict[Pair, Pump] = field(default_factory=dict)

    def close(self, *, reset: bool) -> None:
        for pump in self.pumps.values():
            pump.close()
        for end in (self.near, self.far):
            if reset:
                # No lingering: the peer is sent a reset instead of an orderly end.
                with contextlib.suppress(OSError):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            end.close()


class Proxy:
    """One link."""

    def __init__(self, loop: Loop, streams: Streams, scenario: Scenario, pair: Pair) -> None:
        self._loop = loop
        self._there: Pair = pair
        self._back: Pair = (pair[1], pair[0])
        self.upstream_port = 0
        """Where the upstream listens, once it does."""
        self.ways = {way: _way(streams, scenario, *way) for way in (self._there, self._back)}
        self._connections: list[_Connection] = []
        self._cuts: dict[int, tuple[set[Pair], bool]] = {}
        """What is cut by each fault that is on, and whether with a reset."""
        self._wal = array("q")
        self._replies = array("q")
        self._listener = socket.create_server((HOST, 0))
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        loop.on_readable(self._listener.fileno(), self._accept)

    def cut(self, place: int, ways: set[Pair], *, reset: bool) -> None:
        """Let nothing through these ways while fault number ``place`` is on: silently, or (both ways) with a reset of
        whoever is or gets connected."""
        self._cuts[place] = (ways, reset)
        if reset:
            self.reset()
        self._hold()

    def heal(self, place: int) -> None:
        """Let through what only that fault kept back."""
        self._cuts.pop(place, None)
        self._hold()

    def drop(self, way: Pair) -> None:
        """Lose what is on this way, which is cut."""
        for connection in self._connections:
            connection.pumps[way].hold(True, drop=True)

    def reset(self) -> None:
        """Reset all connections, as a host does that has lost its memory of them."""
        for connection in self._connections:
            connection.close(reset=True)
        self._connections.clear()

    def heard(self) -> Heard:
        """What has passed so far."""
        return Heard(_columns(self._wal, WAL_COLUMNS), _columns(self._replies, REPLY_COLUMNS))

    @property
    def _silent(self) -> set[Pair]:
        return {way for ways, _ in self._cuts.values() for way in ways}

    def _hold(self) -> None:
        for connection in self._connections:
            for way, pump in connection.pumps.items():
                pump.hold(way in self._silent)

    def _accept(self) -> None:
        try:
            near, _ = self._listener.accept()
        except BlockingIOError:
            return
        far = socket.socket()
        connection = _Connection(near, far)
        if any(reset for _, reset in self._cuts.values()):
            connection.close(reset=True)
            return
        try:
            far.connect((HOST, self.upstream_port))
        except OSError:
            connection.close(reset=True)
            return
        for end in (near, far):
            end.setblocking(False)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def ended() -> None:
            connection.close(reset=False)
            with contextlib.suppress(ValueError):
                self._connections.remove(connection)

        def pump(way: Pair, source: socket.socket, sink: socket.socket, *, from_client: bool) -> None:
            ear = Ear(from_client=from_client)
            connection.pumps[way] = made = Pump(self._loop, source, sink, self.ways[way], ear, self._note, ended)
            made.hold(way in self._silent)

        pump(self._there, far, near, from_client=False)
        pump(self._back, near, far, from_client=True)
        self._connections.append(connection)

    def _note(self, said: Wal | Report, read: int) -> HandedOn:
        made = said.made * MICROSECOND - self._loop.origin
        if isinstance(said, Wal):
            column = self._wal
            column.extend((read, NEVER, said.end, said.flushed, made))
            place = len(column) - WAL_COLUMNS + 1
        else:
            column = self._replies
            column.extend((read, NEVER, said.write, said.flush, said.apply, made))
            place = len(column) - REPLY_COLUMNS + 1

        def handed_on(now: int) -> None:
            column[place] = now

        return handed_on


def _way(streams: Streams, scenario: Scenario, here: str, there: str) -> Way:
    link = link_between(scenario, here, there)
    assert link is not None, "a scenario has a link, or zones, for each standby"
    return Way(streams, f"link:{here}->{there}", link)


def _columns(values: array[int], width: int) -> Ints:
    return np.array(values, dtype=np.int64).reshape(-1, width)


class Proxies:
    """All links, and what may be done to each; a link is named by its two nodes, in either order."""

    def __init__(self, job: Job, loop: Loop) -> None:
        self._loop = loop
        scenario = unpack(job.scenario)
        # Streams of its own for each: two links may share a way, and then have the same luck.
        self._links = {pair: Proxy(loop, Streams(job.seed), scenario, pair) for pair in job.pairs}

    @property
    def ports(self) -> dict[Pair, int]:
        """Where each standby connects to its upstream."""
        return {pair: proxy.port for pair, proxy in self._links.items()}

    def methods(self) -> Mapping[str, Callable[..., Any]]:
        """What a run may ask."""
        return {
            "serve": self._serve,
            "cut": self._cut,
            "heal": lambda pair, place: self._of(pair).heal(place),
            "drop": lambda way: self._of(way).drop(way),
            "reset": lambda pair: self._of(pair).reset(),
            "delay": self._delay,
            "throttle": lambda way, to: self._of(way).ways[way].throttle(to),
            "lose": lambda way, share: self._of(way).ways[way].lose(share),
            "heard": lambda: {pair: proxy.heard() for pair, proxy in self._links.items()},
        }

    def _of(self, pair: Pair) -> Proxy:
        return self._links[pair] if pair in self._links else self._links[pair[1], pair[0]]

    def _serve(self, upstream: str, port: int) -> None:
        """An upstream listens on ``port``."""
        for (name, _), proxy in self._links.items():
            if name == upstream:
                proxy.upstream_port = port

    def _cut(self, pair: Pair, place: int, both: bool, reset: bool) -> None:
        self._of(pair).cut(place, {pair, (pair[1], pair[0])} if both else {pair}, reset=reset)

    def _delay(self, way: Pair, by: str | None, place: int) -> None:
        law = None if by is None else DurationDistribution.model_validate_json(by)
        self._of(way).ways[way].delay(law, place)


def main() -> None:
    """Be the process that the links run in."""

    def make(job: Job, loop: Loop) -> tuple[dict[Pair, int], Mapping[str, Callable[..., Any]]]:
        proxies = Proxies(job, loop)
        return proxies.ports, proxies.methods()

    serve(make)
