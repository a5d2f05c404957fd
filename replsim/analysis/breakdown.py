"""Where the time of a commit went: its latency as a sum of parts, exact to the nanosecond.

Only what the client waited for counts.  At a remote level that is the way of *one* standby, the one whose reply
released the commit (the *decider*): with ``ANY 1`` the first that reported it, with ``FIRST 2`` the later of the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from replsim.analysis.facts import Facts
from replsim.record import ACKNOWLEDGED_LOCALLY, answered
from replsim.record.branch import branch_of
from replsim.rules.acks import REMOTE_LEVELS, SyncRule
from replsim.scenario import Scenario
from replsim.scenario.failover import Patroni

__all__ = ["PARTS", "Breakdown", "Slice", "breakdown", "by_rank", "by_writer"]

Ints = NDArray[np.int64]

PARTS: Final[Mapping[str, str]] = {
    "connection": "waiting for a connection",
    "execution": "the way to the primary and executing",
    "flush": "the primary's flush, and waiting for the one before it",
    "network out": "walsender and network to the standby",
    "remote write": "the standby's write",
    "remote flush": "the standby's flush, and waiting for the one before it",
    "replay": "replay on the standby, and its queue",
    "network back": "the standby's reply on its way, and waking the backend",
    "answer": "the answer's way to the client",
}
"""The parts of a commit's latency, in their order, and what each is."""

REPORTED: Final = {"remote_write": "reported_write", "on": "reported_flush", "remote_apply": "reported_apply"}
"""What a standby must have reported for a commit at each remote level."""
RANKS: Final = (("fastest half", 0, 500), ("50–90 %", 500, 900), ("90–99 %", 900, 990), ("slowest 1 %", 990, 1000))
"""Commits by the rank of their latency, from and up to so many thousandths."""


@dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """Some commits: what they have in common, how many they are, and the mean of each part in nanoseconds."""

    name: str
    count: int
    parts: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class Breakdown:
    """The parts of some commits' latencies, in nanoseconds; each is at least 0, and they add up exactly."""

    rows: Ints
    """The commits: rows of the record's table."""
    parts: Mapping[str, Ints]
    """By the names in `PARTS`, one value a commit."""
    decider: Ints
    """The standby whose reply released each commit, as its place among the scenario's nodes; -1 for nobody's."""

    @cached_property
    def latency(self) -> Ints:
        """From when each commit was due to its acknowledgement at its client."""
        latency: Ints = np.sum(np.stack(list(self.parts.values())), axis=0)
        return latency

    def mean(self, name: str, chosen: NDArray[np.bool_] | Ints | slice = slice(None)) -> Slice:
        """The chosen commits, summed up under a name."""
        some = {part: values[chosen] for part, values in self.parts.items()}
        count = len(some["answer"])
        return Slice(name, count, {part: float(values.mean()) if count else 0.0 for part, values in some.items()})


