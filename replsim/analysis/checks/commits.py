"""Invariants of commits: none appears twice or gets lost, and none is acknowledged before it may be."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from replsim.randomness import Streams
from replsim.randomness.arrivals import arrivals
from replsim.record import ACKNOWLEDGED, PENDING, Record, answered
from replsim.rules.acks import REMOTE_LEVELS, SyncRule
from replsim.scenario.surges import effective
from replsim.units import NEVER

__all__ = ["CHECKS"]

Ints = NDArray[np.int64]
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
    firsts = [each.first for each in record.branches] or [0]
    branch = np.searchsorted(firsts, np.arange(len(lsn)), side="right") - 1
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
            mine = np.sort(table["submitted"][table["writer"] == names.index(name)])
            if not np.array_equal(mine, due):
                yield f"{name} has {len(mine)} transactions in the table, and {len(due)} were due"


def pools_are_kept(record: Record) -> Iterator[str]:
    """Never are more transactions under way than there are connections, or than a client may have in flight."""
    table = record.commits
    for code, (name, writer) in enumerate(record.scenario.writers.items()):
        mine = table["writer"] == code
        if writer.clients is None:
            most, limit = _most_at_once(table["started"][mine], table["learned"][mine]), writer.connections
            if most > limit:
                yield f"{name} has {most} transactions under way on {limit} connections"
            continue
        for client in range(writer.clients):
            own = mine & (table["client"] == client)
            most = _most_at_once(table["submitted"][own], table["learned"][own])
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
    """At a remote level, no commit is acknowledged before enough standbys had reported to have it.

    For ``ANY n`` any n of the listed, for ``FIRST n`` the n of best priority (any n where standbys may be gone).
    """
    scenario, table = record.scenario, record.commits
    rule = SyncRule.parse(scenario.primary.synchronous_standby_names)
    if not rule.count:
        return
    direct = {name.lower(): name for name in scenario.direct}
    listed = list(direct.values()) if "*" in rule.names else [direct[name.lower()] for name in rule.names]
    strict = rule.method == "FIRST" and not scenario.faults
    for level in REMOTE_LEVELS:
        mine = np.flatnonzero(
            (table["level"] == table.words["level"].index(level))
            & (table["visible"] < NEVER)
            & (table["outcome"] <= ACKNOWLEDGED)
        )
        if not len(mine):
            continue
        if len(listed) < rule.count:
            yield f"commits at {level} are released, though there are too few standbys for the rule"
            continue
        told = np.stack([_reported(record, name, SAID_OF[level], table["lsn"][mine]) for name in listed])
        held = told[: rule.count].max(axis=0) if strict else np.sort(told, axis=0)[rule.count - 1]
        wrong = np.flatnonzero(table["visible"][mine] < held)
        if len(wrong):
            yield f"commit {mine[wrong[0]]} at {level} is visible before {rule.method} {rule.count} had reported it"


def enough_have_it(record: Record) -> Iterator[str]:
    """At `on` and `remote_apply`, as many standbys as the rule asks have a commit on disk when it is acknowledged.

    What they *have*, not what they said: "no acknowledged commit is lost" in a failover to one of them rests on it.
    """
    scenario, table = record.scenario, record.commits
    rule = SyncRule.parse(scenario.primary.synchronous_standby_names)
    levels = table.words["level"]
    mine = np.flatnonzero(
        np.isin(table["level"], [levels.index("on"), levels.index("remote_apply")])
        & (table["acknowledged"] < NEVER)
        & (table["outcome"] == ACKNOWLEDGED)
    )
    if not rule.count or not len(mine):
        return
    direct = {name.lower(): name for name in scenario.direct}
    listed = list(direct.values()) if "*" in rule.names else [direct[name.lower()] for name in rule.names]
    on_disk = [record.position(name, "flush").crossing(table["lsn"][mine]) <= table["visible"][mine] for name in listed]
    few = np.flatnonzero(np.sum(on_disk, axis=0) < rule.count)
    if len(few):
        names = ", ".join(listed)
        yield f"commit {mine[few[0]]} is acknowledged, and fewer than {rule.count} of {names} have it on disk"


def _reported(record: Record, name: str, stage: str, lsn: Ints) -> Ints:
    """When a standby was first heard to have each position; `NEVER` where it was not."""
    replies = record.replies[name]
    said = np.maximum.accumulate(getattr(replies, stage)) if len(replies.time) else replies.time
    return np.append(replies.time, NEVER)[np.searchsorted(said, lsn, side="left")]


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
