"""True lag against loops over every nanosecond, and against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replsim.analysis import metrics
from replsim.analysis.lag import lag_series
from replsim.analysis.series import decimated
from replsim.analysis.weighted import statistics
from replsim.units import NEVER
from tests.analysis.records import DURATION, WARMUP, make_record, make_scenario, random_record

STATISTICS = ("mean", "p50", "p99", "max")


@given(st.integers(0, 10**6))
@settings(derandomize=True, deadline=None, max_examples=60)
def test_bytes_and_commits(seed: int) -> None:
    """Lag in bytes and commits is what subtracting and counting at every nanosecond gives, over the window."""
    record = random_record(seed)
    found, log = metrics(record), record.commits.where(record.commits["lsn"] < NEVER)
    for node in ("s1", "s2"):
        apply = record.position(node, "apply")
        behind, missing = [], []
        for t in range(WARMUP, DURATION):
            at = int(apply.at(t))
            behind.append(int(record.position("p", "insert").at(t)) - at)
            missing.append(sum(i <= t and lsn > at for i, lsn in zip(log["inserted"], log["lsn"], strict=True)))
        for kind, values in (("bytes", behind), ("commits", missing)):
            expected = statistics(np.array(values), STATISTICS)
            assert {name: found[f"{node}.lag.{kind}.{name}"] for name in STATISTICS} == pytest.approx(expected)
    assert found["lag.bytes.p99"] == max(found["s1.lag.bytes.p99"], found["s2.lag.bytes.p99"])


@given(st.integers(0, 10**6))
@settings(derandomize=True, deadline=None, max_examples=60)
def test_seconds(seed: int) -> None:
    """Lag in seconds is, at every moment, the age of the oldest commit inserted and not applied."""
    record = random_record(seed)
    found, log = metrics(record), record.commits.where(record.commits["lsn"] < NEVER)
    apply = record.position("s1", "apply")
    t = np.arange(WARMUP, DURATION, 0.1) + 0.05
    value = np.zeros_like(t)
    for i, moment in enumerate(t):
        waiting = log["inserted"][(log["inserted"] <= moment) & (log["lsn"] > apply.at(moment))]
        value[i] = moment - waiting.min() if len(waiting) else 0
    assert found["s1.lag.seconds.mean"] * 1e9 == pytest.approx(value.mean())
    assert found["s1.lag.seconds.p99"] * 1e9 == pytest.approx(np.quantile(value, 0.99), abs=2)
    assert found["s1.lag.seconds.max"] * 1e9 == pytest.approx(value.max() + (0.05 if value.max() else 0))
    assert found["s1.lag.growth"] == pytest.approx(np.polyfit(t, value, 1)[0], abs=1e-3)
    # The series for plots is the same function.
    time, corners = lag_series(record, "s1", "seconds")
    if len(time):
        assert np.all(np.diff(time) >= 0)
        shown = np.array([np.interp(moment, time * 1e9, corners * 1e9, left=0, right=0) for moment in t])
        apart = np.min(np.abs(t[:, None] - time * 1e9), axis=1) > 0.01
        assert shown[apart] == pytest.approx(value[apart])


@given(st.integers(0, 10**6), st.sampled_from(["bytes", "commits"]))
@settings(derandomize=True, deadline=None, max_examples=20)
def test_series_of_steps(seed: int, kind: str) -> None:
    """The series of a step function has the metric's largest value within the window."""
    record = random_record(seed)
    time, value = lag_series(record, "s2", kind)  # type: ignore[arg-type]
    largest = max(
        [v for t, v in zip(time * 1e9, value, strict=True) if WARMUP < t < DURATION]
        + [float(v) for t, v in zip(time * 1e9, value, strict=True) if t <= WARMUP][-1:]
        + [0.0]
    )
    assert metrics(record)[f"s2.lag.{kind}.max"] == largest


def test_split_adds_up() -> None:
    """The stages of the way of two commits have their own means, and add up to the whole delay."""
    commits = {"inserted": [60, 80]}
    lsn = [100, 200]
    stages = {"sent": [70, 85], "receive": [71, 90], "write": [73, 92], "flush": [80, 100], "apply": [81, 121]}
    record = make_record(make_scenario(), commits, {"s1": {stage: (time, lsn) for stage, time in stages.items()}})
    found = metrics(record)
    split = {stage: found[f"s1.lag.split.{stage}"] * 1e9 for stage in ("send", "network", "write", "flush", "replay")}
    assert split == pytest.approx({"send": 7.5, "network": 3, "write": 2, "flush": 7.5, "replay": 11})
    assert sum(split.values()) == pytest.approx((21 + 41) / 2)


def test_overload_grows_as_theory_says() -> None:
    """With arrivals at rate 1/4 and replay at rate 1/5, lag grows by 1 - 4/5 a second (closed form 17)."""
    count = 50_000
    inserted = 4 * np.arange(count)
    applied = 5 * np.arange(1, count + 1)
    lsn = 100 * np.arange(1, count + 1)
    scenario = make_scenario(duration="200us", warmup="20us")
    record = make_record(scenario, {"inserted": inserted}, {"s1": {"apply": (applied, lsn)}})
    found = metrics(record)
    assert found["s1.lag.growth"] == pytest.approx(0.2, rel=1e-3)
    assert found["s1.lag.seconds.max"] == pytest.approx(0.2 * 200e-6, rel=1e-3)
    assert found["s1.lag.seconds.mean"] == pytest.approx(0.2 * 110e-6, rel=1e-3)
    assert found["s1.replay_backlog.end"] > 8 * found["s1.replay_backlog.start"] > 0
    assert found["s2.lag.growth"] == 0


def test_decimated_keeps_the_extremes() -> None:
    """A thinned series is short and in order, and keeps the largest and the smallest value."""
    rng = np.random.default_rng(1)
    time = np.sort(rng.random(50_000))
    value = np.cumsum(rng.standard_normal(50_000))
    t, v = decimated(time, value, 1000)
    assert len(t) <= 1000
    assert np.all(np.diff(t) > 0)
    assert (v.min(), v.max()) == (value.min(), value.max())
    assert set(zip(t, v, strict=True)) <= set(zip(time, value, strict=True))
    assert decimated(time[:10], value[:10], 1000)[0].tolist() == time[:10].tolist()
    flat = decimated(np.zeros(5000), value[:5000], 100)
    assert (flat[1].min(), flat[1].max()) == (value[:5000].min(), value[:5000].max())
