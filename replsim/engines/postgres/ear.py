"""What passes on a link, as PostgreSQL's streaming replication protocol has it.

The links are ours, so we listen: both servers stamp what they send with their own clock, and no query that asks for
positions could be as exact, or cost them as little.  Source: "Streaming Replication Protocol" in PostgreSQL's
documentation; ``walsender.c:XLogSendPhysical`` and ``walreceiver.c:XLogWalRcvSendReply`` for the moment of each stamp.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

__all__ = ["Ear", "Report", "Wal"]

COPY_DATA: Final = ord("d")
XLOG_DATA: Final = ord("w")
STATUS: Final = ord("r")
WAL_HEADER: Final = struct.Struct("!QQq")
STATUS_HEADER: Final = struct.Struct("!QQQq")
EPOCH: Final = 946_684_800_000_000
"""Microseconds from 1970 to 2000, where PostgreSQL's clock starts."""


class Wal(NamedTuple):
    """A message with WAL."""

    end: int
    """Where it ends (bytes)."""
    flushed: int
    """The upstream's flush position when it was made."""
    made: int
    """Microseconds since 1970, by the upstream's clock."""


class Report(NamedTuple):
    """A standby status update."""

    write: int
    flush: int
    apply: int
    made: int
    """Microseconds since 1970, by the standby's clock."""


class Ear:
    """Hears one direction of one connection, however it is cut into pieces."""

    def __init__(self, *, from_client: bool) -> None:
        self._bytes = bytearray()
        self._skip = 0
        self._wal: Wal | None = None
        self._untyped = from_client
        """A client's first message has no type."""

    def hear(self, data: bytes) -> list[Wal | Report]:
        """What of interest has been said completely with this piece."""
        heard: list[Wal | Report] = []
        at = 0
        if self._skip:
            at = min(self._skip, len(data))
            self._skip -= at
            if self._skip == 0 and self._wal is not None:
                heard.append(self._wal)
        self._bytes += data[at:]
        while not self._skip and self._next(heard):
            pass
        return heard

    def _next(self, heard: list[Wal | Report]) -> bool:
        """Take one message off the buffer, or its head where that is enough; False where more must come first."""
        head = 0 if self._untyped else 1
        if len(self._bytes) < head + 4:
            return False
        size = head + int.from_bytes(self._bytes[head : head + 4], "big")
        kind = self._bytes[0] if head else 0
        wal = None
        if kind == COPY_DATA:
            if len(self._bytes) < min(size, 6 + STATUS_HEADER.size):
                return False
            what = self._bytes[5] if size > 5 else 0
            if what == STATUS:
                write, flush, apply, made = STATUS_HEADER.unpack_from(self._bytes, 6)
                heard.append(Report(write, flush, apply, made + EPOCH))
            elif what == XLOG_DATA:
                start, flushed, made = WAL_HEADER.unpack_from(self._bytes, 6)
                wal = Wal(start + size - 6 - WAL_HEADER.size, flushed, made + EPOCH)
        self._untyped = False
        self._skip = max(size - len(self._bytes), 0)
        del self._bytes[:size]
        self._wal = wal if self._skip else None
        if wal is not None and not self._skip:
            heard.append(wal)
        return True
