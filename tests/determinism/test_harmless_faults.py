"""A fault that never bites changes nothing: the way of a cluster that may break is the way of one that cannot."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import replsim
from replsim.engines.events import run
from replsim.scenario import Scenario
from replsim.units import format_duration

ROOT = Path(__file__).parents[2]
FILES = (
    "scenarios/quickstart/three-nodes.yaml",
    "scenarios/postgresql/slow-replay.yaml",
    "scenarios/postgresql/cascading.yaml",
    "scenarios/postgresql/first-1.yaml",
    "scenarios/postgresql/five-levels.yaml",
    "scenarios/postgresql/waiting-clients.yaml",
    "scenarios/tour/7-replay-lag.yaml",
    "tests/determinism/busy.yaml",
)
SECONDS = 3


def at_the_end(scenario: Scenario, verb: str) -> dict[str, Any]:
    """A fault in the last nanosecond of a run."""
    standby = next(iter(scenario.standbys))
    upstream = scenario.upstream(standby)
    what = {"skew": standby, "ahead": "1s"} if verb == "skew" else {"delay": f"{upstream} -> {standby}", "by": "1s"}
    return {"at": format_duration(scenario.duration - 1), **what}


@pytest.mark.parametrize("verb", ["skew", "delay"])
@pytest.mark.parametrize("file", FILES)
def test_a_fault_in_the_last_nanosecond_changes_nothing(file: str, verb: str) -> None:
    """Commits, positions, replies and flushes are those of the run without it, byte by byte."""
    scenario = replsim.load(ROOT / file).changed(duration=f"{SECONDS}s", warmup="0s", expect=[])
    without = run(scenario, 3)
    harmless = run(scenario.changed(faults=[at_the_end(scenario, verb)]), 3)
    assert len(without.commits) > 100
    assert len(harmless.events) == len(without.events) + 1
    assert replace(harmless, events=without.events).digest() == without.digest()
