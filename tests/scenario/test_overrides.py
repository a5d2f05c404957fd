"""``--set path=value``: what it reaches, and what it leaves alone."""

from __future__ import annotations

from typing import Any

import pytest

from replsim.errors import ScenarioError
from replsim.scenario import Scenario
from replsim.scenario.overrides import assignments
from replsim.scenario.yaml import loads

TEXT = """
name: demo
duration: 10s
standbys: {s1: {}, s2: {}}
links:
  p -> s1: {latency: 5ms}
  p->s2: {latency: {lognormal: {median: 1ms, p99: 2ms}}}
writers: {app: {rate: 100/s}}
expect: [throughput > 5/s]
"""


def changed(**overrides: str) -> Scenario:
    """The scenario with overrides."""
    return loads(TEXT, overrides=overrides)


@pytest.mark.parametrize(
    ("path", "value", "look", "found"),
    [
        ("primary.synchronous_commit", "local", lambda s: s.primary.synchronous_commit, "local"),
        ("primary.synchronous_commit", "on", lambda s: s.primary.synchronous_commit, "on"),
        (
            "primary.synchronous_standby_names",
            "ANY 1 (s1, s2)",
            lambda s: s.primary.synchronous_standby_names,
            "ANY 1 (s1, s2)",
        ),
        ("links.p -> s1.latency", "7ms", lambda s: s.links["p -> s1"].latency.mean, 7e6),
        ('links."p -> s1".latency', "7ms", lambda s: s.links["p -> s1"].latency.mean, 7e6),
        ("links.p->s1.latency", "7ms", lambda s: s.links["p -> s1"].latency.mean, 7e6),
        ("links.p -> s2.latency.lognormal.p99", "3ms", lambda s: s.links["p -> s2"].latency.lognormal.p99, 3_000_000),
        ("standbys.s1.replay.per_record", "1ms", lambda s: s.standbys["s1"].replay.per_record.mean, 1e6),
        ("background", "{wal: 1 MB/s}", lambda s: s.background.wal, 1_000_000),
        ("background.wal", "1 MB/s", lambda s: s.background.wal, 1_000_000),
        ("expect[0]", "throughput > 6/s", lambda s: [str(e) for e in s.expect], ["throughput > 6/s"]),
        ("expect.0", "throughput > 6/s", lambda s: [str(e) for e in s.expect], ["throughput > 6/s"]),
        ("expect[1]", "throughput < 9/s", lambda s: len(s.expect), 2),
        ("readers.web.route", "{weighted: {s1: 1}}", lambda s: s.readers["web"].route.weighted, {"s1": 1.0}),
        (" writers . app . rate ", "7/s", lambda s: s.writers["app"].rate, 7.0),
        ("seed", "9", lambda s: s.seed, 9),
        ("name", "'7'", lambda s: s.name, "7"),
    ],
)
def test_a_value_is_set(path: str, value: str, look: Any, found: Any) -> None:
    """An override reaches the value that its path names, and is read as the file itself would be."""
    overrides = {path: value} | ({"readers.web.rate": "1/s"} if path.startswith("readers") else {})
    scenario = loads(TEXT, overrides=overrides)
    assert look(scenario) == found
    assert look(scenario) is not None


def test_null_takes_a_key_away() -> None:
    """A key can be taken away, so that an open loop can be made a closed one."""
    scenario = changed(**{"writers.app.rate": "null", "writers.app.clients": "8"})
    assert scenario.writers["app"].rate is None
    assert scenario.writers["app"].clients == 8


def test_a_list_can_be_begun() -> None:
    """The first item of a list that the file does not have makes the list."""
    scenario = loads(
        "name: demo\nduration: 1s\nwriters: {a: {rate: 1/s}}\n", overrides={"expect[0]": "throughput > 1/s"}
    )
    assert len(scenario.expect) == 1


def test_overrides_leave_the_rest_alone() -> None:
    """Only the named value differs."""
    before, after = changed(), changed(seed="9")
    assert after == before.changed(seed=9)


def test_a_mistake_in_an_override_is_shown_as_such() -> None:
    """The user sees which --set is wrong, beside the mistakes of the file."""
    with pytest.raises(ScenarioError) as caught:
        loads(TEXT + "sed: 5\n", overrides={"links.p -> s1.latency": "5"})
    file, override = caught.value.problems
    assert str(file).startswith("<text>:10:1: sed: unknown key, did you mean 'seed'?")
    assert str(override).startswith('--set links.p -> s1.latency=5: links."p -> s1".latency: a duration needs a unit')


def test_a_problem_below_an_override_is_the_overrides() -> None:
    """A mistake within a mapping that was set is shown with the --set that gave it."""
    with pytest.raises(
        ScenarioError, match=r"^--set background=\{wall: 5\}: background.wall: unknown key, did you mean"
    ):
        changed(background="{wall: 5}")


def test_an_empty_path_is_refused() -> None:
    """A path has at least one key."""
    with pytest.raises(ScenarioError, match="the path is empty"):
        loads(TEXT, overrides={"": "5"})


def test_assignments_are_split_at_the_first_equals_sign() -> None:
    """A value may hold equals signs; of two values for one path the later holds."""
    assert assignments(["expect[0]=throughput == 5/s", "seed=1", "seed = 2"]) == {
        "expect[0]": "throughput == 5/s",
        "seed": "2",
    }


def test_every_assignment_without_an_equals_sign_is_named() -> None:
    """All that cannot be split is told at once."""
    with pytest.raises(ScenarioError) as caught:
        assignments(["seed", "=5", "seed=1"])
    assert [problem.file for problem in caught.value.problems] == ["--set seed", "--set =5"]
