"""The faults of a run, as stretches of its time: for shading, and for what is told beside a figure."""

from __future__ import annotations

from dataclasses import dataclass

from replsim.analysis.facts import Facts
from replsim.randomness import Streams
from replsim.scenario.windows import windows

__all__ = ["Trouble", "troubles"]


@dataclass(frozen=True, slots=True)
class Trouble:
    """A fault and when it was on, in nanoseconds; ``lasting`` if it did not end within the run."""

    start: int
    end: int
    what: str
    lasting: bool


def troubles(facts: Facts) -> tuple[Trouble, ...]:
    """Every fault that came within the run, in the order of time; what is done in a moment has no length."""
    scenario = facts.record.scenario
    end = scenario.duration
    return tuple(
        Trouble(window.start, min(window.end, end), str(window.fault).replace("_", " "), window.end >= end)
        for window in windows(scenario, Streams(facts.record.seed))
        if window.start < end
    )
