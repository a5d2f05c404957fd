"""Comparisons on the same luck: what differs, by how much, and what the pairing saved."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import replsim
from replsim.errors import StudyError
from replsim.scenario import Scenario
from replsim.study.statistics import welch


def test_differences_are_taken_run_by_run(tiny: Scenario) -> None:
    """The mean difference is that of the pairs, and the interval that of their spread."""
    found = replsim.compare([tiny, tiny.changed(name="local", primary={"synchronous_commit": "local"})], seeds=6)
    first, other = (sample.values["commit_latency.p50"] for sample in found)
    difference = found.difference("commit_latency.p50")
    assert difference.estimate.mean == pytest.approx(float(np.mean(other - first)), rel=1e-12)
    assert difference.found
    assert difference.relative == pytest.approx(float(np.mean(other) / np.mean(first) - 1))
    assert found.labels == ("tiny", "local")


def test_pairing_finds_what_the_same_number_of_independent_runs_misses(tiny: Scenario) -> None:
    """The far standby half a millisecond nearer: twelve pairs see what it does to commits, twelve runs each do not."""
    measure, nearer = "commit_latency.mean", {"links.p -> s2.latency.exponential.mean": "2.5ms"}
    long = {"duration": "2s"}
    difference = replsim.compare(tiny, nearer, 12, metrics=[measure], overrides=long).difference(measure)
    assert difference.estimate.high < 0
    assert difference.saved > 10
    assert difference.apart > 4 * difference.estimate.half_width
    one = replsim.replicate(tiny, range(100, 112), metrics=[measure], overrides=long)
    two = replsim.replicate(tiny, range(200, 212), metrics=[measure], overrides=long | nearer)
    before, after = (each.sample.values[measure] for each in (one, two))
    assert abs(after.mean() - before.mean()) < welch(before, after)


def test_a_scenario_is_compared_with_every_combination_and_with_itself_but_once(tiny: Scenario) -> None:
    """The value that it has already is the first setting, and not run a second time."""
    found = replsim.compare(tiny, {"primary.synchronous_commit": "local,on"}, 2, metrics=["throughput"])
    assert found.labels == ("primary.synchronous_commit=on (as it stands)", "primary.synchronous_commit=local")
    assert len(found) == 2


def test_overrides_hold_in_all_settings(tiny_file: Path) -> None:
    """What is set for a comparison of several scenarios changes each of them."""
    other = tiny_file.with_name("other.yaml")
    other.write_text(tiny_file.read_text().replace("name: tiny", "name: other"))
    found = replsim.compare([tiny_file, other], seeds=2, metrics=["throughput"], overrides={"writers.app.rate": "50/s"})
    assert found[0]["throughput"].value < 100
    assert found.difference("throughput").estimate.value == 0
    told = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert [each["label"] for each in told["settings"]] == ["tiny", "other"]
    assert not told["differences"][0]["measures"]["throughput"]["found"]


def test_a_comparison_needs_two_settings(tiny: Scenario) -> None:
    """One scenario alone, or several with something to vary as well, is refused."""
    with pytest.raises(StudyError, match="needs two settings"):
        replsim.compare(tiny)
    with pytest.raises(StudyError, match="not both"):
        replsim.compare([tiny, tiny], {"duration": "1s,2s"})
