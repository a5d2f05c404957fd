"""The stage engine: the event engine's pipeline as compiled loops over arrays, for open-loop workloads."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from replsim.engines.stages.covers import covers
from replsim.record import Record
from replsim.scenario import Scenario

__all__ = ["covers", "run", "sections"]


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


def sections(
    scenario: Scenario,
    seed: int,
    *,
    reach: int = 0,
    progress: Callable[[float], None] | None = None,
    chunk: int | None = None,
) -> Iterator[Record]:
    """As `run`, in sections: records of one stretch of time each (`Record.stretch`), which follow one another.

    In a section all is known up to ``reach`` nanoseconds behind its stretch.  It has no replies and no rows' keys.
    """
    from replsim.engines.stages.engine import sections as cut_up  # only who runs it pays for loading the compiler

    return cut_up(scenario, seed, reach, progress, chunk)
