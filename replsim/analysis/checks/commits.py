"""Invariants of commits: none appears twice or gets lost, and none is acknowledged before it may be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from replsim.analysis.checks.reigns import branches, branches_of, counts, had, heard, listed, rules
from replsim.randomness import Streams
from replsim.randomness.arrivals import arrivals
from replsim.record import ACKNOWLEDGED, PENDING, Record, answered
from replsim.rules.acks import REMOTE_LEVELS
from replsim.scenario.surges import effective
from replsim.units import NEVER

__all__ = ["CHECKS"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
STEPS: Final = ("submitted", "started", "inserted", "visible", "acknowledged")
SAID_OF: Final = {"remote_write": "write", "on": "flush", "remote_apply": "apply"}
"""What a level needs to have been reported."""


def steps_come_in_order(record: Record) -> Iterator[str]:
    """Submitted, started, inserted, visible, acknowledged: none before the one before it, none after the run."""
    table, end = record.commits, record.scenario.duration
    for before, after in (*pairwise(STEPS), ("inserted", "flushed"), ("visible", "learned")):
        # Whose primary died knows that there will be no answer, and sees no commit.
        sure = answered(table["outcome"]) if after == "learned" else np.True_
        wrong = np.flatnonzero((table[before] > table[after]) & sure)
        if len(wrong):
            yield f"commit {wrong[0]} is {after} before it is {before}"
    for step in STEPS[1:]:
        if np.any((table[step] > end) & (table[step] < NEVER)):
            yield f"a commit is {step} after the run"
    unknown = (table["acknowledged"] == NEVER) & answered(table["outcome"])
    if np.any(unknown) or np.any((table["acknowledged"] < NEVER) & (table["outcome"] == PENDING)):
        yield "an outcome does not say what the acknowledgement says"


def the_log_is_one_stream(record: Record) -> Iterator[str]:
    """A commit is named by its branch and LSN, stands there in the order of insertion, and has its own bytes.

    A primary that comes back uses LSNs behind what it had flushed again: that is a branch of the same timeline.
    """
    table = record.commits
    logged = table["lsn"] < NEVER
    if np.any(logged != (table["inserted"] < NEVER)):
        yield "a commit is inserted and has no place in the log, or the other way round"
    lsn, inserted = (table[name][logged] for name in ("lsn", "inserted"))
    branch = branches_of(record)
    names = np.stack([branch, lsn])
    if len(np.unique(names, axis=1)[0]) < len(lsn):
        yield "two commits have one name"
    for each in np.unique(branch):
        mine = branch == each
        if np.any(np.diff(lsn[mine]) <= 0) or np.any(np.diff(inserted[mine]) < 0):
            yield f"the commits of branch {each} are out of order"
    streamed = any(writer.chunk for writer in record.scenario.writers.values())
    if not streamed and np.any(np.diff(lsn, prepend=0)[branch == 0] < table["bytes"][logged][branch == 0]):
        yield "two commits share bytes"


def nobody_gets_lost(record: Record) -> Iterator[str]:
    """Every open-loop arrival within the run is in the table once, whatever became of it, and no other is."""
    scenario, table = record.scenario, record.commits
    names = table.words["writer"]
    for name, writer in scenario.writers.items():
        if writer.clients is None:
            under_load = effective(scenario, record.seed, name, writer)
            due = arrivals(Streams(record.seed), f"writer:{name}:arrivals", under_load, scenario.duration)
            first = table.get("attempt", np.zeros(len(table))) == 0
            mine = np.sort(table["submitted"][first & (table["writer"] == names.index(name))])
            if not np.array_equal(mine, due):
                yield f"{name} has {len(mine)} transactions in the table, and {len(due)} were due"


def pools_are_kept(record: Record) -> Iterator[str]:
    """Never are more transactions under way than there are connections, or than a client may have in flight."""
    table = record.commits
    again = table.get("attempt", np.zeros(len(table))) > 0
    for code, (name, writer) in enumerate(record.scenario.writers.items()):
        mine = table["writer"] == code
        if writer.clients is None:
            most, limit = _most_at_once(table["started"][mine], table["learned"][mine]), writer.connections
            if most > limit:
                yield f"{name} has {most} transactions under way on {limit} connections"
            continue
        for client in range(writer.clients):
            own = mine & (table["client"] == client)
            begun = np.where(again[own], table["started"][own], table["submitted"][own])
            most = _most_at_once(begun, table["learned"][own])
            if most > writer.in_flight:
                yield f"client {client} of {name} has {most} commits in flight, and may have {writer.in_flight}"


def flushed_before_acknowledged(record: Record) -> Iterator[str]:
    """Above level off, no commit is visible that is not on the primary's disk."""
    table = record.commits
    off = table["level"] == table.words["level"].index("off")
    wrong = ~off & (table["visible"] < table["flushed"]) & (table["visible"] < NEVER)
    if np.any(wrong):
        yield f"commit {np.flatnonzero(wrong)[0]} is visible before it is flushed"


