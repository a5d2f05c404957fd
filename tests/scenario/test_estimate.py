"""The size of a run, guessed before it is run."""

from __future__ import annotations

import pytest

from replsim.scenario import Scenario
from replsim.scenario.estimate import commit_latency, commit_rate, estimate, offered_rate, wal_rate
from replsim.scenario.yaml import loads

BASE = """
name: demo
duration: 100s
wakeup: 0s
primary: {wal_device: {flush: 2ms, write: 0s}}
"""


def scenario(text: str) -> Scenario:
    """A scenario with a primary of round numbers."""
    return loads(BASE + text)


@pytest.mark.parametrize(
    ("writer", "rate"),
    [
        ("{rate: 50/s}", 50),
        ("{rate: 50/s, arrivals: {bursts: {on: 1s, off: 4s}}}", 10),
        ("{schedule: {points: [{at: 0s, rate: 0/s}, {at: 50s, rate: 100/s}], period: 100s}}", 50),
        ("{schedule: {points: [{at: 0s, rate: 0/s}, {at: 50s, rate: 100/s}]}}", 75),
        ("{arrivals: {replayed: {samples: [1s, 2s, 99s, 101s]}}}", 0.03),
    ],
)
def test_the_offered_rate_is_the_mean_over_the_run(writer: str, rate: float) -> None:
    """Bursts, curves and replayed times count with what they come to."""
    made = scenario(f"writers: {{app: {writer}}}\n")
    assert offered_rate(made, made.writers["app"]) == pytest.approx(rate, rel=0.01)


@pytest.mark.parametrize(
    ("names", "level", "latency"),
    [
        ("''", "off", 0.0),
        ("''", "on", 3e-3),
        ("s1", "on", 3e-3 + 2e-3 + 1e-3),
        ("s2", "remote_write", 3e-3 + 20e-3),
        ("'ANY 1 (s1, s2)'", "on", 6e-3),
        ("'FIRST 2 (s1, s2)'", "on", 24e-3),
        ("'ANY 3 (s1, s2)'", "on", float("inf")),
    ],
)
def test_an_uncontended_commit_waits_for_its_stages(names: str, level: str, latency: float) -> None:
    """One and a half flushes, then for the standbys that the rule names: their round trip and their flush."""
    device = "wal_device: {flush: 1ms, write: 0s}"
    made = scenario(
        f"standbys: {{s1: {{{device}}}, s2: {{{device}}}}}\n"
        "links: {p -> s1: {latency: 1ms}, p -> s2: {latency: 10ms}}\n"
        f"writers: {{app: {{clients: 3, think: 6ms, synchronous_commit: {level}}}}}\n"
    )
    made = made.changed(primary=made.primary.model_copy(update={"synchronous_standby_names": names.strip("'")}))
    assert commit_latency(made, made.writers["app"]) == pytest.approx(latency)
    assert commit_rate(made, made.writers["app"]) == pytest.approx(3 / (6e-3 + latency))


def test_the_size_of_a_run_grows_with_it() -> None:
    """Ten times the time is about ten times the work."""
    text = "standbys: {s1: {}}\nlinks: {p -> s1: {latency: 1ms}}\nwriters: {app: {rate: 500/s}}\n"
    text += "readers: {web: {rate: 1k/s}}\n"
    short, long = estimate(scenario(text)), estimate(scenario(text).changed(duration="1000s"))
    assert (short.commits, short.reads) == (50_000, 100_000)
    assert (long.commits, long.reads) == (500_000, 1_000_000)
    assert long.events == pytest.approx(10 * short.events)
    assert str(short).startswith("roughly 50,000 commits, 100,000 reads and ")


def test_all_who_write_make_wal() -> None:
    """Writers, sessions and the background together load every stage."""
    made = scenario(
        "writers: {app: {rate: 100/s, record: 1 kB}}\nbackground: {wal: 1 MB/s}\n"
        "sessions: {users: {count: 10, write_every: 1s, record: 10 kB}}\n"
    )
    assert wal_rate(made) == pytest.approx(100_000 + 1_000_000 + 100_000)
