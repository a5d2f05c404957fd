"""Groups of clients: who submits when, over which connection, and how long each part of a transaction takes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from replsim.engines.events.pages import Pages
from replsim.errors import Problem
from replsim.randomness import DurationDistribution, SizeDistribution, Streams
from replsim.randomness.keys import KeyDraws
from replsim.rules.acks import Level
from replsim.scenario.clients import Cold, Keys, Retry

__all__ = ["ATTEMPT", "Clients", "Step", "What", "Work"]

ATTEMPT: Final = 1 << 40
"""What the number of a further attempt at a transaction has more than that of the one before."""

_new = tuple.__new__


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
    request: int
    """The request's way to the primary."""
    execution: int
    size: int
    """WAL of the whole transaction (of the chunk, for a chunk)."""
    rest: int
    """WAL that comes with the commit record."""


class Work(NamedTuple):
    """What the transactions of one group are made of."""

    place: int
    """The group's place among all groups."""
    name: str
    """What its random streams are called by, such as ``writer:app``."""
    level: Level
    network: DurationDistribution
    execution: DurationDistribution
    record: SizeDistribution
    records: int
    chunk: int | None
    keys: Keys | None
    wakeup: int
    pages: Pages | None
    cold: Cold | None = None
    counted: bool = False
    """Whether ``commit_delay`` asks how many transactions execute, so that each has to be known from its start."""
    timeout: int | None = None
    """The driver's, in nanoseconds; at it, it disconnects or cancels."""
    disconnects: bool = False
    statement_timeout: int | None = None
    """The server's."""
    retry: Retry | None = None
    primary: str = ""
    elsewhere: Mapping[str, DurationDistribution] = MappingProxyType({})
    """The network to each node that may become the primary, where that is another than to the primary."""


