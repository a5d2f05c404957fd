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

__all__ = ["simulate"]

CHUNK: Final = 32_768
"""About so many commits a chunk: few enough that all of it stays in the processor's cache."""
LOOKS: Final = 16
"""A run that somebody follows tells its progress so often at least."""


def simulate(scenario: Scenario, seed: int, progress: Callable[[float], None] | None, chunk: int | None) -> Record:
    """See `replsim.engines.stages.run`."""
    reasons = covers(scenario)
    if reasons:
        raise UnsupportedScenario(f"the stage engine does not run this: {'; '.join(reasons)}")
    pipeline = Pipeline(scenario, Streams(seed))
    parts = max(1 if progress is None else LOOKS, math.ceil(estimate(scenario).commits / (chunk or CHUNK)))
    chunks = []
    for part in range(parts):
        if progress is not None:
            progress(part / parts)
        chunks.append(pipeline.run(scenario.duration * (part + 1) // parts + (part + 1 == parts)))
    record = harvest(pipeline, chunks, seed)
    if progress is not None:
        progress(1.0)
    return record
