"""Clients that try again: after a failure, or when they do not know the outcome, which may commit a thing twice."""

from __future__ import annotations

import numpy as np
import pytest

import replsim

CLUSTER = """
name: tries again
duration: 300ms
wakeup: 0s
primary: {{wal_device: {{flush: 100us, write: 0s}}{primary}}}
standbys: {{s1: {{wal_device: {{flush: 100us, write: 0s}}, wal_retrieve_retry_interval: 5ms}}}}
links: {{p -> s1: {{latency: 1ms}}}}
writers: {{app: {{execution: 1ms, {writer}}}}}
faults: [{faults}]
"""
OPEN = "rate: 100/s, arrivals: deterministic, connections: 4"
CLOSED = "clients: 2, think: 10ms"
DIES = "{at: 100ms, for: 50ms, crash: p, of: process}"


def ran(writer: str, faults: str = DIES, primary: str = "") -> replsim.Result:
    """The cluster after a run."""
    return replsim.run(replsim.loads(CLUSTER.format(writer=writer, faults=faults, primary=primary)))


def last_outcomes(result: replsim.Result) -> list[str]:
    """How the last attempt at each transaction ended, in the order of submission."""
    table = result.commits
    words = np.array(table.words["outcome"])[table["outcome"]]
    found: dict[int, tuple[int, str]] = {}
    for number, attempt, word in zip(table["transaction"].tolist(), table["attempt"].tolist(), words, strict=True):
        found[number] = max(found.get(number, (-1, "")), (attempt, str(word)))
    return [found[number][1] for number in sorted(found)]


@pytest.mark.parametrize("clients", [OPEN, CLOSED])
def test_who_does_not_try_again_gives_up(clients: str) -> None:
    """Without `retry` what fails has failed, and there is no column of attempts."""
    result = ran(clients)
    assert result.metrics["failed_commits"] > 0
    assert "attempt" not in result.commits
    assert "retries" not in result.metrics


def test_an_outage_that_is_shorter_than_the_retries_fails_nothing_for_good() -> None:
    """All that is submitted in an outage of 50 ms is committed after it; its latency counts from the first attempt."""
    result = ran(f"{OPEN}, retry: {{after: 20ms, attempts: 5}}")
    assert set(last_outcomes(result)) == {"acknowledged"}
    assert result.metrics["retries"] >= result.metrics["failed_commits"] > 3
    assert 0.04 < result.metrics["commit_latency.max"] < 0.08
    assert result.metrics["duplicate_commits"] == 0


def test_attempts_run_out() -> None:
    """Two further attempts, 10 ms apart, do not outlast 50 ms: those that began early have failed for good."""
    result = ran(f"{OPEN}, retry: {{after: 10ms, attempts: 2}}")
    table = result.commits
    assert table["attempt"].max() == 2
    assert "failed" in last_outcomes(result)


def test_a_client_that_waits_tries_again_before_it_goes_on() -> None:
    """A closed-loop client submits nothing else meanwhile: its next transaction follows the last attempt's answer."""
    result = ran(f"{CLOSED}, retry: {{after: 20ms, attempts: 5}}")
    table = result.commits
    for client in range(2):
        mine = table["client"] == client
        order = np.lexsort((table["attempt"][mine], table["transaction"][mine]))
        submitted, learned, attempt = (table[name][mine][order] for name in ("submitted", "learned", "attempt"))
        fresh = np.flatnonzero(attempt == 0)[1:]
        assert np.all(submitted[fresh] == learned[fresh - 1] + 10_000_000)
    assert set(last_outcomes(result)) <= {"acknowledged", "pending"}


def test_what_was_not_known_may_commit_twice() -> None:
    """Commits that wait for a standby when the primary dies are on its disk: later attempts commit them again."""
    cut = "{at: 90ms, for: 100ms, cut: p -> s1, how: reset}"
    result = ran(f"{OPEN}, retry: {{after: 60ms}}", f"{cut}, {DIES}", ", synchronous_standby_names: s1")
    unknown = result.metrics["unknown_commits"]
    assert unknown > 0
    assert result.metrics["duplicate_commits"] == unknown


def test_a_driver_that_left_may_commit_twice() -> None:
    """A driver that disconnects after 5 ms and tries again commits twice what only waited for a standby."""
    impatient = f"{OPEN}, timeout: 5ms, at_timeout: disconnect, retry: {{after: 30ms, attempts: 5}}"
    result = ran(impatient, "{at: 90ms, for: 20ms, cut: p -> s1, how: reset}", ", synchronous_standby_names: s1")
    assert result.metrics["duplicate_commits"] > 0
    assert result.metrics["lost_commits"] == 0
