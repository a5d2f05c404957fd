"""The writers of a scenario, on real connections: a process that submits on time and notes what its clients see.

Everything that a scenario draws (arrivals, think times, sizes, keys, ways) comes from the same named streams as in the
simulators, so a run there and one here have the same work to do.
"""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from psycopg import OperationalError
from psycopg.pq.abc import PGresult

from replsim.engines.postgres import statements
from replsim.engines.postgres.channel import serve
from replsim.engines.postgres.job import unpack
from replsim.engines.postgres.line import Line
from replsim.engines.postgres.loop import Loop
from replsim.engines.postgres.transactions import LOCALLY, TOLD, UNKNOWN, Rows
from replsim.randomness import Streams
from replsim.randomness.arrivals import arrivals
from replsim.randomness.keys import KeyDraws
from replsim.scenario.clients import Background, Writer
from replsim.scenario.surges import effective
from replsim.scenario.topology import client_network
from replsim.units import SECOND

__all__ = ["Job", "main"]

AGAIN: Final = SECOND // 20
"""How soon a client tries again whose connection was refused."""
TICK: Final = SECOND // 100
"""How often background WAL is written."""

_SHORT, _INT, _LONG = struct.Struct("!h"), struct.Struct("!i"), struct.Struct("!q")


class Job(NamedTuple):
    """What the process is given."""

    scenario: str
    """As `pack` makes it."""
    seed: int
    conninfo: str


class Load:
    """All writers, and what may be done to them."""

    def __init__(self, job: Job, loop: Loop) -> None:
        self.loop = loop
        self.zero = 0
        self.conninfo = job.conninfo
        self.scenario = scenario = unpack(job.scenario)
        self.seed = job.seed
        self.rows = Rows()
        self.zeros = bytes(statements.LARGEST_PAYLOAD)
        self._groups = [
            (OpenLoop if writer.clients is None else ClosedLoop)(self, place, name, writer)
            for place, (name, writer) in enumerate(scenario.writers.items())
        ]
        background = scenario.background
        self._background = None if background is None else _Background(self, background)

    @property
    def connections(self) -> int:
        """How many there are."""
        return sum(group.connections for group in self._groups)

    def now(self) -> int:
        """Nanoseconds since the run's start."""
        return self.loop.now() - self.zero

    def at(self, when: int, do: Callable[[], None]) -> None:
        """Call ``do`` so many nanoseconds after the run's start."""
        self.loop.at(self.zero + when, do)

    def methods(self) -> Mapping[str, Callable[..., Any]]:
        """What a run may ask."""
        return {"begin": self._begin, "route": self._route, "rows": self.rows.result}

    def _begin(self, zero: int) -> None:
        self.zero = zero
        for group in self._groups:
            group.begin()
        if self._background is not None:
            self._background.begin()

    def _route(self, conninfo: str) -> None:
        """Lead clients to another server from their next connection on."""
        self.conninfo = conninfo


class Group(ABC):
    """The clients of one writer."""

    def __init__(self, load: Load, place: int, name: str, writer: Writer, connections: int) -> None:
        scenario, streams, stream = load.scenario, Streams(load.seed), f"writer:{name}"
        network = client_network(scenario, writer, scenario.primary.name)
        self._load = load
        self._place = place
        self._count = 0
        self.connections = connections
        self._request = streams.draws(f"{stream}:request", network).next
        self._answer = streams.draws(f"{stream}:answer", network).next
        self._execution = streams.draws(f"{stream}:execution", writer.execution).next
        self._size = streams.draws(f"{stream}:record", writer.record).next
        self._records = writer.records
        self._key = None
        if writer.keys is not None and writer.keys.lock:
            self._key = KeyDraws(streams.uniforms(f"{stream}:keys"), writer.keys).next
        level = scenario.level(writer.synchronous_commit)
        self._options = f" application_name=writer_{place} options='-c synchronous_commit={level}'"
        insert = statements.INSERT if self._key is None else statements.INSERT_LOCKED
        self._free = deque(Line(load.loop, self._conninfo, [insert]) for _ in range(connections))
        self._waiting: deque[int] = deque()
        self._prepare(streams, stream, scenario.duration)

    @abstractmethod
    def _prepare(self, streams: Streams, stream: str, until: int) -> None:
        """Draw what is drawn before the run."""

    @abstractmethod
    def begin(self) -> None:
        """The run's time zero is set: submit when it is time."""

    @abstractmethod
    def _learned(self, row: int) -> None:
        """A client knows what became of its transaction."""

    def _when_learned(self, row: int) -> int:
        """When a client knows that has the server's answer."""
        return self._load.rows.columns["acknowledged"][row]

    @property
    def _conninfo(self) -> str:
        return self._load.conninfo + self._options

    def _submit(self, client: int, submitted: int) -> int:
        row = self._load.rows.add(self._place, self._count, client, submitted)
        self._count += 1
        self._waiting.append(row)
        self._serve()
        return row

    def _serve(self) -> None:
        """First come, first served: a free connection takes up what has waited longest."""
        while self._waiting and self._free:
            line = self._free.popleft()
            if not line.is_open and not self._reopen(line):
                return
            self._start(line, self._waiting.popleft())

    def _reopen(self, line: Line) -> bool:
        """Connect again; where that fails, try again a little later."""
        try:
            line.open(self._conninfo)
        except OperationalError:
            self._load.loop.at(self._load.loop.now() + AGAIN, lambda: self._release(line))
            return False
        return True

    def _release(self, line: Line) -> None:
        self._free.append(line)
        self._serve()

    def _start(self, line: Line, row: int) -> None:
        """A connection takes a transaction up: the request's way and the execution come before its statement."""
        columns = self._load.rows.columns
        columns["started"][row] = started = max(self._load.now(), columns["submitted"][row])
        number = columns["number"][row]
        shape = statements.shape(self._size(), self._records)
        parameters = [_SHORT.pack(self._place), _INT.pack(number), self._load.zeros[: shape.payload]]
        parameters.append(_INT.pack(shape.rows))
        if self._key is not None:
            parameters.append(_LONG.pack(self._key()))
        later = self._request() + self._execution()
        if later:
            self._load.at(started + later, lambda: self._send(line, row, parameters))
        else:
            self._send(line, row, parameters)

    def _send(self, line: Line, row: int, parameters: Sequence[bytes]) -> None:
        self._load.rows.columns["sent"][row] = self._load.now()
        line.run(0, parameters, lambda result: self._answered(line, row, result))

    def _answered(self, line: Line, row: int, result: PGresult | None) -> None:
        """The server's answer is here; its client has it when the answer's way is over."""
        columns = self._load.rows.columns
        now = self._load.now()
        if result is None:
            columns["outcome"][row] = UNKNOWN
            columns["learned"][row] = now
        else:
            assert not result.error_message, result.error_message
            columns["outcome"][row] = LOCALLY if line.warned else TOLD
            columns["visible"][row] = now
            columns["acknowledged"][row] = now + self._answer()
            columns["learned"][row] = self._when_learned(row)
        if columns["learned"][row] > now:
            self._load.at(columns["learned"][row], lambda: self._done(line, row))
        else:
            self._done(line, row)

    def _done(self, line: Line, row: int) -> None:
        self._learned(row)
        self._release(line)


