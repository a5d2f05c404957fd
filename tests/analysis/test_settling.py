"""When a run has settled: the start that MSER-5 leaves out, and the queue that never comes to rest."""

from __future__ import annotations

import numpy as np
import pytest

import replsim
from replsim.analysis.settling import BATCH, cut, is_moving, series_of

STEADY = """\
name: steady
duration: 20s
standbys: {s1: {}, s2: {replay: {per_record: %s}}}
links: {p -> s1: {latency: 0.5ms}, p -> s2: {latency: 0.5ms}}
writers: {app: {rate: 500/s, connections: %d}}
"""


def autocorrelated(random: np.random.Generator, count: int, memory: float) -> np.ndarray:
    """A stationary series in which each value remembers the one before."""
    values, noise = np.empty(count), random.normal(size=count)
    values[0] = noise[0] / (1 - memory**2) ** 0.5
    for k in range(1, count):
        values[k] = memory * values[k - 1] + noise[k]
    return values


def test_the_cut_is_where_the_standard_error_of_the_rest_is_smallest() -> None:
    """Against a plain search over every cut, from the definition."""
    random = np.random.default_rng(1)
    for _ in range(20):
        values = autocorrelated(random, 400, 0.8) + 8 * np.exp(-np.arange(400) / 25)
        means = [values[k : k + BATCH].mean() for k in range(0, 400, BATCH)]
        errors = [float(np.var(means[d:])) / len(means[d:]) for d in range(len(means) - 5)]
        assert cut(values) == BATCH * int(np.argmin(errors))


def test_a_start_that_decays_is_left_out() -> None:
    """A transient of a hundred noises' height that fades over 200 observations is cut before 5 times that."""
    random = np.random.default_rng(2)
    values = random.normal(size=5_000) + 100 * np.exp(-np.arange(5_000) / 200)
    assert 600 < cut(values) < 1_600


def test_a_series_that_grows_is_moving_and_one_at_rest_is_not() -> None:
    """A ramp of ten times its noise is always found; of a thousand series at rest fewer than one in 50 is."""
    random = np.random.default_rng(3)
    ramp = np.linspace(0, 10, 5_000)
    assert all(is_moving(ramp + random.normal(size=5_000)) for _ in range(50))
    false = sum(is_moving(autocorrelated(random, 1_000, 0.5)) for _ in range(1_000))
    assert false < 20


def test_one_late_spike_is_not_a_trend() -> None:
    """A stall near the middle, after which all is as before, does not make a series unsettled."""
    values = np.random.default_rng(4).normal(size=5_000)
    values[2_600:2_650] += 500
    assert cut(values) > 2_500
    assert not is_moving(values)


@pytest.mark.parametrize(("replay", "connections", "moving"), [("20us", 50, []), ("2.2ms", 50, ["s2.lag"])])
def test_a_standby_that_cannot_keep_up_never_settles(replay: str, connections: int, moving: list[str]) -> None:
    """Replay that takes 2.2 ms of every 2 ms falls behind for ever; 20 µs do not."""
    assert replsim.run(replsim.loads(STEADY % (replay, connections))).moving() == moving


def test_an_overloaded_pool_never_settles() -> None:
    """500 commits a second through one connection that does 300: the wait grows, and the result says so."""
    text = (STEADY % ("20us", 1)).replace("connections: 1", "connections: 1, execution: 2.5ms")
    result = replsim.run(replsim.loads(text))
    assert result.moving(["commit_latency.p99"]) == ["commit_latency"]
    assert result.moving(["lag.growth"]) == []


def test_a_load_that_follows_a_schedule_is_not_judged() -> None:
    """A ramp that the scenario asks for is no surprise."""
    text = STEADY % ("2.2ms", 50)
    text = text.replace("rate: 500/s", "schedule: {points: [{at: 0s, rate: 400/s}, {at: 10s, rate: 500/s}]}")
    assert replsim.run(replsim.loads(text)).moving() == []


def test_each_metric_knows_the_series_that_it_tells_of() -> None:
    """A standby's lag is its own series, the cluster's is everybody's, and a read may be stale on any of them."""
    scenario = replsim.loads(STEADY % ("20us", 50) + "readers: {web: {rate: 5/s}}\n")
    assert series_of("s2.lag.bytes.max", scenario) == ("s2.lag",)
    assert series_of("lag.seconds.p50", scenario) == ("s1.lag", "s2.lag")
    assert series_of("web.stale_reads.fraction", scenario) == ("s1.lag", "s2.lag")
    assert series_of("throughput", scenario) == ()