def breakdown(facts: Facts, rows: Ints | None = None) -> Breakdown:
    """The parts of the commits in ``rows``, which must be acknowledged; without it, of all that count in a metric."""
    commits = facts.record.commits
    if rows is None:
        rows = np.flatnonzero(facts.within(commits["acknowledged"]) & answered(commits["outcome"]))
    start, visible, told = (commits[name][rows] for name in ("inserted", "visible", "acknowledged"))
    lsn, level = facts.codes[rows], commits["level"][rows]
    words = commits.words.get("level", ())

    # Commits at `off` and `local` wait for no standby: the rest of their time on the primary is its flush.
    flushed = np.where(level == (words.index("off") if "off" in words else -1), start, visible)
    received, written, safe, applied = (flushed.copy() for _ in range(4))
    decider = np.full(len(rows), -1, dtype=np.int64)
    for place in REMOTE_LEVELS:
        waiting = np.flatnonzero(level == words.index(place)) if place in words else np.empty(0, dtype=np.int64)
        # No standby's answer ended a cancelled wait: all of it is its standbys' way there.
        cancelled = commits["outcome"][rows[waiting]] == ACKNOWLEDGED_LOCALLY
        flushed[waiting[cancelled]] = commits["flushed"][rows[waiting[cancelled]]]
        waiting = waiting[~cancelled]
        who = _deciders(facts, place, rows[waiting])
        waiting, who = waiting[who >= 0], who[who >= 0]
        decider[waiting] = who
        flushed[waiting] = commits["flushed"][rows[waiting]]
        for node in np.unique(who):
            mine = waiting[who == node]
            stages = ("receive", "write", "flush", "apply")[: 2 + REMOTE_LEVELS.index(place)]
            times = [facts.record.position(facts.record.scenario.nodes[node], s).crossing(lsn[mine]) for s in stages]
            for column, time in zip((received, written, safe, applied), [*times, *times[-1:] * 2], strict=False):
                column[mine] = time

    stamps = np.stack([commits["submitted"][rows], commits["started"][rows], start, flushed, received, written, safe,
                       applied, visible, told])  # fmt: skip
    # A wait that ended otherwise than by the standby's reply ends all that it was waiting for.
    stamps[3:8] = np.maximum.accumulate(np.minimum(stamps[3:8], visible), axis=0)
    return Breakdown(rows, dict(zip(PARTS, np.diff(stamps, axis=0), strict=True)), decider)


def _deciders(facts: Facts, level: str, rows: Ints) -> Ints:
    """For commits at a remote level: the standby whose reply released each, as a place among the nodes, or -1.

    Source: ``syncrep.c:SyncRepReleaseWaiters``: a reply releases what meets the rule with it, and nothing else does.
    So it was the candidate that was the last to report the commit before its release, be it under ANY or FIRST, while
    standbys are away, after a promotion, or under a rule that a manager changes.
    """
    record, scenario = facts.record, facts.record.scenario
    # On real servers a backend wakes up when it does.
    released = record.commits["visible"][rows] - (0 if record.notes else scenario.wakeup)
    primaries = [each.node for each in record.branches] or [scenario.primary.name]
    found, branches = np.full(len(rows), -1, dtype=np.int64), branch_of(facts.codes[rows])
    for branch in np.unique(branches):
        mine = branches == branch
        candidates = [name for name in _candidates(scenario, primaries[branch]) if name in record.replies]
        if candidates:
            stages = [record.position(name, REPORTED[level]) for name in candidates]
            reported = np.stack([stage.crossing(facts.codes[rows[mine]]) for stage in stages])
            reported[reported > released[mine]] = -1
            nodes = np.array([scenario.nodes.index(name) for name in candidates], dtype=np.int64)
            found[mine] = np.where(reported.max(axis=0) >= 0, nodes[np.argmax(reported, axis=0)], -1)
    return found


def _candidates(scenario: Scenario, primary: str) -> tuple[str, ...]:
    """Whose replies may release what ``primary`` has written: its standbys, as far as the rule may name them."""
    standbys = [name for name in (scenario.primary.name, *scenario.direct) if name != primary]
    if isinstance(scenario.failover, Patroni) and scenario.failover.names_standbys:
        return tuple(standbys)
    rule = SyncRule.parse(scenario.primary.synchronous_standby_names)
    return rule.candidates(standbys) if rule.count else ()


def by_rank(found: Breakdown) -> list[Slice]:
    """All commits, and then those of each rank by latency (nearest rank); ranks that nobody has are left out."""
    order = np.argsort(found.latency, kind="stable")
    count = len(order)
    slices = [found.mean("all")] if count else []
    for name, low, high in RANKS:
        chosen = order[-(-count * low // 1000) : -(-count * high // 1000)]
        if len(chosen):
            slices.append(found.mean(name, chosen))
    return slices


def by_writer(facts: Facts, found: Breakdown) -> list[Slice]:
    """The commits of each writer and session group that has some."""
    commits = facts.record.commits
    writer = commits["writer"][found.rows]
    slices = [found.mean(name, writer == code) for code, name in enumerate(commits.words["writer"])]
    return [each for each in slices if each.count]
