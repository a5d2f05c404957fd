"""What a scenario does to real servers happens to them."""

from __future__ import annotations

import numpy as np
import pytest

import replsim
from replsim.engines.postgres.binaries import Binaries
from replsim.units import NEVER, SECOND

SCENARIO = """
name: troubles
duration: 4s
primary: {synchronous_standby_names: "FIRST 1 (s1)", checkpoints: {every: 3s}}
standbys: {s1: {}, s2: {}}
links:
  p -> s1: {latency: 5ms}
  p -> s2: {latency: 5ms}
writers:
  app: {clients: 2, synchronous_commit: on}
  free: {rate: 100/s, synchronous_commit: local}
faults:
  - {at: 800ms, for: 1200ms, cut: p -> s1}
  - {at: 1400ms, cancel: app}
  - {at: 800ms, for: 1200ms, pause_replay: s2}
  - {at: 2500ms, for: 500ms, crash: s2, of: process}
"""
APP, FREE = 0, 1


@pytest.fixture(scope="module")
def troubled(binaries: Binaries) -> replsim.Result:
    """One run with everything in it."""
    return replsim.run(replsim.loads(SCENARIO), engine="postgres")


def moment(result: replsim.Result, what: str) -> int:
    """When something was done."""
    events = result.events
    return int(events["time"][events["what"] == events.words["what"].index(what)][0])


def test_a_cut_stalls_the_commits_that_wait_for_what_is_behind_it(troubled: replsim.Result) -> None:
    """Between the cut and its end no commit under FIRST 1 is replicated; those at local go on."""
    commits = troubled.commits
    start, end = moment(troubled, "cut") + SECOND // 10, moment(troubled, "cut ends")
    meanwhile = (commits["acknowledged"] > start) & (commits["acknowledged"] < end)
    replicated = commits["outcome"] == commits.words["outcome"].index("acknowledged")
    assert not np.any(meanwhile & replicated & (commits["writer"] == APP))
    assert np.count_nonzero(meanwhile & (commits["writer"] == FREE)) > 10
    assert np.any((commits["acknowledged"] > end) & (commits["acknowledged"] < NEVER) & (commits["writer"] == APP))


def test_a_cancelled_wait_is_acknowledged_by_the_primary_alone(troubled: replsim.Result) -> None:
    """Whoever cancels its wait has committed locally, and is told so while the link is still cut."""
    commits = troubled.commits
    locally = commits["outcome"] == commits.words["outcome"].index("acknowledged_locally")
    assert np.count_nonzero(locally) == 2
    assert (commits["writer"][locally] == APP).all()
    assert (commits["acknowledged"][locally] < moment(troubled, "cut ends")).all()
    assert (commits["lsn"][locally] < NEVER).all()


def test_a_paused_replay_receives_and_does_not_apply(troubled: replsim.Result) -> None:
    """While replay is paused the standby's flush position goes on, and its apply position stands."""
    start, end = moment(troubled, "pause_replay") + SECOND // 10, moment(troubled, "pause_replay ends")
    applied, flushed = (troubled.position("s2", stage) for stage in ("apply", "flush"))
    assert applied.at(start) == applied.at(end)
    assert flushed.at(end) > flushed.at(start)
    assert applied.at(moment(troubled, "crash")) > applied.at(end)


def test_a_standby_that_crashed_comes_back(troubled: replsim.Result) -> None:
    """A stopped standby receives nothing, and streams again once it is up."""
    down, up = moment(troubled, "crash") + SECOND // 10, moment(troubled, "crash ends")
    received = troubled.position("s2", "receive")
    assert received.at(down) == received.at(up)
    assert received.lsn[-1] > received.at(up)


def test_a_checkpoint_comes_when_the_scenario_says(troubled: replsim.Result) -> None:
    """It is noted when it began."""
    assert moment(troubled, "checkpoint") >= 3 * SECOND
