"""The two simulators against each other: the same record, to the nanosecond and the byte."""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import replsim
from replsim.engines import events, stages
from replsim.errors import UnsupportedScenario
from replsim.record import Record
from replsim.scenario import Scenario
from tests.differential.open_clusters import open_clusters
from tests.differential.opened import opened
from tests.differential.partings import parted_clusters
from tests.differential.troubles import troubled_clusters

EXAMPLES = int(os.environ.get("DIFFERENTIAL_EXAMPLES", "300"))
"""How many random clusters are tried; ``make differential`` tries thousands."""


def columns(record: Record) -> dict[str, np.ndarray]:
    """Every column of a record by name."""
    found = {f"commits {name}": record.commits[name] for name in record.commits}
    found |= {f"events {name}": record.events[name] for name in record.events}
    for node, by_stage in record.positions.items():
        for stage, trajectory in by_stage.items():
            found |= {f"{node} {stage} time": trajectory.time, f"{node} {stage} lsn": trajectory.lsn}
        found[f"{node} flush starts"] = record.flush_starts[node]
    for node, replies in record.replies.items():
        found |= {f"{node} replies {part}": getattr(replies, part) for part in ("time", "write", "flush", "apply")}
    return found


def agree(scenario: Scenario, chunk: int) -> None:
    """Both engines, from the scenario's own seed."""
    right = events.run(scenario, scenario.seed)
    found = stages.run(scenario, scenario.seed, chunk=chunk)
    if found.digest() != right.digest():
        ours, theirs = columns(found), columns(right)
        assert list(ours) == list(theirs)
        for name in ours:
            np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name, strict=True)
        pytest.fail("the digests differ, the columns do not")


REFUSED = (
    "sends behind a window",
    "may need WAL",
    "may remove WAL",
    "takes down a node that others stream from",
    "takes down a node that stands still at other times",
)
"""What random clusters may have that the stage engine does not run."""


def agrees_unless_refused(scenario: Scenario, chunk: int) -> bool:
    """As `agree`; false where the stage engine refuses what random clusters may have."""
    try:
        agree(scenario, chunk)
    except UnsupportedScenario as refused:
        if not any(reason in str(refused) for reason in REFUSED):
            raise
        return False
    return True


def agree_on(examples: int, chunk: int, clusters: st.SearchStrategy[Scenario]) -> None:
    """Both engines on so many random clusters, the same ones each time, unless the stage engine refuses one."""
    agreed: list[bool] = []

    @settings(max_examples=examples, derandomize=True, deadline=None, database=None)
    @given(clusters)
    def both(scenario: Scenario) -> None:
        agreed.append(agrees_unless_refused(scenario, chunk))

    both()
    assert sum(agreed) > examples / 2


@pytest.mark.slow
@pytest.mark.parametrize(("chunk", "share"), [(7, 0.2), (40, 0.4), (1_000_000, 0.4)])
def test_the_simulators_agree_on_random_clusters(chunk: int, share: float) -> None:
    """On hundreds of random clusters every commit, position, reply and flush comes out the same, in chunks or whole."""
    agree_on(int(EXAMPLES * share), chunk, open_clusters())


def test_the_simulators_agree_on_a_few_random_clusters() -> None:
    """The same on a few, for those who wait."""
    agree_on(25, 20, open_clusters())


@pytest.mark.slow
@pytest.mark.parametrize(("chunk", "share"), [(7, 0.3), (40, 0.3), (1_000_000, 0.4)])
def test_the_simulators_agree_on_troubled_clusters(chunk: int, share: float) -> None:
    """So it does while disks, replays and links are in trouble, wherever a run is cut."""
    agree_on(int(EXAMPLES * share), chunk, troubled_clusters())


def test_the_simulators_agree_on_a_few_troubled_clusters() -> None:
    """The same on a few."""
    agree_on(15, 20, troubled_clusters())


@pytest.mark.slow
@pytest.mark.parametrize(("chunk", "share"), [(7, 0.3), (40, 0.3), (1_000_000, 0.4)])
def test_the_simulators_agree_on_parted_clusters(chunk: int, share: float) -> None:
    """So it does where connections are lost, known to one end or both, and are made again."""
    agree_on(int(EXAMPLES * share), chunk, parted_clusters())


def test_the_simulators_agree_on_a_few_parted_clusters() -> None:
    """The same on a few."""
    agree_on(15, 20, parted_clusters())


@pytest.mark.parametrize("chunk", [100, 1_000_000])
def test_the_simulators_agree_on_a_silent_partition(chunk: int) -> None:
    """The next in the list counts once the primary has given up the first, and the first again once it is back."""
    agree(replsim.load("failures/silent-partition"), chunk)


@pytest.mark.slow
def test_the_simulators_agree_on_the_swarm() -> None:
    """So it does on the swarm's own scenarios, opened, with its faults."""
    agreed = sum(agrees_unless_refused(opened(seed), (15, 1_000_000)[seed % 2]) for seed in range(EXAMPLES))
    assert agreed > 0.8 * EXAMPLES


