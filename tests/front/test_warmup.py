"""``warmup: auto``: the start that a run leaves out, found when the run has been seen."""

from __future__ import annotations

import pytest

import replsim
from replsim.scenario import yaml
from replsim.units import SECOND

TEXT = """\
name: from-empty
duration: 40s
warmup: %s
seed: 5
standbys: {s1: {}}
links: {p -> s1: {latency: 1ms}}
writers:
  app: {clients: 4, network: 2ms}
  queue: {connections: 1, execution: 2ms, %s}
"""
STEADY = "rate: 100/s"
# A backlog of the first seconds, which takes until about the eighth to be worked off.
BURST = "schedule: {points: [{at: 0s, rate: 900/s}, {at: 3s, rate: 100/s}]}"


def test_a_backlog_at_the_start_is_left_out() -> None:
    """The queue of a burst is cut off where it is worked off, and the metrics are those of the rest."""
    result = replsim.run(replsim.loads(TEXT % ("auto", BURST)))
    assert 3 * SECOND < result.scenario.warmup < 16 * SECOND
    fixed = replsim.run(replsim.loads(TEXT % (f"{result.scenario.warmup // 10**6}ms", BURST)))
    assert dict(fixed.metrics) == pytest.approx(dict(result.metrics), nan_ok=True)
    everything = replsim.run(replsim.loads(TEXT % ("0s", BURST)))
    assert everything.metrics["queue.commit_latency.mean"] > 5 * result.metrics["queue.commit_latency.mean"]


def test_where_nothing_starts_up_little_is_left_out() -> None:
    """A steady load from the start loses at most half of its run, and its metrics hardly move."""
    result = replsim.run(replsim.loads(TEXT % ("auto", STEADY)))
    whole = replsim.run(replsim.loads(TEXT % ("0s", STEADY)))
    assert result.scenario.warmup <= 20 * SECOND
    left, every = (each.metrics["app.commit_latency.mean"] for each in (result, whole))
    assert left == pytest.approx(every, rel=0.02)


def test_auto_is_kept_in_the_scenario_and_found_anew_by_each_run() -> None:
    """It is written back as it was read; each seed finds its own; studies take it as it is."""
    scenario = replsim.loads(TEXT % ("auto", BURST))
    assert "warmup: auto" in yaml.dumps(scenario)
    assert yaml.loads(yaml.dumps(scenario)) == scenario
    found = replsim.replicate(scenario, 2, metrics=["queue.commit_latency.mean"])
    single = [replsim.run(scenario, seed=seed).metrics["queue.commit_latency.mean"] for seed in found.seeds]
    assert found.sample.values["queue.commit_latency.mean"].tolist() == single


def test_a_warm_up_that_is_neither_is_refused() -> None:
    """Only `auto` and durations are warm-ups, and the message is that of durations."""
    with pytest.raises(replsim.ScenarioError, match="expected a duration such as '5ms', got 'soon'"):
        replsim.loads(TEXT % ("soon", STEADY))
