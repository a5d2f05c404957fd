"""A run's temporary folder and all the processes that it starts: both are gone when it ends."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from replsim.engines.postgres import keeper
from replsim.engines.postgres.account import Account
from replsim.errors import ServerFailed

__all__ = ["Workspace", "tail"]

LONGEST_FOLDER: Final = 70
"""A unix socket's path is at most 107 bytes (``sun_path``); this leaves room for the socket's own name."""


class Workspace:
    """A folder of the servers' user, closed to everybody else, and the processes started from it.

    All processes are in one process group, which Ctrl-C on a terminal does not reach: the run ends them, through
    its `keeper`.
    """

    def __init__(self) -> None:
        self.account = Account.choose()
        parent = Path(tempfile.gettempdir()).resolve()
        if not self.account.can_enter(parent):
            raise ServerFailed(
                f"the servers run as user {self.account.name}, which cannot enter {parent}: set TMPDIR to a folder "
                "that everybody may enter"
            )
        self.folder = parent / f"replsim-{secrets.token_hex(4)}"
        if len(os.fsencode(self.folder)) > LONGEST_FOLDER:
            raise ServerFailed(f"{parent} is too long a name for sockets to be made in it: set TMPDIR to a shorter one")
        self._processes: list[subprocess.Popen[bytes]] = []
        self._keeper: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        # The keeper knows the folder before it is there: no interrupt leaves one behind that nobody knows of.
        command = [sys.executable, "-I", "-S", keeper.__file__, str(self.folder)]
        self._keeper = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0)
        try:
            assert self._keeper.stdout is not None
            self._keeper.stdout.readline()
            self.folder.mkdir(mode=0o700)
            if self.account.is_other:
                os.chown(self.folder, self.account.uid, self.account.gid)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop everything and remove the folder; when this is interrupted, the keeper goes on alone."""
        assert self._keeper is not None
        for pipe in (self._keeper.stdin, self._keeper.stdout):
            assert pipe is not None
            pipe.close()
        for process in self._processes:
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    stream.close()
        self._keeper.wait()

    def spawn_server(self, command: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
        """Start a server as the unprivileged user; what it says is appended to ``log``."""
        with log.open("ab") as out:
            return self._spawn(command, signal.SIGQUIT, stdin=subprocess.DEVNULL, stdout=out, stderr=out)

    def spawn_worker(self, module: str, log: Path) -> subprocess.Popen[bytes]:
        """Start the ``main`` of one of our own modules, as ourselves, with pipes to it and from it."""
        command = [sys.executable, "-c", f"from {module} import main; main()"]
        with log.open("ab") as out:
            pipe = subprocess.PIPE
            return self._spawn(command, signal.SIGTERM, stdin=pipe, stdout=pipe, stderr=out, as_ourselves=True)

    def run(self, command: Sequence[str], *, accept: str | None = None) -> str:
        """Run a program of PostgreSQL's as the unprivileged user, to its end, and give what it printed.

        Raises `ServerFailed` with its last words, unless they have those that the caller can ``accept``.
        """
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            process = self._spawn(command, signal.SIGTERM, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
            code = process.wait()
            if code and (accept is None or accept not in _text(err)):
                raise ServerFailed(f"{Path(command[0]).name} ended with {code}:\n{_last(_text(err) or _text(out))}")
            return _text(out)

    def _spawn(
        self,
        command: Sequence[str],
        stop: signal.Signals,
        *,
        stdin: int,
        stdout: IO[bytes] | int,
        stderr: IO[bytes] | int,
        as_ourselves: bool = False,
    ) -> subprocess.Popen[bytes]:
        assert self._keeper is not None
        assert self._keeper.stdin is not None
        other = self.account.is_other and not as_ourselves
        process = subprocess.Popen(
            command,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            cwd="/",
            env=_environment(as_ourselves=as_ourselves),
            process_group=self._keeper.pid,
            user=self.account.uid if other else None,
            group=self.account.gid if other else None,
            extra_groups=[] if other else None,
            umask=0o077,
        )
        self._processes.append(process)
        self._keeper.stdin.write(f"{process.pid} {int(stop)}\n".encode())
        self._keeper.stdin.flush()
        return process


def _environment(*, as_ourselves: bool) -> dict[str, str]:
    """Nothing of the user's own PostgreSQL settings, messages in English, and for ourselves where our modules are."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    ours = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))} if as_ourselves else {}
    return kept | {"LC_ALL": "C", "TZ": "UTC"} | ours


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")


def tail(log: Path) -> str:
    """The last words of a server, for a message."""
    return _last(log.read_text(errors="replace")) if log.exists() else ""


def _last(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.strip().splitlines()[-5:])
