"""What must hold in every run, checked from outside: from the record alone, with rules too dumb to be wrong."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from hypothesis import HealthCheck, given, settings

from replsim.engines.events import run
from replsim.randomness import Streams
from replsim.randomness.arrivals import arrivals
from replsim.record import Record
from replsim.rules.acks import REMOTE_LEVELS, SyncRule
from replsim.scenario import Scenario
from replsim.units import NEVER
from tests.properties.clusters import clusters

STANDBY = ("sent", "receive", "write", "flush", "apply")
Check = Callable[[Record], None]


def in_every_run(check: Check) -> Callable[[], None]:
    """Turn a check of one record into a test of some dozens of random clusters."""

    @settings(max_examples=30, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(clusters())
    def of(scenario: Scenario) -> None:
        check(run(scenario, scenario.seed))

    def test() -> None:
        of()

    test.__doc__ = check.__doc__
    test.__name__ = check.__name__
    return test


def inserted_rows(record: Record) -> list[dict[str, int]]:
    """The commits that reached the log, in its order, as dictionaries."""
    table = record.commits
    rows = [dict(zip(table, values, strict=True)) for values in zip(*(table[c].tolist() for c in table), strict=True)]
    return [row for row in rows if row["lsn"] != NEVER]


@in_every_run
def test_positions_follow_each_other(record: Record) -> None:
    """At every time apply <= flush <= write <= receive <= sent <= the upstream's flush, and flush <= insert."""
    scenario = record.scenario
    moments = np.unique(np.concatenate([t.time for stages in record.positions.values() for t in stages.values()]))
    chain = [record.position("p", "insert"), record.position("p", "flush")]
    chains = [chain]
    for name in scenario.standbys:
        upstream = record.position(scenario.upstream(name), "flush")
        chains.append([upstream, *(record.position(name, stage) for stage in STANDBY)])
    for one in chains:
        for ahead, behind in pairwise(one):
            assert (behind.at(moments) <= ahead.at(moments)).all()
            assert (np.diff(behind.time) > 0).all()
            assert (np.diff(behind.lsn) > 0).all()


@in_every_run
def test_only_flushed_wal_is_shipped(record: Record) -> None:
    """What is sent at a time had been flushed by its upstream a wake-up earlier."""
    for name in record.scenario.standbys:
        sent = record.position(name, "sent")
        flushed = record.position(record.scenario.upstream(name), "flush")
        assert (sent.lsn <= flushed.at(sent.time - record.scenario.wakeup)).all()


@in_every_run
def test_a_flush_takes_what_was_inserted_before_it_began(record: Record) -> None:
    """Flushes of one device never overlap, and none covers WAL that came after its start."""
    for node in record.scenario.nodes:
        flush = record.position(node, "flush")
        before = record.position(node, "insert" if node == "p" else "write")
        starts = record.flush_starts[node][: len(flush)]
        assert (starts <= flush.time).all()
        assert (starts[1:] >= flush.time[:-1]).all()
        assert (flush.lsn <= before.at(starts)).all()
    # The insert position is recorded at each flush's start as well, so it cannot testify: the commits can.
    flush, starts = record.position("p", "flush"), record.flush_starts["p"]
    for row in inserted_rows(record):
        if row["flushed"] != NEVER:
            assert row["inserted"] <= starts[int(np.searchsorted(flush.time, row["flushed"]))]


@in_every_run
def test_a_commit_is_released_when_the_reported_positions_say_so(record: Record) -> None:
    """A commit at a remote level is visible one wake-up after the first moment at which enough had reported it."""
    rule = SyncRule.parse(record.scenario.primary.synchronous_standby_names)
    levels = record.commits.words["level"]
    for row in inserted_rows(record):
        level = levels[row["level"]]
        if level in REMOTE_LEVELS and rule.count:
            held = first_moment(
                record, rule, {"remote_write": "write", "on": "flush", "remote_apply": "apply"}[level], row
            )
            assert row["visible"] == (held if held == NEVER else at_most(record, held + record.scenario.wakeup))


