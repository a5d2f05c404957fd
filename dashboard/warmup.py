"""The stage engine is compiled at its first run ever: a minute during which no page should wait.

Until another process has compiled it (numba keeps that on disk) and this one has loaded it, runs take the event engine,
which gives the same results.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import Final

import replsim

__all__ = ["engine", "start"]

_TINY: Final = """\
name: tiny
duration: 200ms
standbys: {s1: {}}
links: {p -> s1: {latency: 1ms}}
writers: {app: {rate: 100/s}}
readers: {web: {rate: 100/s}}
"""
_RUN: Final = "import sys, replsim; replsim.run(replsim.loads(sys.argv[1]))"
_started = threading.Event()
_ready = threading.Event()


def start() -> None:
    """Begin, once in a process; it goes on in the background."""
    if not _started.is_set():
        _started.set()
        threading.Thread(target=_warm, name="warm-up", daemon=True).start()


def engine() -> str:
    """The engine that a page's run takes now: the event engine while the other one is being compiled."""
    return "auto" if _ready.is_set() or not _started.is_set() else "events"


def _warm() -> None:
    try:
        subprocess.run([sys.executable, "-c", _RUN, _TINY], check=False, stdin=subprocess.DEVNULL)
        replsim.run(replsim.loads(_TINY))
    finally:
        _ready.set()
