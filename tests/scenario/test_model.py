"""The scenario as a Python value: made, changed and refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from replsim.errors import ScenarioError
from replsim.scenario import Scenario
from replsim.scenario.explain import explain
from replsim.scenario.topology import client_network, downstream, link_between, topology

PARTS: dict[str, Any] = {
    "name": "demo",
    "duration": "10s",
    "primary": {"zone": "a"},
    "standbys": {"s1": {"zone": "b"}, "s2": {"upstream": "s1"}},
    "links": {"s1 -> s2": {"latency": "5ms"}},
    "zones": {"latency": {"a -> b": "1ms"}},
    "writers": {"app": {"rate": "100/s", "zone": "b"}},
}


def test_a_scenario_made_in_python_is_checked_as_a_whole() -> None:
    """The cross-checks run without a file, too, and each problem keeps its place."""
    with pytest.raises(ValidationError) as caught:
        Scenario.model_validate(PARTS | {"warmup": "20s", "background": {}, "profile": "mysql"})
    problems = explain(caught.value, Scenario)
    assert [problem.path for problem in problems] == [("profile",), ("warmup",)]


def test_a_changed_scenario_is_checked_anew() -> None:
    """`changed` keeps all other fields, and refuses what would not have been allowed in the first place."""
    scenario = Scenario.model_validate(PARTS)
    assert scenario.changed(seed=5) == Scenario.model_validate(PARTS | {"seed": 5})
    assert scenario.changed(duration="20s").changed(warmup="2s").warmup == 2_000_000_000
    with pytest.raises(ScenarioError) as caught:
        scenario.changed(warmup="10s")
    assert [problem.path for problem in caught.value.problems] == [("warmup",)]
    with pytest.raises(ScenarioError, match="unknown key, did you mean 'seed'"):
        scenario.changed(sed=5)


def test_a_scenario_cannot_be_written_to() -> None:
    """A scenario is a value: what differs is another scenario."""
    with pytest.raises(ValidationError, match="frozen"):
        Scenario.model_validate(PARTS).seed = 7  # type: ignore[misc]


def test_the_cluster_as_a_graph() -> None:
    """Edges lead from each node to those that stream from it, with the link there and the link back."""
    graph = topology(Scenario.model_validate(PARTS))
    assert set(graph.edges) == {("p", "s1"), ("s1", "s2")}
    assert graph.edges["p", "s1"]["link"].latency.mean == 1e6
    assert graph.edges["s1", "s2"]["back"].latency.mean == 5e6
    assert graph.nodes["s1"] == {"role": "standby", "zone": "b"}


def test_standbys_level_by_level() -> None:
    """Standbys come level by level, those of one node in the order of the scenario, and each behind its upstream."""
    standbys = {"deep": {"upstream": "mid"}, "mid": {"upstream": "s1"}, "s1": {}, "late": {"upstream": "s1"}, "s2": {}}
    links = {f"{each.get('upstream', 'p')} -> {name}": {"latency": "1ms"} for name, each in standbys.items()}
    scenario = Scenario.model_validate(PARTS | {"standbys": standbys, "links": links})
    assert downstream(scenario) == [("p", "s1"), ("p", "s2"), ("s1", "mid"), ("s1", "late"), ("mid", "deep")]


def test_a_link_holds_both_ways_unless_the_way_back_is_given() -> None:
    """The way back is looked for first, then the way there, then the zones."""
    links = {"s1 -> s2": {"latency": "5ms"}, "s2 -> s1": {"latency": "7ms"}}
    scenario = Scenario.model_validate(PARTS | {"links": links})
    assert [link_between(scenario, *ends).latency.mean for ends in (("s1", "s2"), ("s2", "s1"), ("s1", "p"))] == [  # type: ignore[union-attr]
        5e6,
        7e6,
        1e6,
    ]


def test_a_client_is_as_far_as_its_zone() -> None:
    """A client's own network comes first, then its zone's; without either it is no way at all."""
    scenario = Scenario.model_validate(PARTS)
    assert client_network(scenario, scenario.writers["app"], "p").mean == 1e6
    assert client_network(scenario, scenario.writers["app"], "s1").mean == 100_000
    assert client_network(scenario, scenario.writers["app"], "s2").mean == 0