def first_moment(record: Record, rule: SyncRule, said: str, row: dict[str, int]) -> int:
    """When the rule first held for a commit: try every reply in order, and count."""
    direct = [name for name in record.scenario.standbys if record.scenario.standbys[name].upstream is None]
    wanted = [name for name in rule.names if name != "*"] or direct
    told: dict[str, list[int]] = {}
    for name in wanted:
        replies = record.replies[name]
        has = getattr(replies, said) >= row["lsn"]
        told[name] = replies.time[has].tolist()
    for moment in sorted({time for times in told.values() for time in times}):
        has_it = [name for name in wanted if any(time <= moment for time in told[name])]
        enough = len(has_it) >= rule.count
        if rule.method == "FIRST":
            enough = len(wanted) >= rule.count and all(name in has_it for name in wanted[: rule.count])
        if enough:
            return moment
    return NEVER


def at_most(record: Record, time: int) -> int:
    """What comes after the run's end did not happen in it."""
    return time if time <= record.scenario.duration else NEVER


@in_every_run
def test_whoever_waits_for_no_standby_goes_on_at_once(record: Record) -> None:
    """Level off is visible when inserted; local, or any without a rule, with its flush or a wake-up later."""
    rule = SyncRule.parse(record.scenario.primary.synchronous_standby_names)
    levels = record.commits.words["level"]
    leaders: dict[int, int] = {}
    for row in inserted_rows(record):
        level = levels[row["level"]]
        if level != "off":
            leaders.setdefault(row["flushed"], row["lsn"])
        if level == "off":
            assert row["visible"] == row["inserted"]
        elif (level == "local" or not rule.count) and row["flushed"] != NEVER:
            woken = 0 if leaders[row["flushed"]] == row["lsn"] else record.scenario.wakeup
            assert row["visible"] == at_most(record, row["flushed"] + woken)


@in_every_run
def test_nothing_is_reported_that_is_not_true(record: Record) -> None:
    """A reply never says more than what is true when it is processed, never less than the one before, in order."""
    for name in record.scenario.standbys:
        replies = record.replies[name]
        assert (np.diff(replies.time) >= 0).all()
        assert (replies.apply <= replies.flush).all()
        assert (replies.flush <= replies.write).all()
        for stage in ("write", "flush", "apply"):
            reported = getattr(replies, stage)
            assert (np.diff(reported) >= 0).all()
            assert (reported <= record.position(name, stage).at(replies.time)).all()


@in_every_run
def test_the_commits_partition_the_log(record: Record) -> None:
    """Commits stand in the log in the order of time, each behind its own bytes, which nobody shares."""
    rows = inserted_rows(record)
    times = [row["inserted"] for row in rows]
    assert times == sorted(times)
    streamed = any(writer.chunk for writer in record.scenario.writers.values())
    for before, row in pairwise([{"lsn": 0}, *rows]):
        gap = row["lsn"] - before["lsn"]
        background = record.scenario.background
        if not streamed:
            assert gap >= row["bytes"]
            assert (gap - row["bytes"]) % (background.record if background else NEVER) == 0
        assert gap > 0
    if streamed and record.scenario.background is None and rows:
        assert rows[-1]["lsn"] >= sum(row["bytes"] for row in rows)


@in_every_run
def test_every_arrival_is_in_the_table_once(record: Record) -> None:
    """What was submitted in the run is there exactly once, whatever became of it."""
    scenario, table = record.scenario, record.commits
    for code, (name, writer) in enumerate(scenario.writers.items()):
        if writer.clients is None:
            due = arrivals(Streams(record.seed), f"writer:{name}:arrivals", writer, scenario.duration)
            assert sorted(table["submitted"][table["writer"] == code].tolist()) == due.tolist()


