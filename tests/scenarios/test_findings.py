"""The shipped scenarios: each asks a question in its header, and finds what it says it finds."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import replsim
from replsim import front
from replsim.record import ACKNOWLEDGED

SCENARIOS = Path(__file__).parents[2] / "scenarios"
FILES = sorted(path.relative_to(SCENARIOS).as_posix() for path in front.shipped().values())


@cache
def result(name: str) -> replsim.Result:
    """One run of a shipped scenario, shared by the tests of this file."""
    return replsim.run(SCENARIOS / name)


@pytest.mark.parametrize("name", FILES)
def test_a_scenario_finds_what_its_header_says(name: str) -> None:
    """Every scenario states its question and its finding, and what it expects of itself holds."""
    header = (SCENARIOS / name).read_text().split("\nname:")[0]
    assert header.startswith("# Question:")
    assert "\n# Finding:" in header
    assert result(name).scenario.question
    assert result(name).scenario.finding
    assert result(name).scenario.expect
    assert result(name).held, [str(check) for check in result(name).expectations if not check.held]


def test_off_answers_before_the_flush_and_risks_what_is_not_flushed() -> None:
    """``off`` answers several times sooner and flushes far less often; commits wait for the WAL writer meanwhile."""
    off, on = result("postgresql/async-commit.yaml"), result("postgresql/sync-commit.yaml")
    assert off.metrics["commit_latency.p50"] * 4 < on.metrics["commit_latency.p50"]
    assert off.metrics["p.commits_per_flush"] > 50 * on.metrics["p.commits_per_flush"]
    delay = off.scenario.primary.wal_writer_delay
    at_risk = off.commits["flushed"] - off.commits["acknowledged"]
    flushed = off.commits["flushed"] < off.scenario.duration
    assert delay / 2 < np.median(at_risk[flushed])
    assert at_risk[flushed].max() < 3 * delay
    assert np.all((on.commits["acknowledged"] >= on.commits["flushed"])[on.commits["outcome"] == ACKNOWLEDGED])


def test_each_level_adds_its_own_stage() -> None:
    """From level to level the median grows by the flush, the round trip, the remote flush and the replay."""
    found = result("postgresql/five-levels.yaml").metrics
    p50 = [
        found[f"level_{level}.commit_latency.p50"] for level in ("off", "local", "remote_write", "on", "remote_apply")
    ]
    flush, round_trip, replay = 0.6e-3, 2e-3, 0.2e-3
    steps = np.diff(p50)
    # Two devices of the same make; a round trip has wake-ups on its way; a commit may wait for a group or a batch.
    assert steps[0] == pytest.approx(flush, rel=0.25)
    assert steps[1] == pytest.approx(round_trip + 4 * 50e-6, rel=0.1)
    assert steps[2] == pytest.approx(flush, rel=0.3)
    assert replay < steps[3] < 4 * replay


def test_any_goes_on_with_the_fast_standby_and_first_does_not() -> None:
    """ANY 1 is ten times as quick as FIRST 1 when the standby named first is far away."""
    first, any_ = result("postgresql/first-1.yaml"), result("postgresql/any-1.yaml")
    assert first.metrics["commit_latency.p50"] > 8 * any_.metrics["commit_latency.p50"]


def test_a_slow_replay_lags_as_the_fluid_says() -> None:
    """A standby that replays 800 of 1,000 commits a second is a fifth of the elapsed time behind at the end."""
    found = result("postgresql/slow-replay.yaml")
    assert found.metrics["s2.lag.seconds.max"] == pytest.approx(60 * (1 - 800 / 1000), rel=0.03)
    assert found.metrics["s1.lag.commits.max"] < 100 < found.metrics["s2.lag.commits.max"]


def test_a_flush_carries_half_of_the_waiting_clients() -> None:
    """While one half of the clients is flushed the other half gathers, so a commit takes about two flushes."""
    found = result("postgresql/group-commit.yaml").metrics
    assert found["p.commits_per_flush"] == pytest.approx(16, abs=0.5)
    assert found["commit_latency.p50"] == pytest.approx(2 * 2.06e-3, rel=0.05)


def test_each_hop_of_a_cascade_adds_its_way_and_a_flush() -> None:
    """From hop to hop the way of a commit grows by 5 ms, two wake-ups and the flush before it is forwarded."""
    found = result("postgresql/cascading.yaml")
    lsn = found.commits["lsn"][found.commits["lsn"] <= found.position("s3", "apply").lsn[-1]]
    hops = [found.position(node, "flush").crossing(lsn) for node in ("s1", "s2", "s3")]
    for earlier, later in pairwise(hops):
        assert np.median(later - earlier) / 1e6 == pytest.approx(5 + 0.1 + 0.01 + 0.6, rel=0.1)


def test_the_lag_of_a_day_is_worst_after_its_peak() -> None:
    """The load peaks at 120 s; the lag is worst only when the load has fallen to what replay manages."""
    found = result("postgresql/daily-curve.yaml")
    time = np.arange(1, 240) * 10**9
    behind = found.position("p", "insert").at(time) - found.position("s1", "apply").at(time)
    worst = int(time[np.argmax(behind)] / 1e9)
    assert 130 <= worst <= 150
    assert behind[worst + 5] > 0.5 * behind.max()


def test_a_real_run_is_found_again() -> None:
    """Eight closed-loop clients on a real server: median latency within 10%, commits per flush within 20%."""
    found = result("validation/q_c8_d2-10_any1_on.yaml").metrics
    assert found["commit_latency.p50"] == pytest.approx(7.538e-3, rel=0.10)
    assert found["p.commits_per_flush"] == pytest.approx(1.249, rel=0.20)


def test_commits_in_flight_multiply_throughput_and_polling_delays_what_is_known() -> None:
    """Eight in flight make eight times the commits of a blocking client; a poller's slots wait for its next poll."""
    found = result("postgresql/waiting-clients.yaml").metrics
    assert found["callback.throughput"] == pytest.approx(8 * found["blocking.throughput"], rel=0.05)
    assert found["polling.learned_latency.p50"] == pytest.approx(20e-3, rel=0.01)
    assert found["polling.throughput"] == pytest.approx(2 * 8 / 20e-3, rel=0.01)
    for latency in ("blocking", "callback", "polling"):
        assert found[f"{latency}.commit_latency.p50"] == pytest.approx(12.5e-3, rel=0.03)
