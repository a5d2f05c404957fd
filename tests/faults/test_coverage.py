"""What an engine cannot simulate it refuses by name."""

from __future__ import annotations

import pytest

import replsim
from replsim.engines.events.coverage import COVERED
from replsim.scenario.faults import FAULTS

TEXT = """
name: bad-day
duration: 10s
standbys: {s1: {}}
links: {p -> s1: {latency: 1ms}}
writers: {app: {rate: 5/s}}
"""
VALUES = {
    "cut": "p -> s1", "delay": "p -> s1, by: 1ms", "throttle": "p -> s1, to: 1 MB/s", "lose": "p -> s1, share: 1%",
    "partition": "[[p]]", "load": "app, times: 2", "cancel": "app", "restart": "[s1], for: 1s", "slow": "p, times: 2",
    "skew": "s1, ahead: 1s",
}  # fmt: skip


@pytest.mark.parametrize("verb", sorted(set(FAULTS) - COVERED))
def test_a_fault_that_is_not_simulated_is_refused_by_name(verb: str) -> None:
    """A run with a fault that the engine does not do ends before it begins, and says which fault it is."""
    scenario = replsim.loads(f"{TEXT}faults: [{{at: 1s, {verb}: {VALUES.get(verb, 's1')}}}]\n")
    with pytest.raises(replsim.ReplsimError, match=rf"faults\[0\] \({verb}\)"):
        replsim.run(scenario)
