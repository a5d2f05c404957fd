"""A client's connection to a server, for processes that drive many at once: libpq, without waiting.

psycopg's own connections would add a dozen microseconds of Python to each commit; its libpq underneath adds one to
what pgbench needs (docs/real-server.md has the figures).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from psycopg import OperationalError, pq
from psycopg.pq.abc import PGconn, PGresult

from replsim.engines.postgres.loop import Loop

__all__ = ["Answered", "Line"]

PATIENCE: Final = 10
"""Seconds for a server to take a connection."""

Answered = Callable[[PGresult | None], None]
"""Is given the server's answer to a statement; None where the connection broke instead."""

OK: Final = (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK)


class Line:
    """One connection, with one prepared statement at a time under way."""

    def __init__(self, loop: Loop, conninfo: str, statements: Sequence[bytes]) -> None:
        self._loop = loop
        self._statements = statements
        self._answered: Answered | None = None
        self.warned = False
        """Whether the server warned of something while it worked on the last statement."""
        self._connection: PGconn | None = None
        self._socket = -1
        self.open(conninfo)

    @property
    def is_open(self) -> bool:
        """Whether it is connected, as far as anybody has noticed."""
        return self._connection is not None

    def open(self, conninfo: str) -> None:
        """Connect, and prepare the statements; raises psycopg's OperationalError where nobody answers."""
        connection = pq.PGconn.connect(f"{conninfo} connect_timeout={PATIENCE}".encode())
        if connection.status != pq.ConnStatus.OK:
            raise OperationalError(connection.error_message.decode(errors="replace").strip())
        for number, statement in enumerate(self._statements):
            prepared = connection.prepare(b"%d" % number, statement)
            if prepared.status not in OK:
                raise OperationalError(prepared.error_message.decode(errors="replace").strip())
        connection.nonblocking = 1
        connection.notice_handler = self._notice
        self._connection = connection
        self._socket = connection.socket
        self._loop.on_readable(self._socket, self._read)

    def run(self, statement: int, parameters: Sequence[bytes], answered: Answered) -> None:
        """Send a statement (by its number) off; ``answered`` is called once, later."""
        assert self._answered is None, "a line has one statement under way"
        self._answered = answered
        self.warned = False
        try:
            assert self._connection is not None
            binary = [pq.Format.BINARY] * len(parameters)
            self._connection.send_query_prepared(b"%d" % statement, parameters, binary, pq.Format.BINARY)
            while self._connection.flush():
                pass
        except OperationalError:
            self._loop.at(self._loop.now(), self._broken)

    def close(self) -> None:
        """Hang up, whatever is under way."""
        if self._connection is not None:
            self._loop.on_readable(self._socket, None)
            self._connection.finish()
            self._connection = None

    def _notice(self, _: PGresult) -> None:
        self.warned = True

    def _read(self) -> None:
        assert self._connection is not None
        try:
            self._connection.consume_input()
        except OperationalError:
            self._broken()
            return
        if self._connection.status != pq.ConnStatus.OK:
            self._broken()
            return
        if self._answered is None or self._connection.is_busy():
            return
        result = last = self._connection.get_result()
        while last is not None:
            result, last = last, self._connection.get_result()
        if self._connection.status != pq.ConnStatus.OK:
            self._broken()
            return
        answered, self._answered = self._answered, None
        answered(result)

    def _broken(self) -> None:
        self.close()
        answered, self._answered = self._answered, None
        if answered is not None:
            answered(None)
