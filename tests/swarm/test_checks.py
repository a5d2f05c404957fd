"""Each invariant can be broken: a sound record is corrupted, and the check that is meant to see it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

import replsim
from replsim.analysis.checks import CHECKS, unchecked, violations
from replsim.record import Record, Replies, Table, Trajectory
from replsim.units import NEVER

SCENARIO = """
name: sound
duration: 200ms
primary: {synchronous_standby_names: FIRST 1 (s1)}
standbys:
  s1: {}
  s2: {replay: {per_record: 3ms}}
  s3: {read_capacity: {servers: 2, service: 2ms}}
links: {p -> s1: {latency: 1ms}, p -> s2: {latency: 2ms}, p -> s3: {latency: 1ms}}
writers:
  app: {rate: 300/s, connections: 3}
  loop: {clients: 2, think: 5ms}
readers:
  web: {rate: 1000/s, route: s2}
  api: {rate: 900/s, route: s3}
sessions:
  mind: {count: 3, think: 5ms, reads: 2, route: s1, guarantee: read_your_writes, by: another}
  user: {count: 5, write_every: 20ms, reads: 3, read_after: 2ms, route: s2, guarantee: causal, by: wait, timeout: 30ms}
"""

FAILOVER = """
name: sound failover
duration: 300ms
primary: {synchronous_standby_names: "ANY 1 (s1, s2)"}
standbys: {s1: {}, s2: {}}
links: {p -> s1: {latency: 1ms}, p -> s2: {latency: 2ms}, s1 -> s2: {latency: 2ms}}
writers: {app: {rate: 1000/s}}
failover: {manager: quorum, heartbeat: 2ms, election_timeout: 8ms, promotion: 1ms, routing: 5ms}
faults: [{at: 100ms, crash: p}]
"""


RETENTION = """
name: sound retention
duration: 300ms
primary: {checkpoints: {every: 30ms}, wal_segment_size: 1 MiB, wal_writer_delay: 5ms}
standbys: {s1: {slot: true}}
links: {p -> s1: {latency: 1ms}}
background: {wal: 100 MB/s, record: 8 kB}
faults: [{at: 250ms, crash: s1}]
"""


@cache
def sound() -> Record:
    """A record in which nothing is wrong."""
    return replsim.run(replsim.loads(SCENARIO)).record


@cache
def sound_failover() -> Record:
    """The record of a failover in which nothing is wrong."""
    return replsim.run(replsim.loads(FAILOVER)).record


@cache
def sound_retention() -> Record:
    """The record of a run that keeps and removes WAL, in which nothing is wrong."""
    return replsim.run(replsim.loads(RETENTION)).record


def with_kept(files: int, more: int = 0) -> Record:
    """A record whose primary has removed so many files more, and some bytes."""
    record = sound_retention()
    kept = record.position("p", "kept")
    wrong = Trajectory(kept.time, kept.lsn + files * 2**20 + more)
    return replace(record, positions={**record.positions, "p": {**record.positions["p"], "kept": wrong}})


def with_branches(record: Record, *, fork: int) -> Record:
    """A record whose last branch forks elsewhere, by so many bytes."""
    *before, last = record.branches
    return replace(record, branches=(*before, replace(last, fork=last.fork + fork)))


def with_commits(**changes: Callable[[Table], Any]) -> Record:
    """The sound record with columns of its commits replaced."""
    record = sound()
    table = record.commits
    columns = {name: column.copy() for name, column in table.items()} | {
        name: change(table) for name, change in changes.items()
    }
    return replace(record, commits=Table(columns, times=table.times, words=table.words))


def with_position(node: str, stage: str, change: Callable[[Trajectory], Trajectory]) -> Record:
    """The sound record with one position replaced."""
    record = sound()
    stages = dict(record.positions[node])
    stages[stage] = change(stages[stage])
    return replace(record, positions={**record.positions, node: stages})


def with_replies(change: Callable[[Replies], Replies]) -> Record:
    """The sound record with other replies of the synchronous standby."""
    record = sound()
    return replace(record, replies={**record.replies, "s1": change(record.replies["s1"])})


def earlier(by: int) -> Callable[[Trajectory], Trajectory]:
    """A position that is reached so many nanoseconds earlier."""
    return lambda steps: Trajectory(np.maximum(steps.time - by, np.arange(len(steps))), steps.lsn)


def one_less(column: str, row: int = 20) -> Callable[[Table], Any]:
    """A column with one value smaller by a second."""

    def change(table: Table) -> Any:
        values = table[column].copy()
        values[row] -= 10**9
        return values

    return change


def first_of(writer: str) -> int:
    """The row of a writer's first commit."""
    table = sound().commits
    return int(np.flatnonzero(table["writer"] == table.words["writer"].index(writer))[0])


def swapped(column: str) -> Callable[[Table], Any]:
    """A column with two neighbours exchanged."""

    def change(table: Table) -> Any:
        values = table[column].copy()
        values[[20, 21]] = values[[21, 20]]
        return values

    return change


def never_visible_late(table: Table) -> Any:
    """Commits that are visible as soon as they are flushed, whatever their level."""
    return np.where(table["flushed"] < NEVER, table["flushed"], table["visible"])


def backwards(steps: Trajectory) -> Trajectory:
    """A position that falls."""
    lsn = steps.lsn.copy()
    lsn[5] = lsn[3]
    return Trajectory(steps.time, lsn)


