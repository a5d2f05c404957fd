"""What the measured runs taught: cold connections, links that are late together, records cut by the WAL writer."""

from __future__ import annotations

import numpy as np
import pytest

import replsim
from replsim.units import NEVER

QUIET = """
name: quiet
duration: 2s
wakeup: 0s
primary: {wal_device: {flush: 1ms, write: 0s}}
writers:
  app:
"""


def executions(text: str) -> np.ndarray:
    """The time from each transaction's start to its commit record, in microseconds."""
    commits = replsim.run(replsim.loads(QUIET + text)).record.commits
    done = commits["inserted"] < NEVER
    return np.unique((commits["inserted"] - commits["started"])[done] // 1000)


@pytest.mark.parametrize(
    ("load", "pause", "slower"),
    [
        ("    clients: 1\n", "0s", [36, 37, 100]),  # 1.1 ms + x after the last one: x = 100 us (1.1 + x) / (3.1 + x)
        ("    clients: 1\n    think: 4.9ms\n", "4.9ms", [75, 100]),
        ("    rate: 10/s\n    arrivals: deterministic\n    connections: 1\n", "100ms", [98, 100]),
    ],
)
def test_a_connection_that_paused_executes_more_slowly(load: str, pause: str, slower: list[int]) -> None:
    """The longer ago a connection's last transaction began, the longer the next one takes, up to a bound."""
    cold = "    execution: 100us\n    cold: {extra: 100us, half_after: 2ms}\n"
    found = executions(load + cold) - 100
    assert found.tolist() == slower, pause


def test_links_under_one_weather_are_late_together() -> None:
    """Under one weather a late stretch is late on every link; by itself each link has its own."""
    text = """
        name: weather
        duration: 5s
        standbys: {s1: {}, s2: {}}
        links:
          p -> s1: {latency: {mixture: [{weight: 9, of: 1ms}, {weight: 1, of: 20ms}]}, hold: 50ms WEATHER}
          p -> s2: {latency: {mixture: [{weight: 9, of: 3ms}, {weight: 1, of: 20ms}]}, hold: 50ms WEATHER}
        writers: {app: {rate: 300/s}}
    """

    def late(weather: str) -> list[set[int]]:
        record = replsim.run(replsim.loads(text.replace("WEATHER", weather))).record
        stretches = []
        for node in ("s1", "s2"):
            sent, received = record.position(node, "sent"), record.position(node, "receive")
            delays = received.crossing(sent.lsn) - sent.time
            stretches.append(set((sent.time[(delays >= 20_000_000) & (delays < NEVER // 2)] // 50_000_000).tolist()))
        return stretches

    together, apart = late(", weather: rig"), late("")
    assert len(together[0]) > 3
    assert together[0] == together[1]
    assert apart[0] != apart[1]


def test_a_record_that_the_wal_writer_cut_is_replayed_with_the_next_flush() -> None:
    """Under `off` the WAL writer flushes whole pages, so replay reports less than was sent until the next round."""
    result = replsim.run(
        replsim.loads(
            """
            name: cut
            duration: 10s
            primary: {synchronous_commit: "off", wal_writer_delay: 200ms}
            standbys: {s1: {}}
            links: {p -> s1: {latency: 1ms}}
            writers: {app: {rate: 200/s, record: 300 B}}
            """
        )
    )
    record = result.record
    flush, applied = record.position("s1", "flush"), record.position("s1", "apply")
    pages = flush.lsn % 8192 == 0
    assert pages.sum() > 20
    ends = np.sort(record.commits["lsn"][record.commits["lsn"] < NEVER])
    assert np.isin(applied.lsn, ends).all(), "replay stops at the end of a commit"
    assert result.metrics["s1.measured_lag.flush.p50"] < 0.01
    assert 0.2 < result.metrics["s1.measured_lag.replay.p50"] < 0.22
