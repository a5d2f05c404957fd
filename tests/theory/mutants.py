"""Deliberately wrong models: each replaces one method or class of the engine, and theory must notice.

The engine has no switch for any of them.  Each is a context manager; runs inside it are wrong.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from typing_extensions import override

from replsim.engines.events import connection, reign
from replsim.engines.events.primary import Primary
from replsim.engines.events.receiver import Receiver
from replsim.engines.events.release import Release
from replsim.engines.events.uplink import Positions, Uplink
from replsim.rules.acks import SyncRule

__all__ = [
    "any_as_first",
    "flush_per_commit",
    "flush_per_message",
    "no_return_trip",
    "reply_before_flush",
    "sum_of_delays",
    "unflushed_shipped",
]


@contextmanager
def no_return_trip() -> Iterator[None]:
    """An acknowledgement is there at the moment at which it is sent."""

    class Here:
        def send(self, time: int, size: int) -> int:
            return time

    class Instant(Uplink):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            self._wire = Here()  # type: ignore[assignment]

    with patch.object(connection, "Uplink", Instant):
        yield


@contextmanager
def sum_of_delays() -> Iterator[None]:
    """A commit that needs several standbys waits for one after the other, not for the last of them."""

    class OneAfterTheOther(Release):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            self._flush = 0
            self._heard: dict[int, int] = {}

        @override
        def flushed(self, position: int, now: int) -> None:
            self._flush = now
            self._heard.clear()
            super().flushed(position, now)

        @override
        def reported(self, candidate: int, positions: Positions, now: int) -> None:
            self._heard.setdefault(candidate, now)
            first = sorted(self._heard.values())[: self._rule.count]
            super().reported(candidate, positions, self._flush + sum(time - self._flush for time in first))

    with patch.object(reign, "Release", OneAfterTheOther):
        yield


@contextmanager
def any_as_first() -> Iterator[None]:
    """``ANY n`` waits for the first n of the list."""

    def position(self: SyncRule, reported: list[int]) -> int:
        return min(reported[: self.count]) if 0 < self.count <= len(reported) else -1

    with patch.object(SyncRule, "position", position):
        yield


@contextmanager
def flush_per_commit() -> Iterator[None]:
    """The primary flushes each commit on its own: no group commit."""

    class OneByOne(Primary):
        @override
        def flush_from(self, start: int, target: int | None = None) -> None:
            lsn = self._log.lsn
            super().flush_from(start, lsn[bisect_right(lsn, self.flushed)])

    with patch.object(reign, "Primary", OneByOne):
        yield


@contextmanager
def flush_per_message() -> Iterator[None]:
    """A standby flushes each message on its own."""

    class OneByOne(Receiver):
        _open = False

        @override
        def _begin(self, start: int) -> None:
            self._open = True
            super()._begin(start)

        @override
        def _drain(self) -> None:
            if self._open:
                self._open = False
                position = self._inbox.popleft()[1]
                self._drained += self._device.write_time(position - self.written)
                self.written = position

    with patch.object(connection, "Receiver", OneByOne):
        yield


@contextmanager
def unflushed_shipped() -> Iterator[None]:
    """WAL is shipped when its flush begins, so that the primary's flush and the standbys' overlap."""

    class Early(Primary):
        @override
        def flush_from(self, start: int, target: int | None = None) -> None:
            super().flush_from(start, target)
            for ship in self.ship:
                ship(start, self._log.position(start) if target is None else target)

    with patch.object(reign, "Primary", Early):
        yield


@contextmanager
def reply_before_flush() -> Iterator[None]:
    """A standby reports as flushed what it has only written."""
    reply = Uplink.reply

    def early(self: Uplink, time: int, positions: Positions, **settings: Any) -> None:
        written, _, applied = positions
        reply(self, time, (written, written, applied), **settings)

    class Eager(Receiver):
        def __init__(self, *arguments: Any, **settings: Any) -> None:
            super().__init__(*arguments, **settings | {"eager_write": True})

    with patch.object(Uplink, "reply", early), patch.object(connection, "Receiver", Eager):
        yield