def the_rule_held(record: Record) -> Iterator[str]:
    """At a remote level, no commit is acknowledged before enough standbys had reported to its primary to have it.

    Enough by the rule that stood when the commit was released, on the branch that its primary wrote.  For ``ANY n``
    any n of the listed, for ``FIRST n`` the n of best priority of those that count: the primary has not dropped them,
    and they have caught up since it did (``SyncRepGetCandidateStandbys``).  Of equals (``*``) it may be any.
    """
    table = record.commits
    for branch, rows in _released(record):
        for level in REMOTE_LEVELS:
            mine = rows[table["level"][rows] == table.words["level"].index(level)]
            told = partial(heard, record, stage=SAID_OF[level], branch=branch, lsn=table["lsn"][mine])
            wrong = mine[~_enough(record, branch, table["visible"][mine], told)]
            if len(wrong):
                stood = " or ".join(dict.fromkeys(str(each.rule) or "no rule" for each in rules(record, branch)))
                yield f"commit {wrong[0]} at {level} is visible before {stood} had reported it"


def enough_have_it(record: Record) -> Iterator[str]:
    """At `on` and `remote_apply`, as many standbys as the rule asks have a commit on disk when it is acknowledged.

    What they *have*, not what they said: "no acknowledged commit is lost" in a failover to one of them rests on it.
    """
    table = record.commits
    levels = table.words["level"]
    for branch, rows in _released(record):
        mine = rows[np.isin(table["level"][rows], [levels.index("on"), levels.index("remote_apply")])]
        there = partial(had, record, stage="flush", branch=branch, lsn=table["lsn"][mine])
        wrong = mine[~_enough(record, branch, table["visible"][mine], there)]
        if len(wrong):
            yield f"commit {wrong[0]} is acknowledged, and too few standbys have it on disk"


def _released(record: Record) -> Iterator[tuple[int, Ints]]:
    """For each branch on which clients wait for standbys, the rows of the commits that a rule released."""
    table, own = record.commits, branches_of(record)
    for branch in range(len(branches(record))):
        rows = np.flatnonzero(own == branch)
        done = (table["visible"][rows] < NEVER) & (table["outcome"][rows] == ACKNOWLEDGED)
        if any(each.rule.count for each in rules(record, branch)):
            yield branch, rows[done]


def _enough(record: Record, branch: int, visible: Ints, since: Callable[[str], Ints]) -> Bools:
    """Whether each commit was released under a rule that stood then, ``since`` telling when a standby counted for it.

    Between the release and the moment at which a commit is visible, its backend wakes up.
    """
    primary, wakeup = branches(record)[branch].node, record.scenario.wakeup
    enough = np.zeros(len(visible), dtype=bool)
    for rule, begin, end in rules(record, branch):
        stood = (begin <= visible) & (visible - wakeup <= end)
        names = listed(record, rule, primary)
        if rule.count == 0:
            enough |= stood
        elif len(names) >= rule.count:
            times = np.stack([since(name) for name in names])
            told = np.sort(times, axis=0)[rule.count - 1] <= visible
            if rule.method == "FIRST" and "*" not in rule.names:
                told &= _best_told(record, branch, names, rule.count, visible - wakeup, times)
            enough |= stood & told
    return enough


def _best_told(record: Record, branch: int, names: list[str], count: int, released: Ints, times: Ints) -> Bools:
    """Whether the ``count`` standbys of best priority had told of each commit by its release.

    Who comes or goes at that very moment may have been counted or not.
    """
    found = np.zeros(len(released), dtype=bool)
    for moments in (released - 1, released):
        there = np.stack([counts(record, branch, name, moments) for name in names])
        best = there & (np.cumsum(there, axis=0) <= count)
        found |= (best.sum(axis=0) == count) & (np.where(best, times, 0).max(axis=0) <= released)
    return found


def _most_at_once(begins: Ints, ends: Ints) -> int:
    """How many of the intervals ``[begin, end)`` overlap at most; those that never begin do not count."""
    real = (begins < NEVER) & (begins < ends)
    times = np.concatenate([ends[real], begins[real]])
    changes = np.repeat([-1, 1], int(real.sum()))
    order = np.lexsort((changes, times))
    return int(np.cumsum(changes[order]).max(initial=0))


CHECKS: Final = (
    steps_come_in_order,
    the_log_is_one_stream,
    nobody_gets_lost,
    pools_are_kept,
    flushed_before_acknowledged,
    the_rule_held,
    enough_have_it,
)
