"""A scenario with all its defaults written out is the same scenario."""

from __future__ import annotations

from pathlib import Path

import pytest

import replsim
from replsim import front
from replsim.scenario import Scenario


@pytest.mark.parametrize("file", front.shipped().values(), ids=lambda file: file.stem)
def test_a_scenario_survives_json_with_its_defaults(file: Path) -> None:
    """JSON with every default spelt out reads back as an equal scenario: a default is no mistake when it is said."""
    scenario = replsim.load(file)
    text = scenario.model_dump_json(exclude_none=True)
    assert Scenario.model_validate_json(text, context={"folder": file.parent}) == scenario


def test_a_closed_loop_may_spend_all_its_time_on_the_way() -> None:
    """Clients without a think time, a flush or a wake-up are sound where a commit waits for a distant standby."""
    text = """
name: distant
duration: 1s
wakeup: 0s
primary: {synchronous_standby_names: s1, wal_device: {flush: 0s, write: 0s}}
standbys: {s1: {wal_device: {flush: 0s, write: 0s}}}
links: {p -> s1: {latency: 5ms}}
writers: {app: {clients: 1}}
"""
    assert replsim.run(replsim.loads(text)).metrics["throughput"] == pytest.approx(100, rel=0.02)
