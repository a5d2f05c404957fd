"""Executors and runs that misbehave, for the tests of what a study makes of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

from replsim.study import conduct, runs

__all__ = ["Backwards", "dies_once"]


class Backwards(Executor):
    """Does what it is given in threes, the last first: an order that no study expects."""

    width = 3

    def __init__(self) -> None:
        self.waiting: list[tuple[Future[Any], Callable[..., Any], tuple[Any, ...]]] = []

    def submit(self, fn: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        """Keep it until three (or so) have come."""
        future: Future[Any] = Future()
        self.waiting.append((future, fn, arguments))
        if len(self.waiting) == conduct.AHEAD * self.width or arguments[0][0].nth == 4:
            for waiting, each, own in reversed(self.waiting):
                waiting.set_result(each(*own))
            self.waiting.clear()
        return future


def dies_once(marker: str) -> None:
    """Kill this process the first time, by a file that says whether it has been done."""
    if not Path(marker).exists():
        Path(marker).touch()
        os._exit(9)


def perform_dying(marker: str, seed: int, asked: list[runs.Run]) -> list[runs.Outcome]:
    """As `runs.perform`, but the process dies at the given seed: once, or (without a marker) each time."""
    if any(run.seed == seed for run in asked):
        if not marker:
            os._exit(9)
        dies_once(marker)
    return runs.perform(asked)
