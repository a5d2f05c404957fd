"""One real PostgreSQL server: its data, its process, and what is asked of it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from replsim.engines.postgres.binaries import Binaries
from replsim.engines.postgres.connection import connect
from replsim.engines.postgres.workspace import Workspace, tail
from replsim.errors import ServerFailed

if TYPE_CHECKING:
    import psycopg

__all__ = ["USER", "Server"]

USER: Final = "replsim"
"""The superuser of every server."""

PATIENCE: Final = 60.0
"""Seconds within which a server must accept connections, also on a machine that has much else to do."""

HOST: Final = "127.0.0.1"
"""The only address on which anything is ever started."""

ACCESS: Final = f"""\
local all all trust
local replication all trust
host replication {USER} {HOST}/32 scram-sha-256
"""
"""``pg_hba.conf``: clients come through a socket in a folder that only we can enter, standbys with a password."""

SETTINGS: Final = {
    "listen_addresses": HOST,
    "ssl": "off",
    "logging_collector": "off",
    "log_destination": "stderr",
    "log_line_prefix": "%m [%p] ",
    "shared_buffers": "128MB",
    "huge_pages": "off",
    "jit": "off",
    "wal_level": "replica",
    "hot_standby": "on",
    "max_wal_size": "16GB",
    "min_wal_size": "256MB",
    "checkpoint_timeout": "1h",
    "autovacuum": "off",
    "wal_log_hints": "on",
    "wal_recycle": "off",
    "wal_keep_size": "1TB",
}
"""What differs from PostgreSQL's defaults on every server: nothing happens by itself, and no one else gets in.

Checkpoints come when the scenario says so, there is no vacuum, an old primary can be rewound, and WAL is kept to be
read after the run.
"""


class Server:
    """A server in a folder of the workspace, reached by its own clients through a unix socket."""

    def __init__(self, workspace: Workspace, binaries: Binaries, name: str) -> None:
        self.name = name
        self.port = 0
        self._workspace = workspace
        self._binaries = binaries
        self.data = workspace.folder / f"data-{name}"
        self.log = workspace.folder / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def conninfo(self) -> str:
        """How clients on this machine connect to it."""
        return f"host={self._workspace.folder} port={self.port} user={USER} dbname=postgres"

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether its process is there."""
        return self._process is not None and self._process.poll() is None

    def create(self, password: str) -> None:
        """Make a new, empty cluster; ``password`` is for those who come over TCP."""
        secret = self._workspace.folder / "password"
        self._write(secret, password)
        command = [self._binaries["initdb"], "-D", str(self.data), "-U", USER, f"--pwfile={secret}", "-A", "trust"]
        self._workspace.run([*command, "-E", "UTF8", "--locale=C", "--no-sync"])
        secret.unlink()
        self._write(self.data / "pg_hba.conf", ACCESS)

    def copy(self, upstream: Server) -> None:
        """Make a standby's data as a base backup of another server, which runs."""
        command = [self._binaries["pg_basebackup"], "-D", str(self.data), "-h", str(self._workspace.folder)]
        command += ["-p", str(upstream.port), "-U", USER, "-c", "fast", "-X", "stream", "--no-sync"]
        self._workspace.run(command)
        self._write(self.data / "standby.signal", "")

    def configure(self, settings: Mapping[str, str | int]) -> None:
        """Write its settings anew; those that need no restart take effect with `reload`."""
        every = {**SETTINGS, "unix_socket_directories": str(self._workspace.folder), **settings}
        lines = [f"{name} = {_quoted(str(value))}" for name, value in every.items()]
        self._write(self.data / "postgresql.auto.conf", "\n".join(lines) + "\n")

    def start(self) -> None:
        """Start it on a free port of the loopback address, and wait until it accepts connections.

        Raises `ServerFailed` with its last words.
        """
        for attempt in range(5):
            self.port = self.port or _free_port()
            command = [self._binaries["postgres"], "-D", str(self.data), "-p", str(self.port)]
            self._process = self._workspace.spawn_server(command, self.log)
            try:
                self._wait()
            except ServerFailed:
                # Between our look and the server's, somebody else may have taken the port.
                if attempt == 4 or "Address already in use" not in tail(self.log):
                    raise
                self.port = 0
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it and wait: SIGINT is a fast stop, SIGQUIT an immediate one, which is what a crash looks like."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(how)
            self._process.wait()

    def reload(self) -> None:
        """Have it read its settings again."""
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)

    def connect(self) -> psycopg.Connection[tuple[object, ...]]:
        """A connection through its socket."""
        return connect(self.conninfo)

    def ask(self, query: str, *parameters: object) -> Any:
        """The first value of the first row of a query, over a connection of its own."""
        with self.connect() as connection:
            row = connection.execute(query.encode(), parameters or None).fetchone()
            assert row is not None
            return row[0]

    def tell(self, command: str) -> None:
        """Run a command that answers nothing, over a connection of its own."""
        import psycopg

        try:
            with self.connect() as connection:
                connection.execute(command.encode())
        except psycopg.Error as error:
            raise ServerFailed(f"the server {self.name} cannot do {command!r}: {str(error).strip()}") from None

    def _wait(self) -> None:
        """Until it accepts connections; raises `ServerFailed` if it ends instead, or takes too long."""
        assert self._process is not None
        deadline = time.monotonic() + PATIENCE
        while True:
            if self._process.poll() is not None:
                raise ServerFailed(f"the server {self.name} did not start:\n{tail(self.log)}")
            try:
                self.connect().close()
            except ServerFailed:
                if time.monotonic() > deadline:
                    raise ServerFailed(
                        f"the server {self.name} takes no connections after {PATIENCE:.0f} s:\n{tail(self.log)}"
                    ) from None
                time.sleep(0.02)
            else:
                return

    def _write(self, file: Path, text: str) -> None:
        """Write a file that the servers' user owns."""
        file.write_text(text, encoding="utf-8")
        if self._workspace.account.is_other:
            os.chown(file, self._workspace.account.uid, self._workspace.account.gid)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