class OpenLoop(Group):
    """Work that arrives whatever becomes of it."""

    def __init__(self, load: Load, place: int, name: str, writer: Writer) -> None:
        self._writer = writer
        super().__init__(load, place, name, writer, writer.connections)

    def _prepare(self, streams: Streams, stream: str, until: int) -> None:
        under_load = effective(self._load.scenario, self._load.seed, stream.removeprefix("writer:"), self._writer)
        self._arrivals = iter(arrivals(streams, f"{stream}:arrivals", under_load, until).tolist())

    def begin(self) -> None:
        """Expect the first arrival."""
        when = next(self._arrivals, None)
        if when is not None:
            self._load.at(when, lambda: self._arrived(when))

    def _arrived(self, when: int) -> None:
        self.begin()
        self._submit(-1, when)

    def _learned(self, row: int) -> None:
        pass


class ClosedLoop(Group):
    """Clients who wait for their own answers, or go on while few enough of them are missing."""

    def __init__(self, load: Load, place: int, name: str, writer: Writer) -> None:
        assert writer.clients is not None
        self._clients = writer.clients
        self._in_flight = writer.in_flight
        self._poll = writer.poll
        self._law = writer.think
        self._unanswered = [0] * writer.clients
        self._ready = [False] * writer.clients
        """Who would write now, if one of its answers were there."""
        super().__init__(load, place, name, writer, writer.clients * writer.in_flight)

    def _prepare(self, streams: Streams, stream: str, until: int) -> None:  # noqa: ARG002 - they go on to the end
        self._think = streams.draws(f"{stream}:think", self._law).next

    def begin(self) -> None:
        """Each client thinks, and writes."""
        for client in range(self._clients):
            self._think_until(client, 0)

    def _think_until(self, client: int, since: int) -> None:
        when = since + self._think()
        self._load.at(when, lambda: self._go(client, max(when, self._load.now())))

    def _go(self, client: int, when: int) -> None:
        if self._unanswered[client] == self._in_flight:
            self._ready[client] = True
            return
        self._unanswered[client] += 1
        self._submit(client, when)
        if self._in_flight > 1:
            self._think_until(client, when)

    def _learned(self, row: int) -> None:
        columns = self._load.rows.columns
        client = columns["client"][row]
        self._unanswered[client] -= 1
        if self._in_flight == 1:
            self._think_until(client, columns["learned"][row])
        elif self._ready[client]:
            self._ready[client] = False
            self._go(client, self._load.now())

    def _when_learned(self, row: int) -> int:
        acknowledged = super()._when_learned(row)
        if self._poll is None:
            return acknowledged
        columns = self._load.rows.columns
        way = acknowledged - columns["visible"][row]
        polls = max(1, -(-(acknowledged - 2 * way - columns["submitted"][row]) // self._poll))
        return columns["submitted"][row] + polls * self._poll + 2 * way


class _Background:
    """WAL that nobody waits for, at an even rate."""

    def __init__(self, load: Load, background: Background) -> None:
        self._load = load
        self._rate = background.wal
        self._record = max(background.record - 56, 0)
        self._each = background.record
        self._written = 0
        self._line = Line(load.loop, load.conninfo, [statements.ADD_BACKGROUND])

    def begin(self) -> None:
        """Write the first at the next tick."""
        self._load.at(TICK, lambda: self._write(TICK))

    def _write(self, now: int) -> None:
        due = self._rate * now // SECOND // self._each - self._written
        later = now + TICK
        if due <= 0 or not self._line.is_open:
            self._load.at(later, lambda: self._write(later))
            return
        self._written += due
        parameters = [bytes(self._record), _INT.pack(due)]
        self._line.run(0, parameters, lambda _: self._load.at(later, lambda: self._write(max(later, self._load.now()))))


def main() -> None:
    """Be the process that the writers run in."""

    def make(job: Job, loop: Loop) -> tuple[int, Mapping[str, Callable[..., Any]]]:
        load = Load(job, loop)
        return load.connections, load.methods()

    serve(make)
