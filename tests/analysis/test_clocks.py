"""A clock that is wrong bends the lag that is measured with it, and nothing else."""

from __future__ import annotations

from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pytest

import replsim

STATISTICS = ("mean", "p50", "p99", "max")
TEXT = """
name: clocks
duration: 10s
standbys: {s1: {}, s2: {}}
links: {p -> s1: {latency: 5ms}, p -> s2: {latency: 5ms}}
writers: {app: {rate: 200/s}}
"""


@cache
def metrics(*skews: tuple[str, str]) -> dict[str, float]:
    """The metrics of a run with the clocks of some nodes wrong from the start."""
    faults: list[dict[str, Any]] = [{"at": "0s", "skew": node, "ahead": by} for node, by in skews]
    # A fault that does nothing: where anything may break there are metrics of the ledger as well.
    faults = faults or [{"at": "0s", "skew": "s2", "ahead": "0s"}]
    return dict(replsim.run(replsim.loads(TEXT).changed(faults=faults), seed=1).metrics)


@pytest.mark.parametrize("statistic", STATISTICS)
def test_the_age_of_the_last_commit_is_bent_by_the_difference_of_two_clocks(statistic: str) -> None:
    """A standby's clock that is ahead adds to it, the primary's subtracts, and together they cancel out."""
    name = f"s1.exporter_lag_unguarded.{statistic}"
    right = metrics()[name]
    assert metrics(("s1", "2s"))[name] == pytest.approx(right + 2, abs=1e-9)
    assert metrics(("p", "2s"))[name] == pytest.approx(right - 2, abs=1e-9)
    assert metrics(("s1", "2s"), ("p", "2s"))[name] == pytest.approx(right, abs=1e-9)


def test_a_clock_that_is_behind_hides_lag() -> None:
    """The usual query shows nothing below 0: with the primary ahead, a standby has no lag; the right ones still do."""
    assert metrics()["s1.exporter_lag.max"] > 0
    assert metrics(("p", "2s"))["s1.exporter_lag.max"] == 0
    ahead = metrics(("s1", "2s"))
    assert ahead["s1.exporter_lag.max"] == pytest.approx(metrics()["s1.exporter_lag.max"] + 2, abs=1e-9)
    assert ahead["s2.exporter_lag.max"] == metrics()["s2.exporter_lag.max"]


def test_a_wrong_clock_bends_nothing_else() -> None:
    """True lag, the columns of pg_stat_replication (taken by one clock), latency: each is as it was, to the bit."""
    right, wrong = metrics(), metrics(("s1", "2s"), ("p", "1s"))
    assert right.keys() == wrong.keys()
    bent = {name for name in right if not np.array_equal(right[name], wrong[name], equal_nan=True)}
    nodes, families = ("", "s1.", "s2."), ("exporter_lag", "exporter_lag_unguarded")
    assert bent == {f"{node}{family}.{each}" for node, family, each in product(nodes, families, STATISTICS)} & bent
    assert len(bent) > 12


def test_a_clock_may_be_wrong_for_a_while() -> None:
    """For a tenth of the run the age is 3 s more: so much more is its mean, and the largest is among those."""
    fault = {"at": "4s", "for": "1s", "skew": "s1", "ahead": "3s"}
    found = replsim.run(replsim.loads(TEXT).changed(faults=[fault]), seed=1).metrics
    name = "s1.exporter_lag_unguarded"
    measured = 10 - 5 / 200  # from the first commit that is replayed
    assert found[f"{name}.mean"] == pytest.approx(metrics()[f"{name}.mean"] + 3 * 1 / measured, rel=0.01)
    assert found[f"{name}.max"] > 3
    assert found[f"{name}.p50"] < 0.1


def test_a_commit_is_stamped_by_the_clock_at_its_insertion() -> None:
    """While nothing is replayed, a primary whose clock was put right leaves the wrong stamp of its last commit."""
    faults = [{"at": "0s", "for": "5s", "skew": "p", "ahead": "1s"}, {"at": "4s", "for": "3s", "pause_replay": "s1"}]
    found = replsim.run(replsim.loads(TEXT).changed(faults=faults), seed=1).metrics
    # The last commit of the first 4 s is stamped 1 s late: after 3 s it seems 2 s old.
    assert found["s1.exporter_lag.max"] == pytest.approx(2, abs=0.05)
    assert found["s1.lag.seconds.max"] == pytest.approx(3, abs=0.05)
    assert found["s1.exporter_lag_unguarded.p50"] < 0.1
