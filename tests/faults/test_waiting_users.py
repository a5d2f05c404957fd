"""Closed-loop users whose next write waits for what they read, while something breaks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import replsim
from replsim.analysis.checks import violations
from replsim.record import UNKNOWN
from replsim.units import NEVER, SECOND

USERS = """
name: users who read their own writes
duration: 20s
zones: {latency: {a -> b: 1ms, a -> c: 3ms, b -> c: 3ms}}
primary: {zone: a}
standbys: {s1: {zone: b}, s2: {zone: c}}
sessions: {user: {zone: a, count: 3, think: 150ms, reads: 2, guarantee: causal}}
"""
QUICKLY = {"manager": "patroni", "ttl": "4s", "loop_wait": "1s", "retry_timeout": "1s", "routing": "1s"}


def ran(*faults: dict[str, Any], failover: dict[str, Any] | None = None, **user: Any) -> replsim.Result:
    """The cluster after a run with these faults, of users like these."""
    scenario = replsim.loads(USERS)
    session = scenario.sessions["user"].model_dump(exclude_unset=True) | user
    changes: dict[str, Any] = {} if failover is None else {"failover": failover}
    return replsim.run(scenario.changed(faults=list(faults), sessions={"user": session}, **changes))


@pytest.mark.parametrize(
    ("route", "user"),
    [
        ("s1", {"by": "wait", "timeout": "300ms"}),
        ("random", {"by": "another"}),
        ("random", {"by": "wait", "timeout": "300ms", "at_timeout": "stale"}),
        ("least_lag", {"by": "primary"}),
        ("per_session", {"by": "wait"}),
        ("primary", {}),
    ],
)
@pytest.mark.parametrize(
    ("fault", "failover"),
    [
        ({"at": "5s", "for": "5s", "crash": "s1"}, None),
        ({"at": "5s", "for": "5s", "crash": "p"}, None),
        ({"at": "5s", "crash": "p"}, QUICKLY),
        ({"at": "5s", "switchover": "s1"}, None),
        ({"at": "3s", "for": "1s", "restart": ["s2", "s1", "p"]}, None),
        ({"at": "5s", "for": "6s", "query": "s1"}, None),
        ({"at": "5s", "for": "2s", "cut": "p -> s1"}, None),
    ],
    ids=["standby", "primary", "failover", "switchover", "restarts", "query", "cut"],
)
def test_they_go_on_and_their_promise_holds(
    fault: dict[str, Any], failover: dict[str, Any] | None, route: str, user: dict[str, Any]
) -> None:
    """Whatever dies, users read and write again afterwards, and from outside no promise is found broken."""
    result = ran(fault, failover=failover, route=route, **user)
    assert violations(result.record) == []
    reads = result.reads
    late = reads["time"] > 17 * SECOND
    assert set(reads["session"][late]) == {0, 1, 2}
    assert not np.any(reads["answered"][~late] == NEVER)


def test_a_read_that_waits_on_a_node_that_dies_is_tried_on_another() -> None:
    """s1 is behind a cut link, so reads wait there; it dies, and s2 answers them, a way back and there later."""
    result = ran(
        {"at": "5s", "for": "9s", "cut": "p -> s1"}, {"at": "6s", "for": "8s", "crash": "s1"},
        route="random", by="wait", timeout="10s",
    )  # fmt: skip
    reads = result.reads
    nodes = reads.words["node"]
    moved = (reads["time"] < 6 * SECOND) & (reads["answered"] > 6 * SECOND) & (reads["tries"] > 1)
    assert np.count_nonzero(moved) >= 1
    assert {nodes[node] for node in reads["node"][moved]} == {"s2"}
    assert np.all(reads["answered"][moved] < 6.1 * SECOND)
    assert np.all(reads["waited"][moved] > 0)
    assert not np.any(
        (reads["node"] == nodes.index("s1")) & (reads["looked"] > 6 * SECOND) & (reads["looked"] < 14 * SECOND)
    )


def test_a_session_whose_node_died_is_routed_anew() -> None:
    """Who keeps to s1 reads on the primary while it is down, and on s1 again once it is back."""
    reads = ran({"at": "5s", "for": "5s", "crash": "s1"}, route="per_session").reads
    s1, primary = reads.words["node"].index("s1"), reads.words["node"].index("p")
    before, during, after = (
        (reads["time"] > begin * SECOND) & (reads["time"] < end * SECOND) for begin, end in ((0, 5), (5, 10), (12, 20))
    )
    own = set(reads["session"][before & (reads["node"] == s1)])
    assert own
    mine = np.isin(reads["session"], list(own))
    assert set(reads["node"][during & mine]) == {primary}
    assert set(reads["node"][after & mine]) == {s1}
    assert np.all(reads["diverted"][during & mine])


def test_nobody_reads_after_a_write_whose_outcome_is_unknown() -> None:
    """A write that its primary could not answer is followed by the next write, not by reads."""
    sync = replsim.loads(USERS).changed(primary={"zone": "a", "synchronous_standby_names": "FIRST 2 (s1, s2)"})
    cut = {"at": "4s", "for": "5s", "cut": "p -> s1"}
    result = replsim.run(sync.changed(faults=[cut, {"at": "5s", "for": "1s", "crash": "p"}]))
    commits = result.record.commits
    unknown = np.flatnonzero(commits["outcome"] == UNKNOWN)
    assert len(unknown) == 3
    assert not np.isin(unknown, result.record.reads["user"]["commit"]).any()
    assert result.reads["time"].max() > 15 * SECOND


def test_with_nobody_to_ask_they_try_again() -> None:
    """While every node is down reads are not answered; within a second of the first return they are."""
    down = [{"at": "5s", "for": f"{length}s", "crash": node} for node, length in (("p", 5), ("s1", 6), ("s2", 6))]
    reads = ran(*down, route="random", reads=2000, read_after="5ms").reads
    waited = (reads["time"] < 10 * SECOND) & (reads["answered"] > 10 * SECOND)
    assert np.count_nonzero(waited) == 3
    assert np.all(reads["answered"][waited] < 11.1 * SECOND)


def test_a_query_puts_their_reads_off() -> None:
    """Reads that wait on a standby wait for its query as well, and not for longer than it lasts."""
    reads = ran({"at": "5s", "for": "2s", "query": "s1"}, route="s1", by="wait", timeout="10s").reads
    longest = reads["waited"].max()
    assert 1.5 * SECOND < longest < 2.1 * SECOND
