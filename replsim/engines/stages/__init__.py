"""The stage engine: the event engine's pipeline as compiled loops over arrays, for open-loop workloads."""

from __future__ import annotations

from collections.abc import Callable

from replsim.engines.stages.covers import covers
from replsim.record import Record
from replsim.scenario import Scenario

__all__ = ["covers", "run"]


def run(
    scenario: Scenario, seed: int, progress: Callable[[float], None] | None = None, *, chunk: int | None = None
) -> Record:
    """Simulate ``scenario`` with ``seed``; the same record as the event engine's, to the nanosecond.

    ``progress`` is called with the fraction of simulated time done; what it raises ends the run.  About ``chunk``
    commits are worked on at a time.  Raises `UnsupportedScenario` for what this engine does not cover, also where
    that shows only as it runs.
    """
    from replsim.engines.stages.engine import simulate  # only who runs it pays for loading the compiler

    return simulate(scenario, seed, progress, chunk)
