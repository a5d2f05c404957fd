"""Samples of a live primary, read-only and at a bounded rate: where its standbys are, and how much WAL it writes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from replsim.engines.postgres.connection import connect
from replsim.errors import ServerFailed

__all__ = ["COLUMNS", "FASTEST", "SETTINGS", "observe", "settings"]

FASTEST: Final = 0.05
"""The shortest time between two samples, in seconds: each is one query that reads shared memory."""

COLUMNS: Final = (
    "t_s", "insert_lsn", "flush_lsn", "commits", "wal_records", "standby", "sent", "write", "flush", "replay",
    "write_lag_ms", "flush_lag_ms", "replay_lag_ms",
)  # fmt: skip
"""What a sample has: one row a standby (or one without, where there is none); positions in bytes."""

SETTINGS: Final = (
    "synchronous_commit", "synchronous_standby_names", "commit_delay", "commit_siblings", "wal_writer_delay",
    "wal_writer_flush_after", "max_connections", "server_version", "wal_sync_method",
)  # fmt: skip

QUERY: Final = """
SELECT extract(epoch FROM clock_timestamp())::float8,
       (pg_current_wal_insert_lsn() - '0/0')::int8, (pg_current_wal_flush_lsn() - '0/0')::int8,
       (SELECT sum(xact_commit)::int8 FROM pg_stat_database), {records},
       r.application_name,
       (r.sent_lsn - '0/0')::int8, (r.write_lsn - '0/0')::int8,
       (r.flush_lsn - '0/0')::int8, (r.replay_lsn - '0/0')::int8,
       extract(epoch FROM r.write_lag)::float8 * 1000, extract(epoch FROM r.flush_lag)::float8 * 1000,
       extract(epoch FROM r.replay_lag)::float8 * 1000
FROM (SELECT) AS primary_itself LEFT JOIN pg_stat_replication AS r ON r.state = 'streaming'
ORDER BY r.application_name
"""
READ_ONLY: Final = (
    "SET default_transaction_read_only = on; SET statement_timeout = '5s'; SET application_name = 'replsim observe'"
)
HAS_WAL_RECORDS: Final = 140000


def settings(dsn: str) -> Mapping[str, str]:
    """The primary's settings that a scenario has.  Raises `ServerFailed` where nobody answers."""
    with connect(dsn) as server:
        server.execute(READ_ONLY)
        rows = server.execute(
            "SELECT name, current_setting(name) FROM pg_settings WHERE name = ANY (%s)", [list(SETTINGS)]
        )
        return {str(name): str(value) for name, value in rows}


def observe(
    dsn: str, *, seconds: float, every: float, progress: Callable[[float], None] | None = None
) -> Iterator[tuple[Any, ...]]:
    """Rows of samples (`COLUMNS`) for so many seconds; the time of the first is 0.

    Nothing is written, each statement ends within 5 s, and there are at most 1 / `FASTEST` samples a second.  Raises
    `ServerFailed` where nobody answers, where the server is a standby, or where it goes away.
    """
    import psycopg

    every = max(every, FASTEST)
    with connect(dsn) as server:
        try:
            server.execute(READ_ONLY)
            if _one(server.execute("SELECT pg_is_in_recovery()")):
                raise ServerFailed("this server is a standby: observe its primary")
            version = int(str(_one(server.execute("SELECT current_setting('server_version_num')"))))
            records = "(SELECT wal_records::int8 FROM pg_stat_wal)" if version >= HAS_WAL_RECORDS else "NULL"
            query = QUERY.format(records=records).encode()
            started = time.monotonic()
            first: float | None = None
            for sample in range(int(seconds / every) + 1):
                time.sleep(max(0.0, started + sample * every - time.monotonic()))
                for now, *rest in server.execute(query):
                    stamp = float(str(now))
                    first = stamp if first is None else first
                    yield (round(stamp - first, 6), *rest)
                if progress is not None:
                    progress(min(sample * every / seconds, 1.0))
        except psycopg.Error as error:
            raise ServerFailed(f"observing ended: {str(error).strip()}") from None


def _one(cursor: Any) -> Any:
    row = cursor.fetchone()
    return row[0] if row else None
