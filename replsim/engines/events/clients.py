"""Groups of clients: who submits when, over which connection, and how long each part of a transaction takes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from replsim.engines.events.pages import Pages
from replsim.errors import Problem
from replsim.randomness import DurationDistribution, SizeDistribution, Streams
from replsim.randomness.keys import KeyDraws
from replsim.rules.acks import Level
from replsim.scenario.clients import Keys

__all__ = ["Clients", "ClosedLoop", "OpenLoop", "Step", "What", "Work"]

BLOCK = 4096


class What:
    """The steps of a transaction, in the order of those of one transaction at one time."""

    CHUNK, LOCK, INSERT, START = range(4)


class Step(NamedTuple):
    """The next step of one transaction.  Steps of equal time go by group, then by transaction, then in order."""

    time: int
    group: int
    number: int
    what: int
    client: int
    submitted: int
    started: int
    size: int
    """WAL of the whole transaction (of the chunk, for a chunk)."""
    rest: int
    """WAL that comes with the commit record."""


class Work(NamedTuple):
    """What the transactions of one group are made of."""

    level: Level
    network: DurationDistribution
    execution: DurationDistribution
    record: SizeDistribution
    records: int
    chunk: int | None
    keys: Keys | None


class Clients(ABC):
    """One group: a writer of the scenario, or the users of a session.

    Transaction ``number`` k of a group takes draw k of each of the group's streams.
    """

    def __init__(
        self, index: int, name: str, work: Work, streams: Streams, *, wakeup: int, pages: Pages | None
    ) -> None:
        self.index = index
        self.name = name
        self.level = work.level
        self.records = work.records
        self.locks = work.keys is not None and work.keys.lock
        self._wakeup = wakeup
        self._pages = pages
        self._chunk = work.chunk
        self._out = streams.draws(f"{name}:request", work.network).next
        self._back_draws = streams.draws(f"{name}:answer", work.network).next
        self._back: dict[int, int] | int = {} if work.network.constant is None else work.network.constant
        self._execution = streams.draws(f"{name}:execution", work.execution).next
        self._record = streams.draws(f"{name}:record", work.record).next
        self._keys: dict[int, int] = {}
        self._next_key = None
        if work.keys is not None and (self.locks or pages is not None):
            self._next_key = KeyDraws(streams.uniforms(f"{name}:keys"), work.keys).next
        steady = work.network.constant is not None and work.execution.constant is not None
        self.in_order = steady and not self.locks and work.chunk is None
        """Transactions reach the log in the order in which they start, so a start needs no step of its own."""
        self._count = 0

    @property
    def no_time(self) -> Problem:
        """The mistake of clients that go round without any time passing."""
        place = tuple(self.name.replace("writer:", "writers:").replace("session:", "sessions:").split(":"))
        return Problem(place, "its clients go round in no time at all: give them a think time, an execution or a flush")

    @abstractmethod
    def first(self) -> Iterator[Step]:
        """The steps that are known before time zero."""

    @abstractmethod
    def next_after(self, step: Step) -> Step | None:
        """The next transaction to stage once ``step`` has been taken, if a connection is free for it."""

    @abstractmethod
    def answered(self, client: int, number: int, learned: int) -> Step | None:
        """A client knows an outcome: its next transaction, if that is what it waited for."""

    @abstractmethod
    def waiting(self, until: int) -> Iterator[Step]:
        """Transactions submitted by ``until`` for which no connection was free yet."""

    def times(self, number: int, visible: int, submitted: int) -> tuple[int, int]:
        """When the answer to a commit that is ``visible`` reaches its client, and when the client knows."""
        back = self._back if isinstance(self._back, int) else self._back.pop(number)
        acknowledged = visible + back + self._wakeup
        return acknowledged, acknowledged

    def key(self, number: int) -> int:
        """The row of a transaction in flight (for groups with locks or page images)."""
        return self._keys[number]

    def page_images(self, number: int, time: int) -> int:
        """Bytes of full-page images that a commit at ``time`` adds."""
        if self._pages is None or self._next_key is None:
            return 0
        return self._pages.image(self._keys[number] if self.locks else self._keys.pop(number), time)

    def steps_of(self, start: Step) -> list[Step]:
        """What a started transaction does next: ask for its lock, or execute."""
        at = start.started + self._out() + self._wakeup
        if self.locks:
            return [start._replace(time=at, what=What.LOCK)]
        return self.execute(start, at)

    def execute(self, step: Step, time: int) -> list[Step]:
        """Execute from ``time`` on: the chunks of WAL on the way, spread evenly, and the commit record."""
        execution = self._execution()
        size = self._record()
        chunks = (size - 1) // self._chunk if self._chunk else 0
        steps = [
            step._replace(time=time + execution * (i + 1) // (chunks + 1), what=What.CHUNK, size=self._chunk or 0)
            for i in range(chunks)
        ]
        rest = size - chunks * (self._chunk or 0)
        steps.append(step._replace(time=time + execution, what=What.INSERT, size=size, rest=rest))
        return steps

    def _submit(self, client: int, submitted: int, started: int) -> Step:
        """A new transaction that starts at ``started``."""
        number = self._count
        self._count += 1
        if not isinstance(self._back, int):
            self._back[number] = self._back_draws()
        if self._next_key is not None:
            self._keys[number] = self._next_key()
        if not self.in_order:
            return Step(started, self.index, number, What.START, client, submitted, started, 0, 0)
        size = self._record()
        time = started + self._out() + self._wakeup + self._execution()
        return Step(time, self.index, number, What.INSERT, client, submitted, started, size, size)


class OpenLoop(Clients):
    """Work that arrives whatever becomes of it, through a pool of connections.

    The pool is first come, first served: transaction k takes the connection that was k-th to become free.
    """

    def __init__(
        self,
        index: int,
        name: str,
        work: Work,
        streams: Streams,
        *,
        wakeup: int,
        pages: Pages | None,
        arrivals: NDArray[np.int64],
        users: NDArray[np.int64] | None,
        connections: int,
    ) -> None:
        super().__init__(index, name, work, streams, wakeup=wakeup, pages=pages)
        self._arrivals = arrivals
        self._users = users
        self._next_arrival = _one_by_one(arrivals)
        self._unused = connections
        self._free: deque[int] = deque()
        self._staged = False

    def first(self) -> Iterator[Step]:
        step = self._stage()
        if step is not None:
            yield step

    def next_after(self, step: Step) -> Step | None:
        return self._stage()

    def answered(self, client: int, number: int, learned: int) -> Step | None:
        self._free.append(learned)
        return None if self._staged else self._stage()

    def waiting(self, until: int) -> Iterator[Step]:
        for number in range(self._count, int(np.searchsorted(self._arrivals, until, side="right"))):
            submitted = int(self._arrivals[number])
            yield Step(submitted, self.index, number, What.START, self._user(number), submitted, until + 1, 0, 0)

    def _stage(self) -> Step | None:
        self._staged = False
        if self._unused:
            free = 0
        elif self._free:
            free = self._free[0]
        else:
            return None
        arrival = next(self._next_arrival, None)
        if arrival is None:
            return None
        if self._unused:
            self._unused -= 1
        else:
            self._free.popleft()
        self._staged = True
        return self._submit(self._user(self._count), arrival, arrival if arrival > free else free)

    def _user(self, number: int) -> int:
        return -1 if self._users is None else int(self._users[number])


class ClosedLoop(Clients):
    """Clients who wait for their own answers: each has at most ``in_flight`` transactions unanswered."""

    def __init__(
        self,
        index: int,
        name: str,
        work: Work,
        streams: Streams,
        *,
        wakeup: int,
        pages: Pages | None,
        clients: int,
        think: Callable[[], int],
        in_flight: int = 1,
        poll: int | None = None,
        reads: Callable[[int, int], int] | None = None,
    ) -> None:
        super().__init__(index, name, work, streams, wakeup=wakeup, pages=pages)
        self.in_order = self.in_order and in_flight == 1
        self._think = think
        self._in_flight = in_flight
        self._poll = poll
        self._reads = reads
        """How long a client's reads after its n-th write take (by client and n), for users who read before they go on."""
        self._rounds = [0] * clients
        self._poll_network = 0 if work.network.constant is None else work.network.constant
        self._clients = clients
        self._unanswered = [0] * clients
        self._ready: list[int | None] = [None] * clients
        """When a client that may not go on yet would have: it waits for one of its answers."""

    def first(self) -> Iterator[Step]:
        for client in range(self._clients):
            yield self._go(client, self._think())

    def next_after(self, step: Step) -> Step | None:
        if self._in_flight == 1:
            return None
        client = step.client
        ready = step.submitted + self._think()
        if self._unanswered[client] < self._in_flight:
            return self._go(client, ready)
        self._ready[client] = ready
        return None

    def answered(self, client: int, number: int, learned: int) -> Step | None:
        self._unanswered[client] -= 1
        if self._in_flight == 1:
            return self._go(client, learned + self._pause(client))
        ready = self._ready[client]
        if ready is None:
            return None
        self._ready[client] = None
        return self._go(client, max(ready, learned))

    def times(self, number: int, visible: int, submitted: int) -> tuple[int, int]:
        acknowledged, learned = super().times(number, visible, submitted)
        if self._poll is not None:
            # A poll asks at the server, one network time after it was sent; the first to find the outcome brings it.
            wait = max(visible - submitted - self._poll_network, 0)
            polls = max(1, -(-wait // self._poll))
            learned = submitted + polls * self._poll + 2 * self._poll_network + self._wakeup
        return acknowledged, learned

    def waiting(self, until: int) -> Iterator[Step]:
        return iter(())

    def _pause(self, client: int) -> int:
        """What a blocking client does between an answer and its next write: it reads, and it thinks."""
        if self._reads is None:
            return self._think()
        nth = self._rounds[client]
        self._rounds[client] += 1
        return self._reads(client, nth) + self._think()

    def _go(self, client: int, time: int) -> Step:
        self._unanswered[client] += 1
        return self._submit(client, time, time)


def _one_by_one(values: NDArray[np.int64]) -> Iterator[int]:
    for start in range(0, len(values), BLOCK):
        yield from values[start : start + BLOCK].tolist()
