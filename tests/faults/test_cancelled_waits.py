"""What becomes of commits whose clients did not wait for the standbys."""

from __future__ import annotations

import numpy as np
import pytest

import replsim
from replsim.analysis.life import choose_commit, commit_life
from replsim.plots.stories import commit_story
from replsim.units import SECOND

TEXT = """
name: cancelled
duration: 20s
primary: {{synchronous_standby_names: s1, wal_device: {{flush: 1ms}}}}
standbys: {{s1: {{}}, s2: {{}}}}
links: {{p -> s1: {{latency: 2ms}}, p -> s2: {{latency: 2ms}}, s1 -> s2: {{latency: 2ms}}}}
writers: {{app: {{arrivals: deterministic, rate: 100/s, connections: 20{writer}}}}}
faults: [{faults}]
failover: {{manager: manual, at: 15s, promote: s2, routing: 1s}}
"""
CUT = "{at: 5s, for: 60s, partition: [[p], [s1, s2]]}"


def ran(faults: str, writer: str = "") -> replsim.Result:
    """The cluster after a run with these faults."""
    return replsim.run(replsim.loads(TEXT.format(faults=f"{CUT}, {faults}", writer=writer)))


def test_a_cancelled_wait_is_lost_in_a_failover() -> None:
    """All 20 connections wait behind a cut; their clients cancel, are told that all is well, and lose every commit."""
    result = ran("{at: 10s, cancel: app}, {at: 12s, crash: p}")
    assert result.metrics["local_commits"] == 20
    assert result.metrics["lost_commits"] == 20
    commits = result.commits
    local = commits["outcome"] == commits.words["outcome"].index("acknowledged_locally")
    assert np.all(commits["visible"][local] - 10 * SECOND == result.scenario.wakeup)


def test_the_next_wait_is_not_cancelled() -> None:
    """The pool's next 20 transactions wait in turn, and are unknown to their clients when the primary dies."""
    result = ran("{at: 10s, cancel: app}, {at: 12s, crash: p}")
    assert result.metrics["unknown_commits"] == 20
    assert ran("{at: 12s, crash: p}").metrics["local_commits"] == 0


def test_clients_that_disconnect_find_out_later_than_the_pool_turns() -> None:
    """With a time-out of 1 s a pool of 20 gives up 20 transactions a second from 6 s on; not one is acknowledged."""
    result = ran("{at: 12s, crash: p}", ", timeout: 1s, at_timeout: disconnect")
    commits, unknown = result.commits, 3
    first = commits["started"][(commits["outcome"] == unknown)]
    assert result.metrics["local_commits"] == 0
    assert result.metrics["lost_commits"] == 0
    assert len(first) == pytest.approx(7 * 20, abs=20)
    waits = (commits["learned"] - commits["started"])[
        (commits["outcome"] == unknown) & (commits["learned"] < 11 * SECOND)
    ]
    assert np.all(waits == SECOND)


def test_a_latency_of_a_cancelled_wait_counts_as_its_client_felt_it() -> None:
    """A commit that is cancelled 5 s after it began to wait took its client 5 s."""
    result = ran("{at: 10s, cancel: app}, {at: 12s, crash: p}")
    assert result.metrics["commit_latency_from_start.max"] == pytest.approx(5, abs=0.02)
    life = commit_life(result.facts, choose_commit(result.facts, "acknowledged_locally"))
    assert "was acknowledged locally at 10 s: it waited for s1. It had been" in commit_story(result.facts, life)
