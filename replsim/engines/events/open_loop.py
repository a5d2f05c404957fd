"""Clients who do not wait: work arrives, whatever becomes of it."""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from replsim.engines.events.clients import Clients, Step, What, Work
from replsim.randomness import Streams

__all__ = ["OpenLoop"]

BLOCK = 4096


class OpenLoop(Clients):
    """Work that arrives whatever becomes of it, through a pool of connections.

    The pool is first come, first served: transaction k takes the connection that was k-th to become free.  Which that
    is, is settled when the primary has answered; where a later answer is quicker on its way, its connection waits for
    the next transaction, and none starts before one that came before it.
    """

    def __init__(
        self,
        work: Work,
        streams: Streams,
        *,
        arrivals: NDArray[np.int64],
        users: NDArray[np.int64] | None,
        connections: int,
    ) -> None:
        super().__init__(work, streams)
        self._arrivals = arrivals
        self._users = users
        self._next_arrival = _one_by_one(arrivals)
        self._unused = connections
        self._free: deque[tuple[int, int]] = deque()
        """In order: when each connection became free, and when its last transaction started."""
        self._started = 0
        self._staged = False

    @override
    def first(self) -> Iterator[Step]:
        step = self.next_after(None)
        if step is not None:
            yield step

    @override
    def next_after(self, step: Step | None) -> Step | None:
        self._staged = False
        if not self._unused and not self._free:
            return None
        arrival = next(self._next_arrival, None)
        if arrival is None:
            return None
        self._staged = True
        started, before = arrival, None
        if self._unused:
            self._unused -= 1
        else:
            free, before = self._free.popleft()
            if free > arrival:
                started = free
            if self._started > started:
                started = self._started
        self._started = started
        return self._submit(-1 if self._users is None else self._user(self._count), arrival, started, before)

    @override
    def answered(self, done: Step, learned: int) -> Step | None:
        # Answers come nearly in order: cheaper than a heap.
        free = learned, done.started
        if self._free and free < self._free[-1]:
            insort(self._free, free)
        else:
            self._free.append(free)
        return None if self._staged else self.next_after(None)

    @override
    def waiting(self, until: int) -> Iterator[Step]:
        # Where a start needs no step of its own, work that has found a connection may not have been staged yet.
        while self.in_order and (step := self.next_after(None)) is not None:
            if step.started > until:
                self._count -= 1
                break
            yield step
        for number in range(self._count, int(np.searchsorted(self._arrivals, until, side="right"))):
            submitted = int(self._arrivals[number])
            user = self._user(number)
            yield Step(submitted, self.index, number, What.START, user, submitted, until + 1, 0, 0, 0, 0)

    def _user(self, number: int) -> int:
        return -1 if self._users is None else int(self._users[number])


def _one_by_one(values: NDArray[np.int64]) -> Iterator[int]:
    for start in range(0, len(values), BLOCK):
        yield from values[start : start + BLOCK].tolist()
