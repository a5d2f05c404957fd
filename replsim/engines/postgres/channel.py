"""Messages between a run and the processes that work for it, over their standard input and output."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from typing import Any, Final

from replsim.engines.postgres.loop import Loop
from replsim.engines.postgres.workspace import Workspace, tail
from replsim.errors import ServerFailed

__all__ = ["Worker", "serve"]

PATIENCE: Final = 60.0
"""Seconds within which a worker must answer."""


class Worker:
    """One of our own modules as a process, which starts at once and waits for its job."""

    def __init__(self, workspace: Workspace, module: str) -> None:
        self._name = module.rpartition(".")[2]
        self._log = workspace.folder / f"{self._name}.log"
        process = workspace.spawn_worker(module, self._log)
        self._to, self._from = _ends(process)

    def give(self, origin: int, job: object) -> None:
        """Give it its job; times count from ``origin`` (nanoseconds since 1970)."""
        self._tell((origin, job))

    def ask(self, what: str, *arguments: object) -> Any:
        """Have it do something, and give its answer once it is done.  Raises `ServerFailed` where it cannot."""
        self._tell((what, arguments))
        return self.answer()

    def answer(self) -> Any:
        """Its next answer; the first, to its job, says that it is ready."""
        try:
            if self._from.poll(PATIENCE):
                return self._from.recv()
        except (EOFError, OSError):
            pass
        raise ServerFailed(f"the process for {self._name} does not answer:\n{tail(self._log)}")

    def _tell(self, message: object) -> None:
        try:
            self._to.send(message)
        except OSError:
            raise ServerFailed(f"the process for {self._name} has ended:\n{tail(self._log)}") from None


def serve(make: Callable[[Any, Loop], tuple[object, Mapping[str, Callable[..., Any]]]]) -> None:
    """Be a worker: take the job, make of it a first answer and what may be asked, and answer until the run lets go."""
    # Nothing else may write to the pipe.
    to, sys.stdout = Connection(os.dup(1), readable=False), sys.stderr
    source = Connection(os.dup(0), writable=False)
    origin, job = source.recv()
    loop = Loop(origin)
    ready, methods = make(job, loop)

    def hear() -> None:
        try:
            what, arguments = source.recv()
        except (EOFError, OSError):
            loop.stop()
            return
        to.send(methods[what](*arguments))

    to.send(ready)
    loop.on_readable(source.fileno(), hear)
    loop.run()


def _ends(process: subprocess.Popen[bytes]) -> tuple[Connection, Connection]:
    assert process.stdin is not None
    assert process.stdout is not None
    return (
        Connection(os.dup(process.stdin.fileno()), readable=False),
        Connection(os.dup(process.stdout.fileno()), writable=False),
    )