@in_every_run
def test_steps_of_a_commit_come_in_order(record: Record) -> None:
    """Submitted, started, inserted, visible, acknowledged, learned: each no earlier than the one before."""
    table = record.commits
    for before, after in pairwise(("submitted", "started", "inserted", "visible", "acknowledged")):
        assert (table[before] <= table[after]).all()
    assert (table["inserted"] <= table["flushed"]).all()
    assert (table["visible"] <= table["learned"]).all()
    for code, writer in enumerate(record.scenario.writers.values()):
        if writer.network is None or writer.network.constant is not None:
            mine = table["writer"] == code
            assert (table["acknowledged"][mine] <= table["learned"][mine]).all()


@in_every_run
def test_connections_never_exceed_the_pool(record: Record) -> None:
    """Between a transaction's start and its answer it holds a connection, and there are only so many."""
    table = record.commits
    for code, writer in enumerate(record.scenario.writers.values()):
        if writer.clients is None:
            mine = table["writer"] == code
            assert most_at_once(table["started"][mine], table["learned"][mine]) <= writer.connections
            free = {*table["submitted"][mine].tolist(), *table["learned"][mine].tolist(), NEVER}
            assert free.issuperset(table["started"][mine].tolist()), "a connection was free, and nobody took it"


@in_every_run
def test_clients_keep_to_what_they_may_have_in_flight(record: Record) -> None:
    """A closed-loop client never has more than ``in_flight`` commits whose outcome it does not know."""
    table = record.commits
    for code, writer in enumerate(record.scenario.writers.values()):
        for client in range(writer.clients or 0):
            mine = (table["writer"] == code) & (table["client"] == client)
            assert most_at_once(table["submitted"][mine], table["learned"][mine]) <= writer.in_flight


def most_at_once(begins: np.ndarray, ends: np.ndarray) -> int:
    """How many of the intervals ``[begin, end)`` overlap at most; those that never begin do not count."""
    real = [(int(a), int(b)) for a, b in zip(begins, ends, strict=True) if a != NEVER and a < b]
    return max((sum(a <= moment < b for a, b in real) for moment, _ in real), default=0)


@in_every_run
def test_a_row_lock_has_one_owner(record: Record) -> None:
    """From before its execution until it is visible a transaction alone has its row's lock."""
    owners: dict[int, list[tuple[int, int]]] = {}
    writers = list(record.scenario.writers.values())
    for row in inserted_rows(record):
        writer = writers[row["writer"]]
        if writer.keys is not None and writer.keys.lock:
            assert writer.execution.constant is not None
            owners.setdefault(row["key"], []).append((row["inserted"] - writer.execution.constant, row["visible"]))
    for held in owners.values():
        for (_, released), (taken, _) in pairwise(sorted(held)):
            assert released <= taken


@in_every_run
def test_replay_takes_its_time(record: Record) -> None:
    """No commit is replayed before the standby has flushed it, its delay is over, and its records have been paid."""
    for name, standby in record.scenario.standbys.items():
        apply, flush = record.position(name, "apply"), record.position(name, "flush")
        per_record = standby.replay.per_record.constant or 0
        last = 0
        for row in inserted_rows(record):
            records = list(record.scenario.writers.values())[row["writer"]].records
            at = int(apply.crossing(row["lsn"]))
            if at != NEVER:
                assert at >= int(flush.crossing(row["lsn"])) + per_record
                assert at >= row["inserted"] + standby.recovery_min_apply_delay
                assert at >= last + records * per_record
                last = at


def test_a_wrong_record_fails() -> None:
    """The checks bite: commits at level on that went by the write positions would be found out, each of them."""
    scenario = Scenario.model_validate(
        {
            "name": "wrong",
            "duration": "25ms",
            "primary": {"synchronous_standby_names": "s1"},
            "standbys": {"s1": {}},
            "links": {"p -> s1": {"latency": "1ms"}},
            "writers": {"app": {"rate": "500/s"}},
        }
    )
    record = run(scenario, 1)
    rule = SyncRule.parse("s1")
    rows = [row for row in inserted_rows(record) if row["visible"] != NEVER]
    assert rows
    assert all(first_moment(record, rule, "flush", row) + scenario.wakeup == row["visible"] for row in rows)
    assert all(first_moment(record, rule, "write", row) + scenario.wakeup < row["visible"] for row in rows)