BUSY = """
name: busy
duration: 1s
seed: 3
primary:
  wal_device: {flush: {exponential: {mean: 0.4ms}}, write: {uniform: {low: 5us, high: 15us}}}
  synchronous_standby_names: ANY 1 (s1, s2)
  wal_writer_delay: 10ms
  checkpoints: {every: 50ms, page_image: 2 kB}
  max_connections: 3000
standbys:
  s1: {wal_device: {flush: {exponential: {mean: 0.3ms}}}, replay: {per_record: {uniform: {low: 5us, high: 30us}}}}
  s2: {wal_receiver_status_interval: 20ms, replay: {per_record: 20us, bandwidth: 50 MB/s}}
  s3: {upstream: s1, recovery_min_apply_delay: 5ms}
links:
  p -> s1: {latency: {lognormal: {median: 0.5ms, p99: 2ms}}, loss: 1%, retransmission_timeout: 5ms}
  p -> s2: {latency: {gamma: {mean: 1ms, shape: 2}}, hold: 5ms, jitter: {uniform: {low: 0us, high: 100us}}}
  s2 -> p: {latency: 1ms, bandwidth: 10 MB/s}
  s1 -> s3: {latency: 2ms, window: 20 kB, bandwidth: 20 MB/s}
writers:
  app: {rate: 3000/s, connections: 900, keys: {count: 5000, zipf: 1}, execution: {exponential: {mean: 0.2ms}}}
  audit: {rate: 200/s, connections: 300, synchronous_commit: remote_apply, network: 0.2ms}
  logs: {arrivals: {bursts: {on: 10ms, off: 20ms}}, rate: 2k/s, synchronous_commit: off, record: 2 kB}
  quick: {rate: 500/s, connections: 200, synchronous_commit: remote_write}
  long: {rate: 20/s, execution: 10ms, record: 200 kB, chunk: 8 kB, synchronous_commit: local}
background: {wal: 1 MB/s}
sessions:
  user: {count: 5, write_every: {exponential: {mean: 20ms}}}
"""


TROUBLE = """
faults:
  - {at: 100ms, for: 50ms, slow: p, times: 5}
  - {at: 200ms, for: 100ms, stall: s1}
  - {at: 250ms, for: 200ms, pause_replay: s2}
  - {every: {exponential: {mean: 20ms}}, for: 5ms, delay: p -> s2, by: {exponential: {mean: 3ms}}}
  - {at: 400ms, for: 300ms, delay: s1 -> s3, by: 5ms}
  - {at: 700ms, for: 200ms, delay: s3 -> s1, by: {uniform: {low: 0ms, high: 2ms}}}
  - {at: 600ms, for: 200ms, throttle: s2 -> p, to: 50 kB/s}
  - {at: 300ms, for: 400ms, lose: p -> s1, share: 30%}
  - {at: 900ms, skew: s1, behind: 3ms}
"""


@pytest.mark.parametrize("chunk", [100, 1_000_000])
def test_the_simulators_agree_on_a_busy_cluster_in_trouble(chunk: int) -> None:
    """The same second with everything slow, still, delayed, narrow or lossy for some of it."""
    pools = {
        f"{name}.connections": "5000" for name in ("writers.app", "writers.audit", "writers.quick", "sessions.user")
    }
    pools["primary.max_connections"] = "50000"
    agree(replsim.loads(BUSY + TROUBLE, overrides=pools), chunk)


@pytest.mark.parametrize("chunk", [100, 1000, 1_000_000])
def test_the_simulators_agree_on_a_busy_cluster(chunk: int) -> None:
    """A second of thousands of commits at every level, with everything drawn at random, comes out the same."""
    agree(replsim.loads(BUSY), chunk)


def test_a_pool_that_runs_dry_is_refused() -> None:
    """Where work waits for a connection, answers feed back: the run ends with the moment, and is left to events."""
    scenario = replsim.loads(BUSY, overrides={"writers.app.connections": "5"})
    with pytest.raises(UnsupportedScenario, match="writer app runs out of its 5 connections at "):
        stages.run(scenario, scenario.seed)


def test_a_pool_that_never_runs_dry_is_followed() -> None:
    """The smallest pool that is accepted is one in which no transaction of the event engine's run had to wait."""
    accepted = None
    for connections in range(1, 40):
        scenario = replsim.loads(BUSY, overrides={"writers.app.connections": str(connections)})
        try:
            found = stages.run(scenario, scenario.seed)
        except UnsupportedScenario:
            continue
        right = events.run(scenario, scenario.seed)
        np.testing.assert_array_equal(right.commits["started"], right.commits["submitted"])
        assert found.digest() == right.digest()
        accepted = connections
        break
    assert accepted is not None


@pytest.mark.parametrize("background", ["500 kB/s", "0.1 MB/s"])
def test_a_cluster_without_clients_agrees(background: str) -> None:
    """Background WAL alone comes out the same too."""
    fields = {"name": "idle", "duration": "1s", "standbys": {"s1": {}}, "links": {"p -> s1": {"latency": "1ms"}}}
    agree(Scenario.model_validate(fields | {"background": {"wal": background}}), chunk=10)
