"""A loop over timers and file descriptors on the wall clock, for the processes that must be on time.

``select`` takes its timeout in microseconds; the default loop of asyncio rounds it up to a millisecond, as long as
many a link.
"""

from __future__ import annotations

import ctypes
import select
import sys
import time
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Final

from replsim.units import SECOND

__all__ = ["LATE", "Loop"]

LATE: Final = 40_000
"""Nanoseconds by which a process that sleeps until a moment is typically woken after it, on a virtual machine; so
timers are set, and taken to be due, so much earlier."""
IDLE: Final = SECOND
"""The longest wait for nothing at all."""
_TIMER_SLACK: Final = 29
"""``PR_SET_TIMERSLACK`` of Linux' ``prctl``: without it a timer may come 50 µs late."""


class Loop:
    """Calls what is due, and what a descriptor that is ready has been given to.

    Times are nanoseconds since ``origin``, a moment of the wall clock that all processes of a run share.
    """

    def __init__(self, origin: int) -> None:
        self.origin = origin
        self._timers: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0
        self._readers: dict[int, Callable[[], None]] = {}
        self._writers: dict[int, Callable[[], None]] = {}
        self._running = False
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(_TIMER_SLACK, 1000, 0, 0, 0)

    def now(self) -> int:
        """Nanoseconds since the origin."""
        return time.time_ns() - self.origin

    def at(self, when: int, do: Callable[[], None]) -> None:
        """Call ``do`` at ``when``; calls of one time come in the order of their being asked for."""
        self._count += 1
        heappush(self._timers, (when, self._count, do))

    def on_readable(self, fd: int, do: Callable[[], None] | None) -> None:
        """Call ``do`` whenever ``fd`` can be read; with None no more."""
        _set(self._readers, fd, do)

    def on_writable(self, fd: int, do: Callable[[], None] | None) -> None:
        """Call ``do`` whenever ``fd`` can be written; with None no more."""
        _set(self._writers, fd, do)

    def run(self) -> None:
        """Go round until `stop`."""
        self._running = True
        timers = self._timers
        while self._running:
            wait = min(max(timers[0][0] - LATE - self.now(), 0), IDLE) if timers else IDLE
            readable, writable, _ = select.select(list(self._readers), list(self._writers), (), wait / SECOND)
            for fd in writable:
                if do := self._writers.get(fd):
                    do()
            for fd in readable:
                if do := self._readers.get(fd):
                    do()
            due = self.now() + LATE
            while timers and timers[0][0] <= due and self._running:
                heappop(timers)[2]()

    def stop(self) -> None:
        """Let `run` end."""
        self._running = False


def _set(table: dict[int, Callable[[], None]], fd: int, do: Callable[[], None] | None) -> None:
    if do is None:
        table.pop(fd, None)
    else:
        table[fd] = do