CORRUPT: dict[str, Callable[[], Record]] = {
    "positions_only_rise": lambda: with_position("s1", "apply", backwards),
    "stages_follow_each_other": lambda: with_position("s2", "apply", earlier(10**7)),
    "flushes_take_turns": lambda: replace(
        sound(), flush_starts={node: starts + 10**6 for node, starts in sound().flush_starts.items()}
    ),
    "replies_are_true": lambda: with_replies(
        lambda said: Replies(np.maximum(said.time - 10**7, 0), said.write, said.flush, said.apply)
    ),
    "steps_come_in_order": lambda: with_commits(started=one_less("started")),
    "the_log_is_one_stream": lambda: with_commits(lsn=swapped("lsn")),
    "nobody_gets_lost": lambda: replace(
        sound(), commits=sound().commits.where(np.arange(len(sound().commits)) != first_of("app"))
    ),
    "pools_are_kept": lambda: with_commits(started=lambda table: np.minimum(table["started"], 10**6)),
    "flushed_before_acknowledged": lambda: with_commits(visible=lambda table: table["inserted"]),
    "the_rule_held": lambda: with_commits(visible=never_visible_late),
    "branches_begin_with_what_was_flushed": lambda: with_branches(sound_failover(), fork=-100),
    "no_acknowledged_commit_is_lost": lambda: with_branches(sound_failover(), fork=-10_000),
    "what_is_kept_ends_with_a_file": lambda: with_kept(0, more=1),
    "nothing_is_sent_that_is_gone": lambda: with_kept(20),
    "enough_have_it": lambda: with_position("s1", "flush", lambda steps: Trajectory(steps.time + 10**8, steps.lsn)),
}
"""What breaks each invariant, by the check that sees it; those of reads have tests of their own."""


def seen_by(record: Record) -> set[str]:
    """The checks that find something wrong with a record."""
    return {found.partition(":")[0] for found in violations(record)}


def test_a_sound_record_breaks_nothing() -> None:
    """On what the engine wrote, no check finds anything."""
    assert violations(sound()) == []
    assert violations(sound_failover()) == []
    assert violations(sound_retention()) == []
    assert len(sound_retention().position("p", "kept")) > 3
    assert len(sound_failover().branches) == 2


def test_what_is_not_checked_is_said() -> None:
    """Nothing is excluded without fencing."""
    failover = replsim.loads(FAILOVER)
    unfenced = failover.changed(failover={**failover.failover.model_dump(exclude_unset=True), "fencing": False})
    said = [each.partition(":")[0] for each in unchecked(replsim.run(unfenced).record)]
    assert unchecked(sound()) == unchecked(sound_failover()) == []
    assert said == ["no_acknowledged_commit_is_lost"]


@pytest.mark.parametrize("check", CORRUPT)
def test_a_corrupt_record_is_found_out(check: str) -> None:
    """Each check sees the record in which its invariant is broken."""
    assert check in seen_by(CORRUPT[check]())


@pytest.mark.parametrize(
    ("check", "column", "change"),
    [
        ("reads_take_their_time", "arrived", lambda column, _: column - 10**9),
        ("reads_take_their_time", "tries", lambda column, _: column + 1),
        ("reads_take_their_time", "waited", lambda column, _: column + 10**9),
        ("reads_see_what_is_there", "saw", lambda column, _: np.maximum.accumulate(column + 1)),
        ("users_read_before_they_write", "answered", lambda column, _: column + 10**8),
        ("servers_serve_one_read_each", "served", lambda column, _: column + 10**8),
        ("promises_are_kept", "saw", lambda column, table: np.where(table["session"] >= 0, 0, column)),
        ("promises_are_kept", "kept", lambda column, _: ~column),
    ],
)
def test_a_corrupt_table_of_reads_is_found_out(
    check: str, column: str, change: Callable[[Any, Table], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each check of reads sees the table in which its invariant is broken."""
    table = replsim.analysis.reads.reads(sound())
    wrong = {name: values.copy() for name, values in table.items()} | {column: change(table[column], table)}
    corrupt = Table(wrong, times=table.times, words=table.words)
    monkeypatch.setattr("replsim.analysis.checks.reads.reads", lambda _: corrupt)
    assert check in seen_by(sound())


def test_every_check_is_broken_by_something() -> None:
    """There is no check that nothing above corrupts."""
    of_reads = {"reads_take_their_time", "reads_see_what_is_there", "servers_serve_one_read_each"}
    broken = {*CORRUPT, *of_reads, "users_read_before_they_write", "promises_are_kept"}
    assert broken == {check.__name__ for check in CHECKS}


def test_work_starts_in_the_order_in_which_it_came() -> None:
    """A later answer that is quicker on its way does not let a later transaction overtake an earlier one.

    The flush is often shorter than the wake-up of those whom the flush before it covered, and the pool is dry: without
    this order the log was not in the order of time.
    """
    text = """
name: dry pool
duration: 300ms
wakeup: 100us
primary: {wal_device: {flush: {exponential: {mean: 60us}}, write: 0s}}
writers:
  app: {rate: 20000/s, connections: 4, network: {uniform: {low: 0s, high: 0.5ms}}}
  loop: {rate: 20000/s, connections: 2}
"""
    record = replsim.run(replsim.loads(text)).record
    assert violations(record) == []
    for code in range(2):
        mine = np.flatnonzero((record.commits["writer"] == code) & (record.commits["started"] < NEVER))
        order = np.argsort(record.commits["submitted"][mine], kind="stable")
        assert np.all(np.diff(record.commits["started"][mine][order]) >= 0)
