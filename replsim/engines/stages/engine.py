"""Run a scenario through the pipeline, a chunk of time at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from replsim.engines.stages.covers import covers
from replsim.engines.stages.harvest import harvest
from replsim.engines.stages.pipeline import Pipeline
from replsim.errors import UnsupportedScenario
from replsim.randomness import Streams
from replsim.record import Record
from replsim.scenario import Scenario
from replsim.scenario.estimate import estimate

__all__ = ["run"]

CHUNK: Final = 32_768
"""About so many commits a chunk: few enough that all of it stays in the processor's cache."""


def run(
    scenario: Scenario,
    seed: int,
    progress: Callable[[float], None] | None = None,
    *,
    chunk: int = CHUNK,
) -> Record:
    """Simulate ``scenario`` with ``seed``; the same record as the event engine's, to the nanosecond.

    ``progress`` is called with the fraction of simulated time done; what it raises ends the run.
    Raises `UnsupportedScenario` for what it does not cover.
    """
    reasons = covers(scenario)
    if reasons:
        raise UnsupportedScenario(f"the stage engine does not run this: {'; '.join(reasons)}")
    pipeline = Pipeline(scenario, Streams(seed))
    parts = max(1, math.ceil(estimate(scenario).commits / chunk))
    chunks = []
    for part in range(1, parts + 1):
        chunks.append(pipeline.run(scenario.duration * part // parts + (part == parts)))
        if progress is not None:
            progress(part / parts)
    return harvest(pipeline, chunks, seed)
