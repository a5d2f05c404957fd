"""Load that comes faster or slower for a time, held against what Poisson processes and queues do."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

import replsim
from replsim.randomness import Streams
from replsim.randomness.arrivals import arrivals
from replsim.scenario import Scenario
from replsim.scenario.surges import effective
from replsim.units import SECOND

TEXT = """
name: load
duration: 300s
standbys: {{s1: {{}}}}
links: {{p -> s1: {{latency: 1ms}}}}
writers: {{app: {{{app}}}}}
readers: {{web: {{rate: 100/s}}}}
faults: [{faults}]
"""


def scenario(faults: str, app: str = "rate: 50/s") -> Scenario:
    """A writer under some faults."""
    return replsim.loads(TEXT.format(faults=faults, app=app))


def times(made: Scenario, seed: int = 1) -> NDArray[np.int64]:
    """When the writer's work arrives."""
    writer = effective(made, seed, "app", made.writers["app"])
    return arrivals(Streams(seed), "writer:app:arrivals", writer, made.duration)


def counts(made: Scenario, *edges: int) -> list[int]:
    """How much work arrives between some seconds."""
    return [int(count) for count in np.histogram(times(made), bins=np.array(edges) * SECOND)[0]]


def test_poisson_work_comes_so_many_times_as_fast() -> None:
    """50/s are 100 s long 5,000 arrivals, ten times as many under the load, and a tenth at a tenth: 4 deviations."""
    for factor in (10, 0.1):
        before, under, after = counts(
            scenario(f"{{at: 100s, for: 100s, load: app, times: {factor}}}"), 0, 100, 200, 300
        )
        assert before == pytest.approx(5000, abs=4 * 5000**0.5)
        assert under == pytest.approx(5000 * factor, abs=4 * (5000 * factor) ** 0.5)
        assert after == pytest.approx(5000, abs=4 * 5000**0.5)


def test_even_work_stays_even() -> None:
    """Gaps of 20 ms are gaps of 5 ms while the load is four times as much, to a nanosecond or two."""
    made = scenario("{at: 1s, for: 2s, load: app, times: 4}", "rate: 50/s, arrivals: deterministic")
    found = times(made) / SECOND
    assert np.diff(found[(found > 1) & (found <= 3)]) == pytest.approx(0.005, abs=4e-9)
    assert np.diff(found[found > 3]) == pytest.approx(0.02, abs=4e-9)
    # The last one would come at the very end.
    assert len(found) == 50 * 298 + 200 * 2 - 1


def test_a_schedule_is_multiplied() -> None:
    """A daily curve (here of 100 s, from 20/s to 40/s and back) goes on beneath the load: its integral, times 3."""
    curve = "{points: [{at: 0s, rate: 20/s}, {at: 50s, rate: 40/s}], period: 100s}"
    made = scenario("{at: 125s, for: 50s, load: app, times: 3}", f"arrivals: deterministic, schedule: {curve}")
    plain = scenario("", f"arrivals: deterministic, schedule: {curve}")
    assert counts(plain, 0, 100, 200, 300) == pytest.approx([3000] * 3, abs=1)
    # From 125 s to 175 s the curve is above its mean: 35/s on average.
    assert counts(made, 0, 100, 200, 300) == pytest.approx([3000, 3000 + 2 * 50 * 35, 3000], abs=1)


def test_before_the_load_nothing_changes() -> None:
    """The same luck: until the load begins, work arrives as without it, to a few nanoseconds."""
    plain, loaded = times(scenario("")), times(scenario("{at: 100s, for: 10s, load: app, times: 5}"))
    early = plain[plain < 100 * SECOND]
    assert np.abs(loaded[: len(early)] - early).max() < 1000


def test_loads_that_are_drawn_are_the_same_for_every_engine() -> None:
    """Both engines see the same load, also one that comes at random, and say when it came."""
    made = scenario("{every: {exponential: 15s}, for: 5s, load: app, times: 4}").changed(duration="60s")
    events, stages = (replsim.run(made, engine=engine, seed=3) for engine in ("events", "stages"))
    assert events.record.digest() == stages.record.digest()
    assert replsim.run(made).engine == "stages"
    words = events.record.events.words["what"]
    assert {"load", "load ends"} <= set(words)


def test_reads_come_faster_too() -> None:
    """100/s for 300 s, and three times as many for 100 s of them; others are as ever."""
    loaded = replsim.run(scenario("{at: 100s, for: 100s, load: web, times: 3}"))
    assert len(loaded.reads) == pytest.approx(100 * 500, abs=4 * 50_000**0.5)
    assert len(loaded.commits) == len(times(scenario("")))


def test_a_queue_fills_as_a_fluid() -> None:
    """One connection at 4 ms a commit serves 250/s.  200/s wait for nobody; 600/s for 10 s leave 3,500 behind."""
    app = "rate: 200/s, arrivals: deterministic, connections: 1, execution: 3ms, synchronous_commit: local"
    made = scenario("{at: 10s, for: 10s, load: app, times: 3}", app)
    device = {"name": "p", "wal_device": {"flush": "1ms", "write": "0s"}}
    result = replsim.run(made.changed(duration="20s", wakeup="0s", primary=device))
    assert result.metrics["pending_commits"] == pytest.approx(3500, abs=5)
