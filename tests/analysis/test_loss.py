"""What would be lost at every nanosecond, counted commit by commit, and against theory."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replsim.analysis import metrics
from replsim.analysis.loss import loss_if_primary_dies, loss_series
from replsim.analysis.weighted import statistics
from replsim.units import NEVER
from tests.analysis.records import DURATION, WARMUP, make_record, make_scenario, random_record


@given(st.integers(0, 10**6), st.sampled_from(["s1", "s2", None]), st.sampled_from(["dies", "arrives"]))
@settings(derandomize=True, deadline=None, max_examples=80)
def test_loss(seed: int, node: str | None, in_flight: Literal["dies", "arrives"]) -> None:
    """At every moment, the acknowledged commits that the standby (or the best of them) does not have."""
    record = random_record(seed)
    log = record.commits.where(record.commits["lsn"] < NEVER)
    stage = {"dies": "receive", "arrives": "sent"}[in_flight]
    commits, size, age = [], [], []
    for t in range(WARMUP, DURATION):
        has = max(int(record.position(name, stage).at(t)) for name in ([node] if node else ["s1", "s2"]))
        lost = (log["acknowledged"] <= t) & (log["lsn"] > has)
        commits.append(int(lost.sum()))
        size.append(int(log["bytes"][lost].sum()))
        age.append(t + 0.5 - log["acknowledged"][lost].min() if lost.any() else 0.0)
    found = loss_if_primary_dies(record, node, in_flight)
    for what, values in (("commits", commits), ("bytes", size)):
        for name, value in statistics(np.array(values), ("mean", "p50", "p99", "max")).items():
            assert found[f"loss_if_primary_dies.{what}.{name}"] == pytest.approx(value)
    assert found["loss_if_primary_dies.probability"] == pytest.approx(np.mean([n > 0 for n in commits]))
    assert found["loss_if_primary_dies.seconds.mean"] * 1e9 == pytest.approx(np.mean(age))
    largest = max(age) + 0.5 if max(age) else 0
    assert found["loss_if_primary_dies.seconds.max"] * 1e9 == pytest.approx(largest)
    if in_flight == "dies":
        shown = metrics(record)
        assert {name: shown[f"{node}.{name}" if node else name] for name in found} == pytest.approx(found)
    moments, counted = loss_series(record, node, in_flight)
    before = [counted[np.rint(moments * 1e9) <= t] for t in (99, 150)]
    assert [values[-1] if len(values) else 0 for values in before] == [commits[99 - WARMUP], commits[150 - WARMUP]]


@given(st.integers(0, 10**6))
@settings(derandomize=True, deadline=None, max_examples=40)
def test_loss_of_a_restart(seed: int) -> None:
    """At every moment, the acknowledged commits that the primary itself has not flushed."""
    record = random_record(seed)
    log = record.commits.where(record.commits["lsn"] < NEVER)
    lost = [(log["acknowledged"] <= t) & (log["flushed"] > t) for t in range(WARMUP, DURATION)]
    found = metrics(record)
    for what, weight in (("commits", np.ones(len(log), dtype=np.int64)), ("bytes", log["bytes"])):
        values = np.array([int(weight[each].sum()) for each in lost])
        for name, value in statistics(values, ("mean", "p50", "p99", "max")).items():
            assert found[f"loss_if_primary_restarts.{what}.{name}"] == pytest.approx(value)
    assert found["loss_if_primary_restarts.probability"] == pytest.approx(np.mean([each.any() for each in lost]))


def test_constant_delay_is_poisson() -> None:
    """With a constant delay D the loss at a random moment is Poisson with mean λD (closed form 14)."""
    rng = np.random.default_rng(1)
    count, rate, delay = 200_000, 0.1, 500
    inserted = np.cumsum(rng.exponential(1 / rate, count)).astype(np.int64)
    end = int(inserted[-1]) - 10 * delay
    scenario = make_scenario(duration=f"{end}ns", warmup="1000ns")
    received = {"s1": {"receive": (inserted + delay, 100 * np.arange(1, count + 1))}}
    record = make_record(scenario, {"inserted": inserted, "acknowledged": inserted}, received)
    found = loss_if_primary_dies(record, "s1")
    mean = rate * delay
    # Windows of length D are nearly independent: their number gives the standard error.
    assert found["loss_if_primary_dies.commits.mean"] == pytest.approx(mean, abs=4 * np.sqrt(mean / (end / delay)))
    assert found["loss_if_primary_dies.commits.p99"] == pytest.approx(mean + 2.33 * np.sqrt(mean), abs=2)
    assert loss_if_primary_dies(record)["loss_if_primary_dies.commits.max"] == 0  # s2 has received all at once
