"""A simulation is told what the machine of a real run is like, and nothing else of that run."""

from __future__ import annotations

import numpy as np
import pytest

import replsim
from replsim.calibrate import on_this_machine

SCENARIO = """
name: machine
duration: 4s
wakeup: 30us
primary: {synchronous_standby_names: s1, wal_device: {flush: 700us}}
standbys: {s1: {wal_device: {flush: {uniform: {low: 300us, high: 900us}}}}}
links: {p -> s1: {latency: 2ms}}
writers:
  app: {clients: 1, execution: 90us, records: 2}
  slow: {rate: 20/s, synchronous_commit: local}
"""


@pytest.fixture(scope="module")
def run() -> replsim.Result:
    """A run whose machine is known: it is simulated."""
    return replsim.run(replsim.loads(SCENARIO))


def test_the_flush_times_of_each_node_are_found_again(run: replsim.Result) -> None:
    """A device that takes 700 µs is told as such, and one that takes 300 to 900 µs with all its samples."""
    told = on_this_machine(run)
    found = told.primary.wal_device.flush.empirical
    assert found is not None
    # With its write, which nobody could tell from the flush.
    assert np.median(found.measured) == 710_000
    standby = told.standbys["s1"].wal_device.flush.empirical
    assert standby is not None
    assert len(standby.measured) > 100
    assert 300_000 <= standby.measured.min() < 330_000
    assert 870_000 < standby.measured.max() <= 900_000


def test_the_wakeup_and_the_executions_are_found_again(run: replsim.Result) -> None:
    """Hand-offs that are nothing else tell the wake-up; what remains before a commit record is the execution."""
    told = on_this_machine(run)
    assert told.wakeup == 30_000
    for name, execution in (("app", 90_000), ("slow", 0)):
        found = told.writers[name].execution.empirical
        assert found is not None
        assert np.median(found.measured) == execution


def test_all_else_is_the_scenario_s_own(run: replsim.Result) -> None:
    """Latencies, rates, rules and levels stay what they were; a reply's processing is part of its way back."""
    told = on_this_machine(run)
    assert told.links["p -> s1"] == run.scenario.links["p -> s1"]
    back = told.links["s1 -> p"]
    assert (back.latency.constant, back.jitter and back.jitter.constant) == (2_000_000, 30_000)
    assert told.primary.synchronous_standby_names == run.scenario.primary.synchronous_standby_names
    assert told.writers["slow"].rate == run.scenario.writers["slow"].rate
    assert told.standbys["s1"].replay == run.scenario.standbys["s1"].replay
