"""A failover on real servers: the primary's host dies, a standby is promoted, and the record has both histories."""

from __future__ import annotations

import numpy as np
import pytest

import replsim
from replsim.engines.postgres.binaries import Binaries
from replsim.record.branch import branch_of
from replsim.units import NEVER

SCENARIO = """
name: failover
duration: 5s
primary: {zone: here, synchronous_standby_names: "ANY 2 (s1, s2)"}
standbys: {s1: {zone: near}, s2: {zone: far}}
zones: {latency: {here -> near: 20ms, here -> far: 50ms, near -> far: 30ms}}
writers:
  safe: {clients: 4, synchronous_commit: on}
  fast: {rate: 200/s, synchronous_commit: local}
faults:
  - {at: 1500ms, crash: p}
failover: {manager: manual, at: 2s, promote: s1, routing: 200ms}
"""
SAFE, FAST = 0, 1


@pytest.fixture(scope="module")
def run(binaries: Binaries) -> replsim.Result:
    """One failover."""
    return replsim.run(replsim.loads(SCENARIO), engine="postgres")


def lost(run: replsim.Result, writer: int) -> int:
    """How many acknowledged commits of a writer lie behind the fork on the old primary."""
    commits, fork = run.commits, run.record.branches[1].fork
    gone = (commits["timeline"] == 1) & (commits["lsn"] > fork) & (commits["lsn"] < NEVER)
    told = commits["outcome"] == commits.words["outcome"].index("acknowledged")
    return int(np.count_nonzero(gone & told & (commits["writer"] == writer)))


def test_no_commit_acknowledged_under_any_2_is_lost(run: replsim.Result) -> None:
    """What both standbys had flushed before the client was told is on the new primary; what waited for none is not."""
    assert np.count_nonzero(run.commits["writer"] == SAFE) > 20
    assert lost(run, SAFE) == 0
    assert lost(run, FAST) > 0
    assert run.metrics["lost_commits"] == lost(run, FAST)


def test_whoever_was_under_way_does_not_know(run: replsim.Result) -> None:
    """A commit whose connection broke has an unknown outcome, whether or not it was inserted."""
    commits = run.commits
    unknown = commits["outcome"] == commits.words["outcome"].index("unknown")
    assert 1 <= np.count_nonzero(unknown & (commits["writer"] == SAFE)) <= 4
    assert (commits["acknowledged"][unknown] == NEVER).all()


def test_clients_go_on_at_the_new_primary(run: replsim.Result) -> None:
    """Commits on timeline 2 begin behind the fork and after the promotion, and are answered."""
    commits, (first, second) = run.commits, run.record.branches
    later = commits["timeline"] == 2
    assert (first.node, second.node, second.timeline) == ("p", "s1", 2)
    assert np.count_nonzero(later) > 20
    assert (commits["lsn"][later] > second.fork).all()
    assert (commits["inserted"][later] > second.start).all()
    assert np.any(commits["acknowledged"][later & (commits["writer"] == FAST)] < NEVER)


def test_the_other_standby_follows(run: replsim.Result) -> None:
    """The positions of both standbys go on along the new history, and never fall."""
    for node, stage in (("s1", "insert"), ("s1", "flush"), ("s2", "receive"), ("s2", "apply")):
        found = run.position(node, stage)
        assert branch_of(found.lsn)[-1] == 1
        assert (np.diff(found.lsn) > 0).all()
    assert branch_of(run.position("p", "flush").lsn)[-1] == 0
