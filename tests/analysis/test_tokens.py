"""A session's token is a raw LSN, as real systems have it: after a failover it may say that a lost write is there."""

from __future__ import annotations

import numpy as np

import replsim
from replsim.analysis.checks import violations
from replsim.analysis.reads.tokens import first_at
from replsim.record import Trajectory
from replsim.record.branch import coded_as
from replsim.units import NEVER

LOSES = """
name: a write that a failover loses
duration: 600ms
wakeup: 0s
primary: {wal_device: {flush: 100us, write: 0s}}
standbys: {s1: {wal_device: {flush: 100us, write: 0s}}}
links: {p -> s1: {latency: 20ms}}
writers: {app: {rate: 200/s, arrivals: deterministic}}
sessions:
  user: {count: 3, write_every: 60ms, reads: 4, read_after: 25ms, route: s1, guarantee: read_your_writes, by: wait}
failover: {manager: manual, at: 300ms, promote: s1, promotion: 1ms, routing: 10ms}
faults: [{at: 300ms, crash: p}]
"""


def at(*codes: tuple[int, int, int]) -> Trajectory:
    """A position from (time, branch, LSN)."""
    time, branch, lsn = (np.array(column) for column in zip(*codes, strict=True))
    return Trajectory.of(time, coded_as(branch, lsn))


def test_a_node_is_waited_for_until_its_lsn_is_high_enough() -> None:
    """Without a failover that is the first time at which it has the position, or the moment of asking."""
    position = at((10, 0, 100), (20, 0, 200))
    found = first_at(position, np.array([0, 100, 150, 200, 201]), np.array([5, 5, 5, 30, 5]))
    assert found.tolist() == [5, 10, 20, 30, NEVER]


def test_a_node_that_goes_over_to_another_history_counts_from_there() -> None:
    """At 20 it falls from 200 to 130: who asks later waits for the LSN to come again, whatever stands there now."""
    position = at((10, 0, 200), (20, 1, 130), (40, 1, 250))
    found = first_at(position, np.array([150, 150, 120]), np.array([12, 25, 25]))
    assert found.tolist() == [12, 40, 25]


def test_a_lost_write_is_missed_though_its_token_is_satisfied() -> None:
    """Users whose write was lost read on: the new log is as long as their token says, and their write is not in it."""
    result = replsim.run(replsim.loads(LOSES))
    reads, commits = result.reads, result.commits
    lost = (commits["fate"] == commits.words["fate"].index("lost")) & (
        commits["writer"] == commits.words["writer"].index("user")
    )
    victims = np.unique(commits["client"][lost & (commits["acknowledged"] < NEVER)])
    assert len(victims) > 0
    broken = ~reads["kept"]
    assert set(victims.tolist()) >= set(reads["session"][broken].tolist()) > set()
    assert not reads["timed_out"][broken].all()
    assert violations(result.record) == []
