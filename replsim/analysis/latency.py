"""How long commits take, and how many there are.

Measured are the commits that were *acknowledged* within the window: their client had the server's answer
then.  What was still waiting at the end is counted by ``pending_commits``, not here; a run whose commits
hang has few latencies, so look at both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from replsim.analysis.facts import Facts
from replsim.analysis.names import spread
from replsim.analysis.registry import Part, Spec, measures
from replsim.analysis.weighted import AtEnd, Sample, Share, statistics
from replsim.record import PENDING, answered
from replsim.scenario import Scenario
from replsim.units import NEVER, SECOND

__all__: list[str] = []

FULL: Final = ("mean", "p50", "p90", "p99", "p999", "max")
SHORT: Final = ("mean", "p50", "p99", "max")
POPULATION: Final = "over the commits acknowledged within the window"


def _polls(scenario: Scenario) -> bool:
    return any(writer.poll is not None for writer in scenario.writers.values())


def _writes(scenario: Scenario) -> bool:
    return bool(scenario.writers or scenario.sessions)


@measures(
    *spread(
        "commit_latency",
        "s",
        FULL,
        f"the time from when a commit was due to its acknowledgement at its client, {POPULATION}",
        note="Due is the scheduled arrival (open loop, so the wait for a connection counts) or the client's decision.",
    ),
    *spread(
        "commit_latency_from_start",
        "s",
        FULL,
        f"the time from when a connection took a commit up to its acknowledgement at its client, {POPULATION}",
    ),
    per=("writer", "session"),
    needs=_writes,
    adds_up=True,
)
def commit_latency(facts: Facts, writer: str | None) -> Mapping[str, Part]:
    """Latencies from the scheduled time and from the start."""
    commits = facts.record.commits
    chosen = facts.within(commits["acknowledged"]) & answered(commits["outcome"]) & facts.of_writer(writer)
    told = commits["acknowledged"][chosen]
    return {
        family: Sample(told - commits[start][chosen], SECOND)
        for family, start in (("commit_latency", "submitted"), ("commit_latency_from_start", "started"))
    }


@measures(
    *spread(
        "learned_latency",
        "s",
        SHORT,
        "the time from when a commit was due to when its client learned the outcome by polling, over the commits of "
        "polling writers learned within the window",
    ),
    per=("writer",),
    needs=_polls,
)
def learned_latency(facts: Facts, writer: str | None) -> Mapping[str, float]:
    """Latencies as clients see them that ask for the outcome every so often."""
    commits = facts.record.commits
    chosen = np.zeros(len(commits), dtype=bool)
    for name, law in facts.record.scenario.writers.items():
        if law.poll is not None and writer in (None, name):
            chosen |= facts.of_writer(name)
    chosen &= facts.within(commits["learned"]) & answered(commits["outcome"])
    waits = commits["learned"][chosen] - commits["submitted"][chosen]
    return {f"learned_latency.{name}": value for name, value in statistics(waits, SHORT, SECOND).items()}


@measures(
    *spread(
        "connection_wait",
        "s",
        SHORT,
        "the time that work waited for a free connection, over the work taken up within the window",
    ),
    per=("writer", "session"),
    needs=_writes,
    adds_up=True,
)
def connection_wait(facts: Facts, writer: str | None) -> Mapping[str, Part]:
    """The wait for a connection: an exhausted pool is the symptom of a stalled synchronous commit."""
    commits = facts.record.commits
    chosen = facts.within(commits["started"]) & facts.of_writer(writer)
    waits = commits["started"][chosen] - commits["submitted"][chosen]
    return {"connection_wait": Sample(waits, SECOND)}


@measures(
    Spec("throughput", "1/s", "count", "Commits acknowledged at their clients within the window, per second of it."),
    Spec(
        "pending_commits",
        "count",
        "count",
        "Commits that were due during the run and of which their clients had no outcome at its end.",
    ),
    per=("writer", "session"),
    needs=_writes,
    adds_up=True,
)
def volume(facts: Facts, writer: str | None) -> Mapping[str, Part]:
    """How many commits came through, and how many did not."""
    commits, mine = facts.record.commits, facts.of_writer(writer)
    done = facts.within(commits["acknowledged"]) & answered(commits["outcome"]) & mine
    pending = (commits["outcome"] == PENDING) & (commits["submitted"] < NEVER) & mine
    return {
        "throughput": Share(float(np.count_nonzero(done)), facts.window_seconds),
        "pending_commits": AtEnd(float(np.count_nonzero(pending))),
    }
