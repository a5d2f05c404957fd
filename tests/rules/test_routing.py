"""The routing rules: which node a read goes to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from replsim.rules.routing import Route

STANDBYS = ("s1", "s2", "s3")
DISTANCES = np.array([3.0, 1.0, 2.0])


def route(written: Any) -> Route:
    """The rule as a scenario writes it."""
    return Route.model_validate(written)


def chosen(written: Any, u: list[float], first: int = 0) -> list[str]:
    """The nodes that reads with these uniforms go to."""
    rule = route(written)
    nodes = rule.nodes("p", STANDBYS)
    distances = DISTANCES[: len(nodes)]
    everywhere = np.ones((1, len(nodes)), dtype=bool)
    numbers = first + np.arange(len(u))
    return [nodes[place] for place in rule.choose(numbers, np.array(u), distances, everywhere, None)]


def test_primary_and_a_named_node_take_every_read() -> None:
    """A rule that names one node sends every read there, whatever is drawn."""
    assert chosen("primary", [0.0, 0.5, 0.99]) == ["p", "p", "p"]
    assert chosen("s2", [0.0, 0.5, 0.99]) == ["s2", "s2", "s2"]


def test_round_robin_goes_on_where_the_last_block_ended() -> None:
    """Reads in two blocks go round as reads in one block do."""
    whole = chosen("round_robin", [0.5] * 7)
    assert whole == ["s1", "s2", "s3", "s1", "s2", "s3", "s1"]
    assert chosen("round_robin", [0.5] * 3) + chosen("round_robin", [0.5] * 4, first=3) == whole


def test_random_gives_each_standby_its_equal_share_of_the_uniforms() -> None:
    """A third of the unit interval belongs to each of three standbys, and the ends fall inside."""
    assert chosen("random", [0.0, 0.33, 0.34, 0.66, 0.67, 1 - 2**-53]) == ["s1", "s1", "s2", "s2", "s3", "s3"]


def test_weighted_gives_shares_in_proportion() -> None:
    """Weights 3 and 1 cut the unit interval at three quarters; nodes come in the order written."""
    written = {"weighted": {"s2": 3, "s1": 1}}
    assert chosen(written, [0.0, 0.74, 0.75, 1 - 2**-53]) == ["s2", "s2", "s1", "s1"]


def test_nearest_takes_the_shortest_way() -> None:
    """The node with the smallest mean network time gets every read."""
    assert chosen("nearest", [0.1, 0.9]) == ["s2", "s2"]


def test_among_narrows_the_choice() -> None:
    """A policy with ``among`` spreads over those nodes only, the primary included if it is named."""
    assert chosen({"policy": "round_robin", "among": ["s3", "p"]}, [0.5] * 3) == ["s3", "p", "s3"]


def test_without_a_standby_reads_go_to_the_primary() -> None:
    """A cluster of one node answers its reads itself, under every policy that spreads."""
    for policy in ("random", "round_robin", "nearest"):
        assert route(policy).nodes("p", ()) == ("p",)


@pytest.mark.parametrize(
    "written",
    [
        "primary",
        "s2",
        "random",
        "round_robin",
        "nearest",
        {"weighted": {"s1": 3.0, "s2": 1.0}},
        {"quorum": 2},
        {"quorum": 1, "among": ["s1", "p"]},
        "least_lag",
        "per_session",
        {"policy": "least_lag", "poll": "5s"},
        {"policy": "random", "max_lag": "2s", "max_lag_bytes": "1 MB", "primary_after_write": "2s"},
        {"node": "s1", "until_caught_up": "any"},
    ],
    ids=str,
)
def test_a_route_is_written_back_as_it_was_read(written: Any) -> None:
    """The shorthand survives a round trip through the model."""
    assert route(written).model_dump(mode="json") == written
    assert route(route(written).model_dump()) == route(written)


@pytest.mark.parametrize("weights", [{}, {"s1": 0}, {"s1": 1, "s2": -1}], ids=str)
def test_weights_must_be_above_zero(weights: dict[str, float]) -> None:
    """A weighted route without a positive weight for each node is refused."""
    with pytest.raises(ValidationError, match="weight above zero"):
        route({"weighted": weights})
