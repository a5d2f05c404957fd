"""One run of a study, as it is asked for and as it comes back: a scenario and a seed go, numbers return.

`perform` is what every executor calls, wherever it is.  What goes wrong within a run comes back as an outcome of that
run; only the executor itself can fail.
"""

from __future__ import annotations

import math
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass

from replsim import front
from replsim.errors import ReplsimError
from replsim.study.parcel import Parcel, code_version, read

__all__ = ["Outcome", "Run", "perform"]


@dataclass(frozen=True, slots=True)
class Run:
    """What is to be run: setting number ``setting`` of a study with seed number ``nth``."""

    setting: int
    nth: int
    parcel: Parcel
    seed: int
    engine: str
    metrics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run: its metrics (SI units, NaN where there is nothing to measure), or why it failed."""

    setting: int
    nth: int
    values: tuple[float, ...] = ()
    """In the order of ``Run.metrics``."""
    moving: tuple[str, ...] = ()
    """The series that had not settled: ``commit_latency``, ``s1.lag``."""
    engine: str = ""
    """The engine that ran it."""
    seconds: float = math.nan
    """The time that it took."""
    version: str = ""
    """The version of the code that computed it."""
    error: str = ""
    """What went wrong, in a line; empty where nothing did."""
    trace: str = ""
    """Where it went wrong, for a bug of replsim's."""


def perform(runs: Sequence[Run]) -> list[Outcome]:
    """Do some runs, one after the other; each gives its outcome, also where it fails."""
    return [_perform(run) for run in runs]


def _perform(run: Run) -> Outcome:
    started = time.perf_counter()
    try:
        result = front.run(read(run.parcel), seed=run.seed, engine=run.engine)
        values = tuple(result.metrics.get(name, math.nan) for name in run.metrics)
        still = tuple(result.moving(name for name in run.metrics if name in result.metrics))
    except ReplsimError as error:
        return _failed(run, str(error), "")
    except Exception as error:  # noqa: BLE001 - whatever it is, it must not take the other runs along
        return _failed(run, f"{type(error).__name__}: {error}", traceback.format_exc())
    seconds = time.perf_counter() - started
    return Outcome(run.setting, run.nth, values, still, result.engine, seconds, code_version())


def _failed(run: Run, error: str, trace: str) -> Outcome:
    return Outcome(run.setting, run.nth, version=code_version(), error=error or "it failed", trace=trace)
