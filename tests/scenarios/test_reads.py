"""The shipped scenarios about readers' promises find what simple sums say."""

from __future__ import annotations

from functools import cache
from math import sqrt

import pytest

from replsim import Result, loads, run, scenarios_folder


@cache
def result(name: str) -> Result:
    """One run, shared by the tests of this file."""
    return run(scenarios_folder() / "failures" / f"{name}.yaml")


@pytest.mark.parametrize(
    ("name", "group", "missed", "to_primary"),
    [
        ("sticky-window", "window", (3 - 2) / 5, 2 / 5),
        ("sticky-window", "token", 0, 3 / 5),
        ("unstick-any", "any", 3 / 5 / 2, 0),
        ("unstick-any", "all", 0, 3 / 5),
        ("unstick-any", "chosen", 0, 3 / 5 / 2),
    ],
)
def test_looks_that_come_evenly_meet_lag_in_proportion(name: str, group: str, missed: float, to_primary: float) -> None:
    """Reads come evenly within 5 s of a write: a lag of 3 s and a window of 2 s cut shares out of these.

    Within four standard errors; the few milliseconds of the way to the standby are beside the point.
    """
    found = result(name).metrics
    error = 1 / sqrt(found[f"{group}.reads.count"])
    for metric, share in (("session_violations.read_your_writes", missed), ("promises.to_primary", to_primary)):
        within = 4 * error * sqrt(share * (1 - share)) + 0.002
        assert found[f"{group}.{metric}"] == pytest.approx(share, abs=within), metric


def test_the_primary_shows_less_than_a_standby_did() -> None:
    """Every read that broke its promise was answered by the primary, which showed all that was visible there."""
    found = result("primary-goes-back")
    reads = found.reads
    broken = reads.where(~reads["kept"])
    assert len(broken)
    assert {reads.words["node"][code] for code in broken["node"]} == {"p"}
    assert {reads.words["reader"][code] for code in broken["reader"]} == {"primary"}
    assert found.metrics["primary.promises.wait.max"] == 0


@pytest.mark.parametrize(("seed", "times"), [(1, 2), (2, 1)])
def test_one_shunned_standby_takes_the_others_with_it(seed: int, times: int) -> None:
    """While the proxy shuns, all three standbys pass its limit; from one look to the next nobody is left, once or twice
    a minute, and the primary's readers wait."""
    found = run(scenarios_folder() / "failures" / "shunning-cascade.yaml", seed=seed)
    reads = found.reads
    by_look = [reads["node"][(reads["time"] // 10**10) == look] for look in range(6)]
    assert sum(set(nodes.tolist()) == {0} for nodes in by_look) == times
    assert found.metrics["web.promises.to_primary"] == pytest.approx(times / 6, abs=0.01)
    assert min(found.metrics[f"{name}.lag.seconds.max"] for name in ("s1", "s2", "s3")) > 2
    assert found.metrics["p.read_queue.max"] > 1


def test_what_does_not_shun_or_can_take_the_reads_lags_alone() -> None:
    """Without shunning, or with reads that two standbys can take, only the slow standby lags."""
    file = scenarios_folder() / "failures" / "shunning-cascade.yaml"
    text = file.read_text(encoding="utf-8").split("\nexpect:")[0]
    for overrides in ({"readers.web.route": "random"}, {"readers.web.rate": "5400/s"}):
        calm = run(loads(text, overrides=overrides)).metrics
        assert calm["s1.lag.seconds.max"] > 2
        assert max(calm["s2.lag.seconds.max"], calm["s3.lag.seconds.max"]) < 0.1
        assert calm["read_queue.max"] < 0.1
