"""A scenario on real servers: what must hold on any machine, however slow, is an order, and never a time."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest

import replsim
from replsim.engines.postgres.binaries import Binaries
from replsim.units import NEVER

LEVELS = ("local", "remote_write", "on", "remote_apply")
NOISE = 0.005
"""Seconds by which the median of a level may come out on the wrong side of the next, on a machine that has much else
to do; the link alone costs 40 ms."""

SCENARIO = """
name: every-level
duration: 3s
warmup: 500ms
primary: {synchronous_standby_names: "ANY 1 (s1, s2)"}
standbys: {s1: {}, s2: {}}
links:
  p -> s1: {latency: 20ms}
  p -> s2: {latency: 40ms}
writers:
  local: {clients: 1, think: 20ms, synchronous_commit: local, keys: {count: 100}}
  remote_write: {clients: 1, synchronous_commit: remote_write}
  on: {clients: 1, synchronous_commit: on}
  remote_apply: {clients: 1, synchronous_commit: remote_apply}
  open: {rate: 40/s, connections: 5, synchronous_commit: on}
readers:
  web: {rate: 50/s}
background: {wal: 100 kB/s}
"""


@pytest.fixture(scope="module")
def any_1(binaries: Binaries) -> replsim.Result:
    """A writer for each level, two standbys, one of which must answer."""
    return replsim.run(replsim.loads(SCENARIO), engine="postgres", seed=3)


@pytest.fixture(scope="module")
def any_2(binaries: Binaries) -> replsim.Result:
    """The same, but both must answer."""
    changed = {"primary.synchronous_standby_names": "ANY 2 (s1, s2)", "duration": "2s"}
    return replsim.run(replsim.loads(SCENARIO, overrides=changed), engine="postgres", seed=3)


def test_each_level_costs_at_least_what_the_one_below_it_costs(any_1: replsim.Result) -> None:
    """remote_apply >= on >= remote_write >= local, within noise; and a remote level costs a round trip more."""
    medians = [any_1.metrics[f"{level}.commit_latency.p50"] for level in LEVELS]
    for lower, higher in itertools.pairwise(medians):
        assert higher >= lower - NOISE
    assert medians[1] >= medians[0] + 0.04 - 2 * NOISE


def test_any_2_waits_for_the_slower_standby(any_1: replsim.Result, any_2: replsim.Result) -> None:
    """Under ANY 2 no commit is faster than the slower standby's round trip; under ANY 1 some are."""

    def quickest(result: replsim.Result) -> float:
        commits = result.commits
        told = (commits["acknowledged"] < NEVER) & (commits["writer"] == LEVELS.index("on"))
        return float((commits["acknowledged"] - commits["started"])[told].min()) / 1e9

    assert quickest(any_2) >= 0.0799
    assert 0.0399 <= quickest(any_1) < 0.0799


def test_a_standby_shows_a_commit_before_the_primary_acknowledges_it(any_2: replsim.Result) -> None:
    """The nearer standby has applied, and shows, what still waits for the other one on the primary."""
    commits = any_2.commits
    told = (commits["acknowledged"] < NEVER) & (commits["level"] == commits.words["level"].index("on"))
    shown = any_2.position("s1", "apply").crossing(commits["lsn"][told])
    early = shown < commits["visible"][told]
    assert np.count_nonzero(told) > 10
    assert early.mean() > 0.9


@pytest.mark.parametrize("run", ["any_1", "any_2"])
def test_a_real_result_has_every_column_of_a_simulated_one(run: str, request: pytest.FixtureRequest) -> None:
    """The same columns of the same kinds, the same positions, and the engine's name in the provenance."""
    real: replsim.Result = request.getfixturevalue(run)
    simulated = replsim.run(real.scenario, engine="events")
    for ours, theirs in (
        (real.commits, simulated.commits),
        (real.reads, simulated.reads),
        (real.events, simulated.events),
    ):
        assert {name: column.dtype for name, column in ours.items()} == {n: c.dtype for n, c in theirs.items()}
        assert ours.times == theirs.times
    assert list(real.metrics) == list(simulated.metrics)
    for node, stages in simulated.record.positions.items():
        assert {stage: len(real.position(node, stage)) > 0 for stage in stages} == dict.fromkeys(stages, True)
    provenance = real.provenance.to_dict()
    assert provenance["engine"] == "postgres"
    assert "PostgreSQL" in provenance["notes"][0]
    json.dumps(provenance)


def test_what_was_observed_hangs_together(any_1: replsim.Result) -> None:
    """Each position follows the one before it at every moment, and each commit's moments come in their order."""
    stages = ("sent", "receive", "write", "flush", "apply")
    primary = [any_1.position("p", stage) for stage in ("insert", "flush")]
    for name in ("s1", "s2"):
        chain = primary + [any_1.position(name, stage) for stage in stages]
        moments = np.unique(np.concatenate([trajectory.time for trajectory in chain]))
        for ahead, behind in itertools.pairwise(chain):
            assert (behind.at(moments) <= ahead.at(moments)).all()
    commits = any_1.commits
    inserted = commits["lsn"] < NEVER
    assert np.count_nonzero(inserted) > 100
    assert (np.diff(commits["lsn"][inserted]) > 0).all()
    moments_of = ("submitted", "started", "inserted", "flushed")
    for before, after in itertools.pairwise(moments_of):
        assert (commits[before][inserted] <= commits[after][inserted]).all()
    assert (commits["flushed"] <= commits["visible"]).all()
    assert (commits["visible"] <= commits["acknowledged"]).all()
    assert (commits["key"][commits["writer"] == 0] >= 0).all()


def test_a_transaction_s_wal_is_as_large_as_asked(any_1: replsim.Result) -> None:
    """An INSERT and its commit record make about the 600 bytes that a writer's record has."""
    size = np.median(any_1.commits["bytes"][any_1.commits["lsn"] < NEVER])
    assert 590 <= size <= 620


def test_background_wal_is_written_and_replicated(any_1: replsim.Result) -> None:
    """The log grows by more than its commits: by about 100 kB a second."""
    commits = any_1.commits
    grown = int(any_1.position("s1", "receive").lsn[-1]) - int(commits["bytes"][commits["lsn"] < NEVER].sum())
    assert 0.5 < grown / 3e5 < 1.5
