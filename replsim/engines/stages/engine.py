"""Run a scenario through the pipeline, a chunk of time at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Final

from replsim.engines.stages.covers import covers
from replsim.engines.stages.harvest import harvest
from replsim.engines.stages.memory import keep_freed_memory
from replsim.engines.stages.pipeline import Pipeline
from replsim.engines.stages.section import Sections
from replsim.errors import UnsupportedScenario
from replsim.randomness import Streams
from replsim.record import Record
from replsim.scenario import Scenario
from replsim.scenario.estimate import estimate

__all__ = ["sections", "simulate"]

CHUNK: Final = 1 << 20
"""About so many commits a chunk: columns that are joined from many pieces cost more than the cache saves."""
SECTION: Final = 131_072
"""The same for a section: few enough to stay near the processor, many enough that calls do not count."""
LOOKS: Final = 16
"""A run that somebody follows tells its progress so often at least."""


def sections(
    scenario: Scenario, seed: int, reach: int, progress: Callable[[float], None] | None, chunk: int | None
) -> Iterator[Record]:
    """See `replsim.engines.stages.sections`."""
    _refuse(scenario)
    keep_freed_memory()
    pipeline = Pipeline(scenario, Streams(seed))
    found = Sections(pipeline, seed, reach)
    parts = max(1 if progress is None else LOOKS, math.ceil(estimate(scenario).commits / (chunk or SECTION)))
    for part in range(parts):
        if progress is not None:
            progress(part / parts)
        horizon = scenario.duration * (part + 1) // parts + (part + 1 == parts)
        section = found.add(pipeline.run(horizon), horizon)
        if section is not None:
            yield section
    if progress is not None:
        progress(1.0)


def _refuse(scenario: Scenario) -> None:
    reasons = covers(scenario)
    if reasons:
        raise UnsupportedScenario(f"the stage engine does not run this: {'; '.join(reasons)}")


def simulate(scenario: Scenario, seed: int, progress: Callable[[float], None] | None, chunk: int | None) -> Record:
    """See `replsim.engines.stages.run`."""
    _refuse(scenario)
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
