"""Searches: conditions judged by their intervals, the front as a plain search over pairs has it, and optuna's way."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pytest

import replsim
from replsim.errors import StudyError
from replsim.scenario import Scenario
from replsim.study.goals import Goal, condition
from replsim.study.knobs import read
from replsim.study.search import pareto
from replsim.study.statistics import estimate
from replsim.study.suggest import suggestions

SPACE = {"primary.synchronous_commit": "off,local,on", "links.p -> s1.latency": "1ms,8ms"}


def test_a_condition_is_met_when_its_whole_interval_keeps_it() -> None:
    """With its whole interval it is met, with the estimate alone open; what was never measured is not met."""
    below = condition("commit_latency.p99 < 20ms")
    assert below.bound == 0.02
    assert below.verdict(estimate([0.010, 0.011, 0.012], "percentile")) == "met"
    assert below.verdict(estimate([0.030, 0.031, 0.032], "percentile")) == "not met"
    assert below.verdict(estimate([0.018, 0.019, 0.022], "percentile")) == "open"
    assert below.verdict(estimate([0.018, 0.021, 0.022], "percentile")) == "not met"
    assert below.verdict(estimate([math.nan], "percentile")) == "not met"
    assert below.verdict(estimate([0.01] * 4, "percentile", moving=3)) == "not met"
    assert below.verdict(estimate([0.01], "percentile")) == "open"


def test_a_rare_loss_takes_as_many_runs_as_the_theorem_says() -> None:
    """`P(…) < 1%` with none seen: 298 runs leave it open, 299 settle it."""
    rare = condition("P(pending_commits > 0) < 1%")
    assert rare.verdict(estimate(np.zeros(298), "proportion")) == "open"
    assert rare.verdict(estimate(np.zeros(299), "proportion")) == "met"
    assert rare.verdict(estimate(np.ones(20), "proportion")) == "not met"


@dataclass
class Point:
    """As much of a candidate as the front looks at."""

    values: dict[str, float]
    verdict: str


def test_the_front_is_what_no_other_dominates() -> None:
    """Against the definition, pair by pair, on random points in two goals, one of which is to be large."""
    random = np.random.default_rng(3)
    goals = (Goal("a", None), Goal("b", None, largest=True))
    for _ in range(50):
        points = [
            Point({"a": float(a), "b": float(b)}, str(verdict))
            for a, b, verdict in zip(
                random.integers(0, 6, 12),
                random.integers(0, 6, 12),
                random.choice(["met", "open", "not met"], 12),
                strict=True,
            )
        ]
        usable = [place for place, point in enumerate(points) if point.verdict != "not met"]
        expected = {
            one
            for one in usable
            if not any(
                points[other].values["a"] <= points[one].values["a"]
                and points[other].values["b"] >= points[one].values["b"]
                and points[other].values != points[one].values
                for other in usable
            )
        }
        found = pareto(points, goals)  # type: ignore[arg-type] # as much of a candidate as it looks at
        assert set(found) == expected
        assert [points[place].values["a"] for place in found] == sorted(points[place].values["a"] for place in found)


def test_the_cheapest_setting_that_keeps_its_conditions(tiny: Scenario) -> None:
    """Nothing may be lost if the primary dies: of the settings that wait, the nearer standby is quicker."""
    found = replsim.search(
        tiny, SPACE, where=["loss_if_primary_dies.commits.max < 1"], minimize=["commit_latency.p50"], seeds=6
    )
    assert len(found.candidates) == 6
    (best,) = found.best
    assert best.sample.setting.changes == {"primary.synchronous_commit": "on", "links.p -> s1.latency": "1ms"}
    losing = [one for one in found.candidates if one.sample.setting.changes["primary.synchronous_commit"] != "on"]
    assert {one.verdict for one in losing} == {"not met"}
    assert best.command.endswith("--set primary.synchronous_commit=on --set 'links.p -> s1.latency=1ms' --seeds 6")
    json.dumps(found.to_dict(), allow_nan=False)


def test_a_cost_of_the_user_s_own_can_be_small(tiny: Scenario) -> None:
    """Latency against what a setting costs: a front of two, the dear and quick one and the cheap and slow one."""
    found = replsim.search(
        tiny,
        {"links.p -> s1.latency": "1ms,8ms"},
        minimize=["cost", "commit_latency.p50"],
        cost={"links.p -> s1.latency": {"1ms": 5, "8ms": 1}},
        seeds=2,
    )
    assert [one.values["cost"] for one in found.best] == [1, 5]
    with pytest.raises(StudyError, match="'8ms' has no cost"):
        replsim.search(
            tiny, {"links.p -> s1.latency": "8ms"}, minimize=["cost"], cost={"links.p -> s1.latency": {"1ms": 5}}
        )


def test_doubtful_settings_on_the_front_get_more_runs(tiny: Scenario) -> None:
    """A chance that four runs cannot settle is settled with more; the others keep their four."""
    found = replsim.search(
        tiny,
        {"links.p -> s1.latency": "1ms,2ms"},
        where=["P(commit_latency.p50 > 1s) < 20%"],
        minimize=["commit_latency.p50"],
        seeds=4,
        most=64,
    )
    assert [len(one.sample.seeds) for one in found.candidates] == [16, 4]
    assert found.best[0].verdict == "met"
    assert not found.warnings


def test_where_nothing_fits_the_nearest_is_shown(tiny: Scenario) -> None:
    """No setting is that quick: the front is empty, it is said, and the quickest is what comes nearest."""
    found = replsim.search(tiny, SPACE, where=["commit_latency.p50 < 1us"], minimize=["throughput"], seeds=2)
    assert found.best == ()
    assert found.warnings == ["none of 6 settings meets every condition"]
    assert found.nearest is not None
    assert found.nearest.sample.setting.changes["primary.synchronous_commit"] == "off"


def test_a_sampler_finds_the_corner_of_a_large_space_and_the_same_one_again() -> None:
    """Of 10^6 settings with a condition, 96 proposals come close to the best, by the same way each time."""
    knobs = [read("x", "0..1.0"), read("y", "0..1.0"), read("z", "p,q")]

    def tried(log: list[float]) -> Any:
        def run(generation: Any) -> Any:
            results = []
            for one in generation:
                x, y = float(one["x"]), float(one["y"])
                value = (x - 0.7) ** 2 + (y - 0.2) ** 2 + (one["z"] == "p")
                excess = 0.5 - x
                log.append(value if excess <= 0 else math.inf)
                results.append(([value], excess))
            return results

        return run

    logs: list[list[float]] = [[], []]
    for log in logs:
        suggestions(knobs, 96, 16, 5, 1, tried(log))
    assert logs[0] == logs[1]
    assert len(logs[0]) == 96
    assert min(logs[0]) < 0.01
    assert np.mean(np.isinf(logs[0][48:])) < np.mean(np.isinf(logs[0][:16])), "it learns to keep the condition"


def test_a_search_by_optuna_runs_each_setting_once(tiny: Scenario) -> None:
    """Of four settings, twelve proposals run each at most once, and the front is the grid's."""
    grid = replsim.search(tiny, SPACE, minimize=["commit_latency.p50"], where=["throughput > 10/s"], seeds=2)
    found = replsim.search(
        tiny, SPACE, minimize=["commit_latency.p50"], where=["throughput > 10/s"], seeds=2, by="optuna", trials=24
    )
    settings = [tuple(one.sample.setting.changes.values()) for one in found.candidates]
    assert len(set(settings)) == len(settings) == 6
    every = set(product(("off", "local", "on"), ("1ms", "8ms")))
    assert set(settings) == every
    assert found.best[0].values == grid.best[0].values


def test_searches_that_cannot_be_meant_are_refused(tiny: Scenario) -> None:
    """Each mistake is told with its mend, before anything runs."""
    for message, more in {
        "needs a goal": {},
        "say what each value of a knob costs": {"minimize": ["cost"]},
        "expected 'commit_latency.p99 < 20ms'": {"minimize": ["throughput"], "where": ["quick"]},
        "needs a unit": {"minimize": ["throughput"], "where": ["commit_latency.p99 < 20"]},
        "number of settings to try": {"minimize": ["throughput"], "by": "optuna"},
        "no search by 'luck'": {"minimize": ["throughput"], "by": "luck"},
    }.items():
        with pytest.raises(StudyError, match=message):
            replsim.search(tiny, SPACE, **more)  # type: ignore[arg-type]
