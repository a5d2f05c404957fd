"""Clients and readers find the new primary where it is, and as far away as it is."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import replsim
from replsim.units import SECOND

CLUSTER = """
name: two coasts
duration: 4s
wakeup: 0s
zones: {latency: {east -> west: 30ms}}
primary: {zone: east, wal_device: {flush: 100us, write: 0s}}
standbys: {s1: {zone: west, wal_device: {flush: 100us, write: 0s}}}
writers:
  open: {zone: east, rate: 50/s, arrivals: deterministic}
  closed: {zone: east, clients: 1, think: 20ms}
readers:
  lead: {zone: east, rate: 100/s, arrivals: deterministic, route: primary}
  fixed: {zone: east, rate: 100/s, route: p}
failover: {manager: manual, at: 1s, promote: s1, promotion: 10ms, routing: 100ms}
faults: [{at: 1s, crash: p}]
"""
SERVED = 1.11
"""When clients are led to the new primary, in seconds."""


@cache
def two_coasts() -> replsim.Result:
    """A primary near its clients dies, and the other coast takes over."""
    return replsim.run(replsim.loads(CLUSTER))


@pytest.mark.parametrize("writer", ["open", "closed"])
def test_a_new_primary_is_as_far_away_as_it_is(writer: str) -> None:
    """A commit on the near primary takes its flush; on the far one 30 ms there and 30 ms back as well."""
    commits = two_coasts().commits
    mine = (commits["writer"] == commits.words["writer"].index(writer)) & (commits["outcome"] == 0)
    latency, at = (commits["acknowledged"] - commits["submitted"])[mine] / SECOND, commits["submitted"][mine] / SECOND
    assert latency[at < 1].max() < 0.001
    assert latency[at > SERVED] == pytest.approx(0.0601, abs=0.0005)


def test_a_commit_reaches_the_log_of_the_new_primary_after_its_way() -> None:
    """Its record enters the log when its request has arrived."""
    commits = two_coasts().commits
    late = (commits["submitted"] > SERVED * SECOND) & (commits["outcome"] == 0)
    assert np.all((commits["inserted"] - commits["started"])[late] == 30_000_000)


def test_reads_of_the_primary_follow_it() -> None:
    """Before the failover they go to p, and to s1 once that serves the clients, 60 ms there and back."""
    reads = two_coasts().reads
    mine = reads["reader"] == reads.words["reader"].index("lead")
    node, time = np.array(reads.words["node"])[reads["node"][mine]], reads["time"][mine] / SECOND
    assert set(node[time < SERVED]) == {"p"}
    assert set(node[time > SERVED + 0.001]) == {"s1"}
    took = (reads["answered"] - reads["time"])[mine][time > SERVED + 0.001]
    assert set(took.tolist()) == {60_000_000}
    assert not reads["diverted"][mine].any()


def test_a_read_that_names_a_node_stays_there() -> None:
    """Whoever reads a server by its name reads that one, primary or not."""
    reads = two_coasts().reads
    mine = (reads["reader"] == reads.words["reader"].index("fixed")) & (reads["time"] < SECOND)
    assert {reads.words["node"][code] for code in reads["node"][mine]} == {"p"}


def test_reads_of_the_new_primary_see_what_is_written_there() -> None:
    """A read of the new primary sees commits of its own time, and no commit that was lost."""
    result = two_coasts()
    reads, commits = result.reads, result.commits
    mine = (reads["reader"] == reads.words["reader"].index("lead")) & (reads["time"] > 2 * SECOND)
    lost = commits["fate"] == commits.words["fate"].index("lost")
    assert lost.any()
    assert reads["saw"][mine].min() > commits["lsn"][lost].max()
