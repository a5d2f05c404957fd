"""What clients ask a server, and how large a transaction's WAL gets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

__all__ = ["ADD_BACKGROUND", "COMMIT", "CREATE", "INSERT", "INSERT_LOCKED", "LOOK", "WHO", "Shape", "shape", "who"]

CREATE: Final = (
    "CREATE TABLE commits (writer int2, number int4, payload bytea);ALTER TABLE commits ALTER payload SET STORAGE PLAIN"
)
"""One row (or a few) a transaction.  No index, so that its WAL is what a scenario says; no compression."""

COMMIT: Final = "SELECT pg_logical_emit_message(true, '', '')"
"""A transaction that does nothing but commit."""

INSERT: Final = b"INSERT INTO commits SELECT $1::int2, $2::int4, $3::bytea FROM generate_series(1, $4::int4)"

INSERT_LOCKED: Final = INSERT + b" JOIN (SELECT pg_advisory_xact_lock($5::int8)) lock ON true"
"""Under a lock on the key: an advisory one waits in the same queue as a row's and is released at the same moment,
and takes no WAL of its own."""

ADD_BACKGROUND: Final = b"SELECT pg_logical_emit_message(false, '', $1::bytea) FROM generate_series(1, $2::int4)"
"""WAL that no transaction waits for: a message that is not transactional is inserted and not flushed."""

LOOK: Final = (
    b"SELECT pg_is_in_recovery(), (CASE WHEN pg_is_in_recovery() THEN coalesce(pg_last_wal_receive_lsn(), '0/0') "
    b"ELSE pg_current_wal_insert_lsn() END - '0/0')::int8, (CASE WHEN pg_is_in_recovery() THEN "
    b"coalesce(pg_last_wal_replay_lsn(), '0/0') ELSE pg_current_wal_flush_lsn() END - '0/0')::int8, "
    b"(extract(epoch FROM clock_timestamp()) * 1000000)::int8"
)
"""A node's two positions, insert and flush on a primary, receive and replay on a standby; then, by the server's own
clock, a moment by which they had been reached."""

WHO: Final = "SELECT DISTINCT xmin::text::int8, writer::int4, number FROM commits"
"""Which transaction committed what."""

ROW_BYTES: Final = 64
"""WAL of one row without its payload: the record of its insertion, aligned."""
COMMIT_BYTES: Final = 40
"""WAL of a commit record, aligned."""
LARGEST_PAYLOAD: Final = 8000
"""What fits on a page beside its header and the row's own."""


class Shape(NamedTuple):
    """How a transaction comes by its WAL."""

    rows: int
    payload: int
    """Bytes in each of them."""


def shape(size: int, records: int) -> Shape:
    """The rows that make about ``size`` bytes of WAL in so many ``records``, the commit record being one of them.

    There is always one row: less than its insertion and its commit (104 bytes) no transaction writes.
    """
    rows = max(records - 1, 1)
    each = (size - COMMIT_BYTES) // rows - ROW_BYTES
    if each > LARGEST_PAYLOAD:
        rows = -(-(size - COMMIT_BYTES) // (LARGEST_PAYLOAD + ROW_BYTES))
        each = (size - COMMIT_BYTES) // rows - ROW_BYTES
    return Shape(rows, max(each, 0))


def who(rows: Iterable[tuple[int, int, int]]) -> dict[tuple[int, int], int]:
    """The servers' numbers of transactions by writer and number, from what the servers hold."""
    return {(writer, number): xid for xid, writer, number in rows}
