"""Runs that keep only their metrics: what adds up does so, and what does not is told."""

from __future__ import annotations

import math
import tracemalloc

import pytest

import replsim
from replsim.analysis.streamed import measure, reach
from replsim.engines import stages
from replsim.errors import NotInResult, ScenarioError, UnknownMetric, UnsupportedScenario

TEXT = """
name: streamed
duration: 6s
warmup: 700ms
seed: 5
primary:
  wal_device: {flush: {exponential: {mean: 0.6ms}}}
  synchronous_standby_names: ANY 1 (s1, s2)
standbys:
  s1: {replay: {per_record: {exponential: {mean: 0.2ms}}}}
  s2: {}
  s3: {upstream: s1}
links:
  p -> s1: {latency: {lognormal: {median: 0.5ms, p99: 4ms}}}
  p -> s2: {latency: 1ms, window: 4 kB}
  s1 -> s3: {latency: 3ms}
writers:
  app: {rate: 900/s, connections: 60, execution: {exponential: {mean: 0.3ms}}}
  logs: {rate: 150/s, synchronous_commit: off, connections: 20}
background: {wal: 1 MB/s}
readers:
  web: {rate: 2000/s, network: {exponential: {mean: 1ms}}}
  near: {rate: 300/s, route: primary}
"""


@pytest.fixture(scope="module")
def whole() -> replsim.Result:
    """The run with all that it recorded."""
    return replsim.run(replsim.loads(TEXT), engine="stages")


@pytest.fixture(scope="module")
def streamed() -> replsim.Result:
    """The same run, of which only metrics are kept."""
    return replsim.run(replsim.loads(TEXT), keep="metrics")


def close(name: str, ours: float, right: float) -> bool:
    """Exactly, or to within one per cent (or one whole number) where a percentile is taken from a tally."""
    if math.isnan(right):
        return math.isnan(ours)
    percentile = name.rpartition(".")[2] in ("p50", "p90", "p99", "p999")
    return ours == pytest.approx(right, rel=0.01 if percentile else 1e-9, abs=1e-8 if percentile else 1e-12)


FAULTS = """
faults:
  - {at: 1s, for: 300ms, slow: p, times: 4}
  - {at: 2s, for: 700ms, stall: s1}
  - {at: 2500ms, for: 1s, pause_replay: s2}
  - {at: 3500ms, for: 900ms, delay: p -> s2, by: {exponential: {mean: 20ms}}}
  - {every: {exponential: {mean: 400ms}}, for: 50ms, lose: p -> s1, share: 20%}
  - {at: 4500ms, for: 300ms, throttle: p -> s1, to: 500 kB/s}
"""


LOSSES = """
faults:
  - {at: 1s, for: 900ms, cut: p -> s1, how: silent}
  - {at: 2s, for: 100ms, cut: p -> s2, how: reset}
  - {at: 3s, for: 2s, partition: [[s1, s3]], how: silent}
  - {at: 3500ms, for: 1s, cut: s1 -> s3, how: reset}
  - {at: 5200ms, for: 500ms, pause: s2}
"""


@pytest.mark.parametrize("chunk", [150, 2_000])
@pytest.mark.parametrize("faults", [FAULTS, LOSSES])
def test_faults_last_over_the_ends_of_sections(chunk: int, faults: str) -> None:
    """What is slow, stalled, paused, delayed, lossy, narrow or away stays so, wherever the run is cut."""
    changes = {"writers.app.connections": "6000", "primary.max_connections": "8000"}
    changes |= {"primary.wal_sender_timeout": "400ms", "standbys.s1.wal_receiver_timeout": "300ms"}
    changes |= {f"standbys.{name}.wal_retrieve_retry_interval": "50ms" for name in ("s1", "s2", "s3")}
    scenario = replsim.loads(TEXT + faults, overrides=changes)
    right = replsim.run(scenario, engine="stages").metrics
    found = measure(scenario, 5, stages.sections(scenario, 5, reach=reach(scenario), chunk=chunk))
    assert not {name: (value, right[name]) for name, value in found.items() if not close(name, value, right[name])}


@pytest.mark.parametrize("chunk", [150, 2_000])
def test_metrics_that_add_up_are_those_of_the_whole_run(whole: replsim.Result, chunk: int) -> None:
    """Counts, means and largest values come out the same, wherever it is cut; percentiles to within one per cent."""
    scenario = whole.scenario
    found = measure(scenario, 5, stages.sections(scenario, 5, reach=reach(scenario), chunk=chunk))
    assert len(found) > 150
    right = whole.metrics
    wrong = {name: (value, right[name]) for name, value in found.items() if not close(name, value, right[name])}
    assert not wrong


def test_sections_follow_one_another_and_stay_small() -> None:
    """Stretches of time meet, and a section holds little more than what came within it."""
    scenario = replsim.loads(TEXT)
    sections = list(stages.sections(scenario, 5, chunk=300))
    assert len(sections) > 15
    edges = [section.stretch for section in sections if section.stretch]
    assert [edge[0] for edge in edges] == [0, *(edge[1] for edge in edges[:-1])]
    assert edges[-1][1] == scenario.duration
    assert max(len(section.commits) for section in sections) < 1_000


def test_memory_does_not_grow_with_the_duration() -> None:
    """Four times as long a run needs no more memory at its peak, but for what a section happens to hold."""

    def peak(duration: str) -> int:
        scenario = replsim.loads(TEXT, overrides={"duration": duration})
        tracemalloc.start()
        measure(scenario, 5, stages.sections(scenario, 5, reach=reach(scenario), chunk=500))
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak("2s")
    assert peak("20s") < 1.3 * peak("5s")


def test_what_needs_the_whole_record_is_told(streamed: replsim.Result) -> None:
    """A metric that does not add up, and what was not kept, are errors that say how to get them."""
    with pytest.raises(UnknownMetric, match="needs the whole record"):
        streamed.metrics["s1.measured_lag.replay.p50"]
    with pytest.raises(NotInResult, match="keep='all'"):
        len(streamed.commits)
    scenario = replsim.loads(TEXT + "expect: [t_visibility.p99 < 1s]\n")
    with pytest.raises(ScenarioError, match="needs the whole record"):
        replsim.run(scenario, keep="metrics")


def test_what_cannot_be_cut_is_refused() -> None:
    """What feeds back, and reads that depend on more than a stretch of time, are refused by name."""
    locked = replsim.loads(TEXT, overrides={"writers.app.keys": "{count: 9, lock: true}"})
    with pytest.raises(UnsupportedScenario, match="writer app takes row locks"):
        replsim.run(locked, keep="metrics")
    keyed = replsim.loads(TEXT, overrides={"readers.web.keys": "{count: 10}"})
    with pytest.raises(UnsupportedScenario, match="reader web reads rows"):
        replsim.run(keyed, keep="metrics")


def test_the_provenance_says_what_was_kept(streamed: replsim.Result) -> None:
    """The hash is that of the metrics, and says so; the same run has the same."""
    assert streamed.provenance.hash.startswith("metrics:")
    assert streamed.engine_reason.endswith("only metrics are kept")
    assert replsim.run(replsim.loads(TEXT), keep="metrics").provenance.hash == streamed.provenance.hash


def test_lag_over_time_is_kept_thinned_out(streamed: replsim.Result) -> None:
    """Each standby's largest lag in each stretch of the run is there, and its largest is the metric."""
    assert set(streamed.lag_lines(20)) == {"s1", "s2", "s3"}
    assert streamed.streamed.lag["s1"].max() >= streamed.metrics["s1.lag.seconds.max"]  # type: ignore[attr-defined]
