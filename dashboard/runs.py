"""Runs in threads: started once for a scenario and a seed, kept, watched and cancelled.

A worker never calls Streamlit.  Pages look at a `Job`, and come back for more while it runs.
"""

from __future__ import annotations

import hashlib
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from replsim import front
from replsim.errors import RunCancelled, ScenarioError
from replsim.scenario import Scenario
from replsim.scenario import yaml as writer
from replsim.scenario.estimate import Estimate, estimate
from replsim.units import SECOND, format_duration

__all__ = ["LONGEST_SECONDS", "MOST_BYTES", "Job", "Refusal", "Runs", "refusal", "settle"]

R = TypeVar("R")
"""What a run gives: a `replsim.Result`, or a real run and its simulation."""

LONGEST_SECONDS: Final = 120.0
"""A page that computes for longer wants the command line, which shows its way and writes what it finds."""
MOST_BYTES: Final = 1_500_000_000
KEPT: Final = 48
KEPT_BYTES: Final = 2_000_000_000
"""Of all results together, by their estimates."""


@dataclass(frozen=True)
class Refusal:
    """Why a run is not started, and how long it may be instead (None: no length is short enough)."""

    estimate: Estimate
    seeds: int
    duration: str | None


@dataclass
class Job(Generic[R]):
    """One run, from its start to its result."""

    future: Future[R] = field(init=False)
    fraction: float = 0.0
    cancelled: bool = False
    bytes: int = 0

    @property
    def done(self) -> bool:
        """Whether it has ended, one way or another."""
        return self.future.done()

    @property
    def sound(self) -> bool:
        """Whether it has a result, or may still have one."""
        return not self.cancelled and not (self.done and self.future.exception())

    def cancel(self) -> None:
        """End it at its next look at the progress; a run that waits for its turn never starts."""
        self.cancelled = True
        self.future.cancel()


class Runs(Generic[R]):
    """The runs of a process, by scenario and seed: every engine gives the same.

    The oldest results go when they are too many.
    """

    def __init__(self, run: Callable[..., R], workers: int = 2) -> None:
        self._run = run
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="run")
        self._jobs: OrderedDict[tuple[str, int], Job[R]] = OrderedDict()
        self._lock = threading.Lock()

    @staticmethod
    def name(scenario: Scenario) -> str:
        """A hash of all that a scenario says."""
        return hashlib.sha256(writer.dumps(scenario).encode()).hexdigest()

    def start(self, scenario: Scenario, seed: int, engine: str = "auto") -> Job[R]:
        """The run of this scenario and seed: a new one only where there is none, whatever the engine."""
        key = self.name(scenario), seed
        with self._lock:
            job = self._jobs.get(key)
            if job is None or not job.sound:
                job = self._jobs[key] = Job(bytes=_expected(scenario).memory_bytes)
                job.future = self._pool.submit(self._work, job, scenario, seed, engine)
            self._jobs.move_to_end(key)
            self._forget()
            return job

    def jobs(self) -> tuple[Job[R], ...]:
        """All that is kept."""
        with self._lock:
            return tuple(self._jobs.values())

    def _work(self, job: Job[R], scenario: Scenario, seed: int, engine: str) -> R:
        def progress(fraction: float) -> None:
            if job.cancelled:
                raise RunCancelled("cancelled")
            job.fraction = fraction

        return self._run(scenario, seed=seed, engine=engine, progress=progress)

    def _forget(self) -> None:
        """Let the oldest results go; a run that is under way stays."""
        ended = [key for key, job in self._jobs.items() if job.done]
        total = sum(job.bytes for job in self._jobs.values())
        for key in ended[:-1]:
            if len(self._jobs) <= KEPT and total <= KEPT_BYTES:
                break
            total -= self._jobs.pop(key).bytes


def settle(jobs: Sequence[Job[Any]], seconds: float) -> bool:
    """Wait so long at most; whether all have ended."""
    started = time.monotonic()
    wait([job.future for job in jobs], timeout=seconds - (time.monotonic() - started))
    return all(job.done for job in jobs)


def refusal(scenario: Scenario, seeds: int, *, kept: int | None = None) -> Refusal | None:
    """Why these runs would take too long or too much memory, or None; ``kept``: how many results are held at once."""
    expected = _expected(scenario)
    seconds, size = expected.wall_seconds * seeds, expected.memory_bytes * (seeds if kept is None else kept)
    if seconds <= LONGEST_SECONDS and size <= MOST_BYTES:
        return None
    share = min(LONGEST_SECONDS / seconds, MOST_BYTES / size) / 2
    shorter = _rounded(math.floor(scenario.duration * share))
    return Refusal(expected, seeds, format_duration(shorter) if _fits(scenario, shorter, seeds) else None)


def _rounded(time: int) -> int:
    """A time down to what people say: to the second, or above ten minutes to the minute."""
    step = SECOND if time < 600 * SECOND else 60 * SECOND
    return time // step * step


def _fits(scenario: Scenario, duration: int, seeds: int) -> bool:
    if duration <= max(scenario.warmup * 2, SECOND):
        return False
    try:
        less = _expected(scenario.changed(duration=format_duration(duration)))
    except ScenarioError:  # something happens in it later than that
        return False
    return less.wall_seconds * seeds <= LONGEST_SECONDS and less.memory_bytes * seeds <= MOST_BYTES


def _expected(scenario: Scenario) -> Estimate:
    return estimate(scenario, compiled=front.choose(scenario).engine == "stages")
