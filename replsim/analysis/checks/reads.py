"""Invariants of reads: each saw what was there, and what was promised was kept, read by read."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from replsim.analysis.checks.reigns import branches, branches_of, reigning, told_of
from replsim.analysis.reads import reads
from replsim.record import DOWN, Record, Table, answered
from replsim.record.branch import LSN, SHIFT, branch_of, coded_as, shared
from replsim.rules.promises import Promise
from replsim.scenario.clients import Session
from replsim.units import NEVER

__all__ = ["CHECKS", "broken"]

Row = dict[str, Any]
Ints = NDArray[np.int64]


def reads_take_their_time(record: Record) -> Iterator[str]:
    """Issued, arrived, looked, answered: none before the one before it; waits and detours only where allowed."""
    table = reads(record)
    anybody_down = any(what in DOWN for node in record.scenario.nodes for _, what in told_of(record, node))
    for before, after in pairwise(("time", "arrived", "looked", "answered")):
        if np.any(table[before] > table[after]):
            yield f"a read is {after} before its {before}"
    for code, (name, client) in enumerate(_clients(record)):
        mine = table["reader"] == code
        limit = client.timeout if client.promises and client.by == "wait" else 0
        if np.any(table["waited"][mine] > limit):
            yield f"a read of {name} waits for longer than it may"
        if not client.promises and not anybody_down and np.any(table["tries"][mine] > 1):
            yield f"a read of {name} is sent on, and nothing is promised"


def reads_see_what_is_there(record: Record) -> Iterator[str]:
    """A look at a node shows the newest commit of its history that it has applied; on the primary, that is visible.

    Where primaries come and go, a look at one shows what it has inserted (docs/model.md).
    """
    table, commits = reads(record), record.commits
    for code, node in enumerate(record.scenario.nodes):
        mine = table["node"] == code
        looked, saw = table["looked"][mine], table["saw"][mine]
        if node == record.scenario.primary.name and len(record.branches) < 2:
            lsn = commits["lsn"][commits["lsn"] < NEVER]
            visible = commits["visible"][: len(lsn)]
            known = np.isin(saw, np.append(lsn, 0))
            shown = np.append(visible, 0)[np.where(saw > 0, np.searchsorted(lsn, saw), len(lsn))]
            if not known.all() or np.any(shown > np.minimum(looked, record.scenario.duration)):
                yield "a look at the primary shows a commit that is not visible"
        elif not np.array_equal(saw, _newest(record, record.position(node, "apply").at(looked))):
            yield f"a look at {node} does not show what it has applied"


def _newest(record: Record, applied: Ints) -> Ints:
    """The newest commit (as positions are coded) of the history at each position."""
    lsn, own = record.commits["lsn"], branches_of(record)
    every = coded_as(own, lsn[: len(own)])
    found = np.zeros(len(applied), dtype=np.int64)
    for branch in np.unique(branch_of(applied)).tolist():
        mine = branch_of(applied) == branch
        # Of each branch, what is part of this one's history.
        parts = [
            every[(own == each) & (lsn[: len(own)] <= shared(branches(record), each, branch))]
            for each in range(len(branches(record)))
        ]
        codes = np.concatenate([np.zeros(1, dtype=np.int64), *parts])
        found[mine] = codes[np.searchsorted(codes, applied[mine], side="right") - 1]
    return found


def servers_serve_one_read_each(record: Record) -> Iterator[str]:
    """A node with a finite capacity never serves more reads at once than it has servers."""
    table, scenario = reads(record), record.scenario
    for code, node in enumerate(scenario.nodes):
        limit = (scenario.standbys[node] if code else scenario.primary).read_capacity
        mine = (table["node"] == code) & (table["answered"] < NEVER)
        if limit is None:
            if np.any(table["served"][mine]):
                yield f"{node} serves reads, and has no capacity"
            continue
        begins, ends = table["looked"][mine], table["looked"][mine] + table["served"][mine]
        changes = np.repeat([-1, 1], len(begins))
        order = np.lexsort((changes, np.concatenate([ends, begins])))
        most = int(np.cumsum(changes[order]).max(initial=0))
        if most > limit.servers:
            yield f"{node} serves {most} reads at once, and has {limit.servers} servers"


def users_read_before_they_write(record: Record) -> Iterator[str]:
    """A closed-loop user whose write was acknowledged writes again only when all reads after it are answered."""
    table, commits = reads(record), record.commits
    first = commits.get("attempt", np.zeros(len(commits))) == 0
    for name, session in record.scenario.sessions.items():
        if session.think is None:
            continue
        writes = commits["writer"] == commits.words["writer"].index(name)
        own = table["reader"] == table.words["reader"].index(name)
        for user in range(session.count):
            mine = writes & (commits["client"] == user)
            submitted = np.sort(commits["submitted"][mine & first])
            told = np.sort(commits["submitted"][mine & answered(commits["outcome"])])
            follows = np.append(submitted, NEVER)[np.searchsorted(submitted, told, side="right")]
            last = table["answered"][own & (table["session"] == user)][session.reads - 1 :: session.reads]
            went_on = np.count_nonzero(follows < NEVER)
            if len(last) < went_on or np.any(last[:went_on] > follows[:went_on]):
                yield f"user {user} of {name} writes before it has read"


def promises_are_kept(record: Record) -> Iterator[str]:
    """What was promised is kept, but by a read that gave up its wait to read what was there, and on the primary.

    The primary takes every read: there a commit that still waits for standbys may be missing that a standby has shown.
    Nobody keeps a promise about what a failover has lost, to the newest primary or to the node that is read; a bound is
    met by a raw LSN, though it may be one of another history.
    """
    table = reads(record)
    bad = list(broken(record, table))
    for row in bad:
        gave_up = row["timed_out"] and row["client"].at_timeout == "stale"
        primary = reigning(record, record.scenario.nodes[row["node"]], np.array([row["looked"]]))[0]
        by_itself = primary and row["client"].guarantee in ("monotonic_reads", "causal")
        other_history = len(record.branches) > 1 and row["client"].guarantee == "bounded_staleness"
        if not gave_up and not other_history and not (by_itself and not row["missed_writes"]) and not row["only_lost"]:
            yield f"{row['client'].guarantee} of {row['name']} is broken by the read issued at {row['time']} ns"
    if len(bad) != np.count_nonzero(~table["kept"]):
        yield "the table of reads does not say which promises are broken"


def broken(record: Record, table: Table) -> Iterator[Row]:
    """The reads whose promise is broken, by looking back over all that happened before each."""
    commits, every = record.commits, branches(record)
    codes = coded_as(branches_of(record), commits["lsn"][: len(branches_of(record))])
    told = [
        Told(int(commits["acknowledged"][i]), int(codes[i]), int(commits["writer"][i]), int(commits["client"][i]))
        for i in np.flatnonzero(answered(commits["outcome"]))
    ]
    histories = _histories(record, table)
    for code, (name, client) in enumerate(_clients(record)):
        if not client.promises:
            continue
        mine = table["reader"] == code
        table_rows = table.where(mine)
        rows = [
            dict(zip(table, row, strict=True)) for row in zip(*(c.tolist() for c in table_rows.values()), strict=True)
        ]
        writer = commits.words["writer"].index(name) if isinstance(client, Session) else -1
        for k, (row, history) in enumerate(zip(rows, histories[mine].tolist(), strict=True)):
            if row["answered"] == NEVER:
                continue
            due = {each.code for each in told if _counts(client, each, writer, row["session"], row["time"])}
            seen = set()
            if client.guarantee in ("monotonic_reads", "causal"):
                own = (each for each in rows[:k] if each["session"] == row["session"])
                seen = {each["saw"] for each in own if each["answered"] <= row["time"]}
            place = row["saw"] & LSN
            late = {each for each in due | seen if place < (each & LSN) <= shared(every, each >> SHIFT, history)}
            lost = {each for each in due | seen if (each & LSN) > shared(every, each >> SHIFT, history)}
            if late or (lost and client.guarantee != "bounded_staleness"):
                newest = max(branch for branch, each in enumerate(every) if each.start <= row["looked"])
                gone = {each for each in late if (each & LSN) > shared(every, each >> SHIFT, newest)}
                found = {"missed_writes": bool(due & (late | lost)), "only_lost": late == gone}
                yield row | {"client": client, "name": name} | found


class Told(NamedTuple):
    """An acknowledged commit, as positions are coded."""

    time: int
    code: int
    writer: int
    client: int


def _histories(record: Record, table: Table) -> Ints:
    """The branch whose history each read looked at."""
    found = np.zeros(len(table), dtype=np.int64)
    if len(record.branches) > 1:
        for code, node in enumerate(record.scenario.nodes):
            mine = table["node"] == code
            found[mine] = branch_of(record.position(node, "apply").at(table["looked"][mine]))
    return found


def _counts(client: Promise, told: Told, writer: int, user: int, issued: int) -> bool:
    """Whether a read issued at a time must see a commit, because it was written, and acknowledged in time."""
    if client.guarantee in ("read_your_writes", "causal"):
        return told.writer == writer and told.client == user and told.time <= issued
    return client.guarantee == "bounded_staleness" and told.time <= issued - (client.bound or 0)


def _clients(record: Record) -> list[tuple[str, Promise]]:
    return [*record.scenario.readers.items(), *record.scenario.sessions.items()]


CHECKS: Final = (
    reads_take_their_time,
    reads_see_what_is_there,
    servers_serve_one_read_each,
    users_read_before_they_write,
    promises_are_kept,
)