class Clients(ABC):
    """One group: a writer of the scenario, or the users of a session.

    Transaction ``number`` k of a group takes draw k of each of the group's streams.
    """

    goes_round = False
    """Whether a client's next transaction follows from the answer to its last, so that time must pass between them."""

    def __init__(self, work: Work, streams: Streams) -> None:
        name, wakeup, pages = work.name, work.wakeup, work.pages
        self.index = work.place
        self.name = name
        self.level = work.level
        self.records = work.records
        self.locks = work.keys is not None and work.keys.lock
        self._wakeup = wakeup
        self._pages = pages
        self._chunk = work.chunk
        self._first = work.primary
        self._networks = {work.primary: work.network, **work.elsewhere}
        self._draws = {
            node: [
                streams.draws(f"{name}:{what}" if node == work.primary else f"{name}:{what}:{node}", network).next
                for what in ("request", "answer")
            ]
            for node, network in self._networks.items()
        }
        self._out, self._back_draws = self._draws[work.primary]
        self._back: dict[int, int] = {}
        network = work.network.constant if all(each.constant is not None for each in self._networks.values()) else None
        self.answer_time = None if network is None else network + wakeup
        """From the moment a commit is visible until its client knows, where that is constant."""
        self._execution = streams.draws(f"{name}:execution", work.execution).next
        self._record = streams.draws(f"{name}:record", work.record).next
        self._keys: dict[int, int] = {}
        self._next_key = None
        if work.keys is not None and (self.locks or pages is not None):
            self._next_key = KeyDraws(streams.uniforms(f"{name}:keys"), work.keys).next
        execution = work.execution.constant
        steady = network is not None and execution is not None
        self._cold = work.cold
        self.timeout, self.statement_timeout = work.timeout, work.statement_timeout
        self.disconnects = work.timeout is not None and work.disconnects
        self.impatient = work.timeout is not None or work.statement_timeout is not None
        """Whether something ends a transaction that takes too long."""
        in_order = steady and not self.locks and work.chunk is None and work.cold is None
        self._retry = work.retry
        self.tries_again = work.retry is not None
        asked = self.impatient or work.counted or work.retry is not None or len(self._networks) > 1
        self.in_order = in_order and not asked
        """Transactions reach the log in the order in which they start, so a start needs no step of its own."""
        self.to_server = (network or 0) + wakeup
        """From the start of a transaction to its execution; a network time that is not constant is left out."""
        self._to_log = self.to_server + (execution or 0)
        """From the start of a transaction to its commit record, where that is constant."""
        self.logs_pages = pages is not None and self._next_key is not None
        self.polls = False
        """Whether its clients ask for the outcome, and so know it later than the answer could be there."""
        self._count = 0

    @property
    def no_time(self) -> Problem:
        """The mistake of clients that go round without any time passing."""
        place = tuple(self.name.replace("writer:", "writers:").replace("session:", "sessions:").split(":"))
        return Problem(place, "its clients go round in no time at all: give them a think time, an execution or a flush")

    def led_to(self, node: str, coming: Iterable[Step]) -> Iterator[Step]:
        """These clients' primary is another node from now on, at a distance of its own; ``coming`` has not started yet.

        Simplification: answers of the one before that are still to come take the new way.
        """
        if len(self._networks) == 1:
            yield from coming
            return
        network = self._networks.get(node, self._networks[self._first])
        self._out, self._back_draws = self._draws.get(node, self._draws[self._first])
        if self.answer_time is not None:
            assert network.constant is not None
            self.answer_time = network.constant + self._wakeup
            self.to_server = network.constant + self._wakeup
        for step in coming:
            if self.answer_time is None:
                self._back[step.number] = self._back_draws()
            yield step._replace(request=self._out())

    @abstractmethod
    def first(self) -> Iterator[Step]:
        """The steps that are known before time zero."""

    @abstractmethod
    def next_after(self, step: Step | None) -> Step | None:
        """The next transaction to stage once ``step`` has been taken, if a connection is free for it."""

    @abstractmethod
    def answered(self, done: Step, learned: int) -> Step | None:
        """The client of the commit ``done`` knows its outcome: its next transaction, if that is what it waited for."""

    def given_up(self, done: Step, learned: int, pause: int = 0) -> Step | None:
        """The client of a transaction has ``learned`` that it failed, or that it will not hear of it.

        It tries again, or goes on after a ``pause``.
        """
        retry = self._retry
        if retry is None or done.number // ATTEMPT >= retry.attempts:
            return self.answered(done, learned + pause)
        number, started = done.number + ATTEMPT, learned + retry.after
        if self.answer_time is None:
            self._back[number] = self._back_draws()
        if done.number in self._keys:
            self._keys[number] = self._keys[done.number]
        return done._replace(time=started, started=started, number=number, what=What.START, rest=done.size)

    @abstractmethod
    def waiting(self, until: int) -> Iterator[Step]:
        """Transactions submitted by ``until`` for which no connection was free yet."""

    def times(self, done: Step, visible: int) -> tuple[int, int]:
        """When the answer to a commit that is ``visible`` reaches its client, and when the client knows."""
        way = self._back.pop(done.number) + self._wakeup if self.answer_time is None else self.answer_time
        return visible + way, visible + way

    def key(self, number: int) -> int:
        """The row of a transaction in flight (for groups with locks or page images)."""
        return self._keys[number]

    def page_images(self, number: int, time: int) -> int:
        """Bytes of full-page images that a commit at ``time`` adds (for groups that `logs_pages`)."""
        assert self._pages is not None
        kept = self.locks or self._retry is not None
        return self._pages.image(self._keys[number] if kept else self._keys.pop(number), time)

    def steps_of(self, start: Step) -> list[Step]:
        """What a started transaction does next: ask for its lock, or execute."""
        at = start.started + start.request + self._wakeup
        if self.locks:
            return [start._replace(time=at, what=What.LOCK)]
        return self.execute(start, at)

    def execute(self, step: Step, time: int) -> list[Step]:
        """Execute from ``time`` on: the chunks of WAL on the way, spread evenly, and the commit record."""
        execution, size = step.execution, step.size
        chunks = (size - 1) // self._chunk if self._chunk else 0
        steps = [
            step._replace(time=time + execution * (i + 1) // (chunks + 1), what=What.CHUNK, size=self._chunk or 0)
            for i in range(chunks)
        ]
        rest = size - chunks * (self._chunk or 0)
        steps.append(step._replace(time=time + execution, what=What.INSERT, rest=rest))
        return steps

    def _size(self) -> int:
        """WAL of a new transaction: a draw that rounds to nothing is one byte, or no flush would ever pass it."""
        return self._record() or 1

    def _submit(self, client: int, submitted: int, started: int, before: int | None) -> Step:
        """A new transaction that starts at ``started``; the last one of its connection started at ``before``."""
        number = self._count
        self._count += 1
        if self.answer_time is None:
            self._back[number] = self._back_draws()
        if self._next_key is not None:
            self._keys[number] = self._next_key()
        size = self._size()
        if not self.in_order:
            request, execution = self._out(), self._execution()
            if self._cold is not None:
                execution += self._cold.extra_after(None if before is None else started - before)
            return Step(
                started, self.index, number, What.START, client, submitted, started, request, execution, size, size
            )
        time = started + self._to_log
        # As Step(…), without the cost of its Python-level constructor: this is done for every commit.
        return _new(Step, (time, self.index, number, What.INSERT, client, submitted, started, 0, 0, size, size))
