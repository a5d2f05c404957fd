"""The shipped scenarios about readers' promises find what simple sums say."""

from __future__ import annotations

from functools import cache
from math import sqrt

import pytest

from replsim import Result, run, scenarios_folder


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
