"""What a scenario expects: judged after a run, and refused before it where it cannot be."""

from __future__ import annotations

import pytest

from replsim.analysis import metrics
from replsim.analysis.expectations import check, problems
from tests.analysis.records import make_record, make_scenario


def test_expectations_are_judged_in_the_metrics_unit() -> None:
    """Each quantity is read in its metric's own unit, and the value compared with it."""
    scenario = make_scenario(
        expect=[
            "commit_latency.max < 20ns",
            "commit_latency.max <= 25ns",
            "s1.lag.bytes.max == 0 B",
            "throughput > 1k/s",
            "loss_if_primary_dies.probability < 1%",
            "pending_commits == 1",
            "p.commits_per_flush >= 2",
            "s1.measured_lag.write.p99 < 1s",
        ]
    )
    commits = {"inserted": [60, 70, 80], "acknowledged": [80, 95, 2**63 - 1]}
    record = make_record(scenario, commits, flush_starts={"p": [90]})
    judged = check(scenario, metrics(record))
    assert [c.held for c in judged] == [False, True, True, True, True, True, True, False]
    assert judged[0].value == pytest.approx(25e-9)
    assert judged[0].bound == pytest.approx(20e-9)
    assert judged[4].bound == 0.01
    assert [str(c.expectation) for c in judged] == [str(e) for e in scenario.expect]


def test_a_metric_that_is_not_a_number_never_holds() -> None:
    """Nothing was measured, so nothing is as expected, whichever way it was expected."""
    scenario = make_scenario(expect=["commit_latency.p99 < 1s", "commit_latency.p99 >= 0s", "commit_latency.p99 != 5s"])
    record = make_record(scenario, {"inserted": [60]})
    assert [c.held for c in check(scenario, metrics(record))] == [False, False, False]


def test_problems_are_named_before_the_run() -> None:
    """Unknown metrics and quantities of another dimension are refused, each at its place in the list."""
    scenario = make_scenario(
        expect=[
            "commit_latency.p99 < 20ms",
            "comit_latency.p99 < 20ms",
            "commit_latency.p99 < 20",
            "lag.bytes.max < 5ms",
            "throughput > 5",
            "pending_commits < 5ms",
            "s3.lag.bytes.max < 1 MB",
            "loss_if_primary_dies.probability < 200%",
            "commits_per_flush > 1.5",
        ]
    )
    found = [(problem.path, problem.message) for problem in problems(scenario)]
    assert found == [
        (("expect", 1), "unknown metric 'comit_latency.p99', did you mean 'commit_latency.p99'?"),
        (("expect", 2), "commit_latency.p99: a duration needs a unit: write '5ms', not '20'"),
        (("expect", 3), "lag.bytes.max: 'ms' is not a unit of size (units: B, kB, KB, MB, GB, TB, KiB, MiB, GiB, TiB)"),
        (("expect", 4), "throughput: a rate needs a unit: write '800/s', not '5'"),
        (("expect", 5), "pending_commits: expected a bare number such as '5', got '5ms'"),
        (("expect", 6), "'s3.lag.bytes.max': this scenario has no standby 's3'; it has s1, s2"),
        (
            ("expect", 7),
            "loss_if_primary_dies.probability: a fraction lies between 0 and 1 (or 0% and 100%), got '200%'",
        ),
    ]
