"""Clears up after a run, whichever way the run ends: a small program of its own.

It holds the other end of a pipe from the run.  The pipe closes when the run lets go of it, and also when the run is
killed outright; then every process of the keeper's process group is stopped and the folder removed.  There is no
other way to an end, so this one is tried by every run.  It imports nothing of ours, and starts at once.

The command line names the folder.  On standard input, a line ``PID SIGNAL`` says how to stop a process that was
started: servers take SIGQUIT (an immediate stop), all else SIGTERM.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

__all__ = ["main"]

PATIENCE: Final = 10.0
"""Seconds for processes to end by themselves; a server's own limit for an immediate stop is 5."""


def main() -> None:
    """Wait for the pipe to close, stop what was started, and remove the folder."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    started = {int(pid): int(number) for pid, number in (line.split() for line in sys.stdin)}
    # Everything that was started, also what the run had no time to tell us of, is in our process group.
    os.killpg(0, signal.SIGTERM)
    _stop(started)
    _remove(Path(sys.argv[1]))


def _stop(started: Mapping[int, int]) -> None:
    alive = _send(started)
    deadline = time.monotonic() + PATIENCE
    while alive and time.monotonic() < deadline:
        time.sleep(0.02)
        alive = {pid: number for pid, number in alive.items() if _is_alive(pid)}
    _send(dict.fromkeys(alive, signal.SIGKILL))


def _send(signals: Mapping[int, int]) -> dict[int, int]:
    """Signal each process; those that were there."""
    there = {}
    for pid, number in signals.items():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
            there[pid] = number
    return there


def _is_alive(pid: int) -> bool:
    """Whether a process runs: one that has ended and that nobody has asked about does not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except ProcessLookupError:
        return False
    except OSError:
        return True


def _remove(folder: Path) -> None:
    """Remove the folder; what a last process writes meanwhile is removed at the next look."""
    for _ in range(100):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.05)


if __name__ == "__main__":
    main()
