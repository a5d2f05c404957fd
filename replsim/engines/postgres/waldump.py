"""What a server's WAL says of its transactions, read after the run, when it costs nobody anything.

The commit record itself is the best witness: it has the moment of the commit by the server's clock
(``xact.c:RecordTransactionCommit`` takes it just before the record is inserted), and the position where it ends is
what standbys report and clients wait for.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from replsim.engines.postgres.binaries import Binaries
from replsim.engines.postgres.workspace import Workspace

__all__ = ["Commit", "commits", "end_of", "lsn_of_text", "lsn_text"]

PAGE: Final = 8192
PAGE_HEADER: Final = 24
SEGMENT: Final = 16 * 1024 * 1024
SEGMENT_HEADER: Final = 40
"""``XLOG_BLCKSZ``, ``SizeOfXLogShortPHD``, the default segment, ``SizeOfXLogLongPHD``."""

_RECORD: Final = re.compile(
    r"len \(rec/tot\): +\d+/ *(\d+), tx: +(\d+), lsn: (\w+/\w+), .*?desc: (\w+)(?: (\S+ \S+) UTC)?"
)


class Commit(NamedTuple):
    """A committed transaction."""

    made: int
    """Microseconds since 1970, by the server's clock."""
    end: int
    """Where its commit record ends (bytes)."""
    size: int
    """Bytes of WAL that it wrote."""


def commits(workspace: Workspace, binaries: Binaries, data: Path, start: int, timeline: int) -> dict[int, Commit]:
    """The transactions by their number (xid) that committed on a timeline from position ``start`` on."""

    def records(manager: str) -> Iterator[re.Match[str]]:
        command = [binaries["pg_waldump"], "-p", str(data / "pg_wal"), "-s", lsn_text(start), "-t", str(timeline)]
        # It reads to where the WAL ends, and takes that for an error.
        text = workspace.run([*command, "-r", manager], accept="error in WAL record")
        return (match for line in text.splitlines() if (match := _RECORD.search(line)))

    written: defaultdict[int, int] = defaultdict(int)
    for record in records("Heap"):
        written[int(record[2])] += _aligned(int(record[1]))
    found = {}
    for record in records("Transaction"):
        if record[4] == "COMMIT":
            at, size, xid = lsn_of_text(record[3]), _aligned(int(record[1])), int(record[2])
            found[xid] = Commit(_microseconds(record[5]), end_of(at, size), written[xid] + size)
    return found


def lsn_text(position: int) -> str:
    """A position as PostgreSQL writes it.

    >>> lsn_text(22167080)
    '0/1523E28'
    """
    return f"{position >> 32:X}/{position & 0xFFFFFFFF:X}"


def lsn_of_text(text: str) -> int:
    """The position that PostgreSQL writes so.

    >>> lsn_of_text("0/1523E28")
    22167080
    """
    high, low = text.split("/")
    return (int(high, 16) << 32) + int(low, 16)


def end_of(start: int, size: int) -> int:
    """Where a record of ``size`` bytes ends that begins at ``start``: headers of pages lie between its parts.

    >>> end_of(100, 40), end_of(8152, 40), end_of(8160, 40)
    (140, 8192, 8224)
    """
    while (room := PAGE - start % PAGE) < size:
        start += room
        size -= room
        start += PAGE_HEADER if start % SEGMENT else SEGMENT_HEADER
    return start + size


def _aligned(size: int) -> int:
    return -(-size // 8) * 8


def _microseconds(text: str) -> int:
    moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond
