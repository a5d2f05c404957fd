"""Reads while standbys are down: routers know of it, and quorums go without."""

from __future__ import annotations

import numpy as np
import pytest

import replsim
from replsim.units import NEVER

SECOND = 10**9
TEXT = """
name: down
duration: 10s
standbys: {s1: {}, s2: {}, s3: {}}
links: {p -> s1: {latency: 1ms}, p -> s2: {latency: 1ms}, p -> s3: {latency: 1ms}}
writers: {app: {rate: 50/s}}
readers:
  turns: {rate: 500/s, route: round_robin}
  least: {rate: 500/s, route: {policy: least_lag, poll: 1s}}
  one: {rate: 500/s, route: s1}
  two: {rate: 500/s, route: {quorum: 2}}
  all: {rate: 500/s, route: {quorum: 3}}
faults:
  - {at: 2s, for: 3s, crash: s1}
  - {at: 4s, for: 3s, crash: s2}
"""


@pytest.fixture(scope="module")
def table() -> replsim.record.Table:
    """The reads of one run in which s1 is down from 2 s to 5 s, and s2 from 4 s to 7 s."""
    return replsim.run(replsim.loads(TEXT)).reads


def at(table: replsim.record.Table, reader: str, start: float, end: float) -> replsim.record.Table:
    """A reader's reads that were issued in a part of the run."""
    mine = table["reader"] == table.words["reader"].index(reader)
    return table.where(mine & (table["time"] >= start * SECOND) & (table["time"] < end * SECOND))


def nodes(table: replsim.record.Table) -> set[str]:
    """Where reads went."""
    return {table.words["node"][code] for code in table["node"]}


@pytest.mark.parametrize(
    ("start", "end", "up"),
    [
        (0, 2, {"s1", "s2", "s3"}),
        (2, 4, {"s2", "s3"}),
        (4, 5, {"s3"}),
        (5, 7, {"s1", "s3"}),
        (7, 10, {"s1", "s2", "s3"}),
    ],
)
def test_no_read_is_sent_to_a_node_that_is_down(
    table: replsim.record.Table, start: int, end: int, up: set[str]
) -> None:
    """Reads take turns among those that are up, and who has but one node has the primary while that is down."""
    assert nodes(at(table, "turns", start, end)) == up
    assert nodes(at(table, "least", start, end)) <= up
    assert nodes(at(table, "one", start, end)) == ({"s1"} if "s1" in up else {"p"})
    assert bool(at(table, "one", start, end)["diverted"].all()) == ("s1" not in up)


def test_a_quorum_goes_without_those_that_are_down(table: replsim.record.Table) -> None:
    """Two of three answer while one is down; all three never do, and such reads are not answered."""
    answered = {
        (name, span): at(table, name, *span)["answered"] < NEVER
        for name in ("two", "all")
        for span in ((0, 2), (2, 4), (4, 5), (7, 10))
    }
    assert {key: (bool(done.any()), bool(done.all())) for key, done in answered.items()} == {
        ("two", (0, 2)): (True, True),
        ("two", (2, 4)): (True, True),
        ("two", (4, 5)): (False, False),
        ("two", (7, 10)): (True, True),
        ("all", (0, 2)): (True, True),
        ("all", (2, 4)): (False, False),
        ("all", (4, 5)): (False, False),
        ("all", (7, 10)): (True, True),
    }
    assert np.all(at(table, "two", 2, 4)["node"] != 1)
