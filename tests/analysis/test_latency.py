"""Latency, throughput and devices against loops over the rows."""

from __future__ import annotations

from math import ceil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replsim.analysis import metrics
from replsim.analysis.devices import flushes
from replsim.units import NEVER
from tests.analysis.records import DURATION, WARMUP, make_record, make_scenario, random_record


def _rank(values: list[int], percent: float) -> float:
    return sorted(values)[ceil(len(values) * percent / 100) - 1] if values else float("nan")


@given(st.integers(0, 10**6))
@settings(derandomize=True, deadline=None, max_examples=60)
def test_commit_latency(seed: int) -> None:
    """Latency runs from when a commit was due to its acknowledgement, for those acknowledged within the window."""
    record = random_record(seed)
    commits, found = record.commits, metrics(record)
    for prefix, code in (("", None), ("app.", 0), ("audit.", 1)):
        due, taken, waits, told, pending = [], [], [], 0, 0
        for i in range(len(commits)):
            if code not in (None, commits["writer"][i]):
                continue
            if WARMUP <= commits["acknowledged"][i] < DURATION:
                due.append(int(commits["acknowledged"][i] - commits["submitted"][i]))
                taken.append(int(commits["acknowledged"][i] - commits["started"][i]))
                told += 1
            if WARMUP <= commits["started"][i] < DURATION:
                waits.append(int(commits["started"][i] - commits["submitted"][i]))
            pending += commits["acknowledged"][i] == NEVER
        for family, values in (
            ("commit_latency", due),
            ("commit_latency_from_start", taken),
            ("connection_wait", waits),
        ):
            mean = sum(values) / len(values) / 1e9 if values else float("nan")
            assert found[f"{prefix}{family}.mean"] == pytest.approx(mean, nan_ok=True)
            assert found[f"{prefix}{family}.p99"] == pytest.approx(_rank(values, 99) / 1e9, nan_ok=True)
            largest = max(values) / 1e9 if values else float("nan")
            assert found[f"{prefix}{family}.max"] == pytest.approx(largest, nan_ok=True)
        assert found[f"{prefix}throughput"] == pytest.approx(told / ((DURATION - WARMUP) / 1e9))
        assert found[f"{prefix}pending_commits"] == pending


def test_learned_latency_is_the_polling_writers_alone() -> None:
    """A client that polls learns later than it was acknowledged; the others do not count."""
    scenario = make_scenario(writers={"jobs": {"clients": 2, "in_flight": 4, "poll": "50ns"}, "app": {"rate": "10/s"}})
    commits = {
        "writer": [0, 1, 0],
        "inserted": [60, 70, 80],
        "acknowledged": [100, 100, 110],
        "learned": [150, 100, NEVER],
    }
    found = metrics(make_record(scenario, commits))
    assert found["learned_latency.mean"] == pytest.approx(90e-9)
    assert found["jobs.learned_latency.max"] == pytest.approx(90e-9)
    assert np.isnan(found["app.learned_latency.mean"])
    assert "learned_latency.mean" not in metrics(make_record(make_scenario(), commits))


def test_flushes_and_commits_per_flush() -> None:
    """Four commits in two flushes make two per flush, and the device is busy while a flush runs."""
    commits = {"inserted": [70, 71, 72, 73]}
    positions = {"p": {"flush": ([100, 130], [100, 400])}, "s1": {"receive": ([140, 150], [200, 400])}}
    record = make_record(make_scenario(), commits, positions, flush_starts={"p": [75, 100, 220], "s1": []})
    starts, ends = flushes(record, "p")
    assert (starts.tolist(), ends.tolist()) == ([75, 100, 220], [100, 130, DURATION])
    found = metrics(record)
    assert found["commits_per_flush"] == found["p.commits_per_flush"] == 4 / 3
    assert found["flush_utilisation"] == pytest.approx((25 + 30 + 20) / (DURATION - WARMUP))
    assert np.isnan(found["s1.commits_per_flush"])


def test_a_flush_that_raised_nothing_ends_with_the_next() -> None:
    """Where the record shows fewer rises than flushes, none overlaps another and none outlasts a rise."""
    record = make_record(
        make_scenario(), {"inserted": [70, 71]}, {"p": {"flush": ([90, 130], [100, 200])}},
        flush_starts={"p": [75, 95, 105, 140, 150]},
    )  # fmt: skip
    starts, ends = flushes(record, "p")
    assert starts.tolist() == [75, 95, 105, 140, 150]
    assert ends.tolist() == [90, 105, 130, 150, DURATION]
