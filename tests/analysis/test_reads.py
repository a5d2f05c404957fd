"""What reads saw and should have seen, against a look at every pair of a read and a commit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replsim.analysis import metrics
from replsim.analysis.reads import reads
from replsim.analysis.sightings import count_by
from replsim.randomness import Streams
from replsim.randomness.arrivals import arrivals
from replsim.randomness.keys import KeyDraws
from replsim.record import Record
from replsim.scenario.topology import client_ways
from replsim.units import NEVER
from tests.analysis.records import DURATION, MIXED, RATE, make_record, make_scenario, random_record


def _newest(log: Any, rows: list[int]) -> int:
    return int(log["lsn"][rows[-1]]) if rows else 0


def _expected(record: Record, row: dict[str, Any]) -> dict[str, Any]:
    """The judgement of one read, by looking at every commit."""
    log = record.commits.where(record.commits["lsn"] < NEVER)
    numbers = range(len(log))
    node = record.scenario.nodes[row["node"]]
    if node == "p":
        sees = [i for i in numbers if log["visible"][i] <= row["arrived"]]
    else:
        sees = [i for i in numbers if log["lsn"][i] <= record.position(node, "apply").at(row["arrived"])]
    told = [i for i in numbers if log["acknowledged"][i] <= row["time"]]
    newest = sees[-1] if sees else -1
    found = {"saw": _newest(log, sees)}
    for prefix, known in (("", told), ("key_", [i for i in told if log["key"][i] == row["key"] >= 0])):
        missed = [i for i in known if i not in sees]
        to_row = [i for i in numbers if not prefix or log["key"][i] == row["key"]]
        between = [i for i in to_row if known and newest < i <= known[-1]]
        assert bool(missed) == bool(between)
        found[f"{prefix}should"] = _newest(log, known)
        found[f"{prefix}versions"] = len(between)
        found[f"{prefix}age"] = row["time"] - min(log["acknowledged"][i] for i in missed) if missed else 0
    found["ahead"] = any(log["acknowledged"][i] > row["arrived"] for i in sees)
    if row["session"] >= 0:
        group = record.commits.words["writer"].index("user")
        own = [i for i in told if log["writer"][i] == group and log["client"][i] == row["session"]]
        found["own"] = not own or own[-1] in sees
    else:
        found["own"] = True
    return found


@given(st.integers(0, 10**6))
@settings(derandomize=True, deadline=None, max_examples=40)
def test_every_read(seed: int) -> None:
    """Each read's judgement is what looking at every commit gives: on standbys and the primary, by row and by log."""
    record = random_record(seed, MIXED)
    table = reads(record)
    assert np.all(np.diff(table["time"]) >= 0)
    for i in range(len(table)):
        row = {name: column[i] for name, column in table.items()}
        expected = _expected(record, row)
        assert {name: row[name] for name in expected} == expected


def test_readers_follow_their_streams() -> None:
    """A reader's times, keys, nodes and network are the draws of its own streams, one a read."""
    record = random_record(3, MIXED)
    table = reads(record)
    web = table.where(table["reader"] == 0)
    reader = MIXED.readers["web"]
    streams = Streams(record.seed)
    assert np.array_equal(web["time"], arrivals(streams, "reader:web:arrivals", reader, DURATION))
    assert reader.keys is not None
    assert np.array_equal(web["key"], KeyDraws(streams.uniforms("reader:web:keys"), reader.keys).block(len(web)))
    place = (streams.uniforms("reader:web:route").block(len(web)) * 3).astype(int)
    assert [table.words["node"][code] for code in web["node"]] == [("s1", "p", "s2")[i] for i in place]
    assert reader.network is not None
    assert np.array_equal(
        web["arrived"] - web["time"], streams.draws("reader:web:network", reader.network).block(len(web))
    )
    back = streams.draws("reader:web:network_back", reader.network).block(len(web))
    assert np.array_equal(web["answered"] - web["arrived"], back)
    assert set(table.where(table["reader"] == 1)["key"].tolist()) == {-1}


def test_a_quorum_takes_the_newest_of_the_first_answers() -> None:
    """Each read of a quorum asks every node, each over its own way, and is what counting the answers gives."""
    record = random_record(5, MIXED, most=30)
    table = reads(record)
    mine = table.where(table["reader"] == 2)
    assert table.words["reader"][2] == "quorum"
    assert len(mine) > 20
    reader, streams = MIXED.readers["quorum"], Streams(record.seed)
    ways = {}
    for node in ("s2", "p", "s1"):
        way = client_ways(MIXED, reader, node)
        ways[node] = [
            streams.draws(f"reader:quorum:{word}:{node}", law).block(len(mine)).tolist()
            for word, law in (("network", way.out), ("network_back", way.back))
        ]
    newest = 0
    for i, time in enumerate(mine["time"].tolist()):
        looks = {node: time + there[i] for node, (there, _) in ways.items()}
        order = sorted(looks, key=lambda node: (looks[node] + ways[node][1][i], ["s2", "p", "s1"].index(node)))[:2]
        saws = {node: _expected(record, {"time": time, "arrived": looks[node], "session": -1, "key": -1, "node":
                MIXED.nodes.index(node)})["saw"] for node in order}  # fmt: skip
        taken = max(order, key=saws.__getitem__)
        row = {name: int(column[i]) for name, column in mine.items()}
        assert (row["saw"], table.words["node"][row["node"]], row["arrived"]) == (saws[taken], taken, looks[taken])
        assert row["answered"] == looks[order[1]] + ways[order[1]][1][i]
        newest += taken != order[0]
    assert newest


def test_session_reads() -> None:
    """After its acknowledgement a write's reads follow one another, each a pause after the answer before it.

    User 1 writes twice and user 0 once; the last write is never acknowledged and has no reads.  A user's nth
    write takes its own draws, whatever the other users do.
    """
    scenario = make_scenario(
        sessions={
            "user": {
                "count": 2,
                "think": "1ns",
                "reads": 2,
                "read_after": {"uniform": {"low": "0ns", "high": "9ns"}},
                "route": "s1",
                "network": "3ns",
            }
        },
        duration="500ns",
    )
    commits = {
        "writer": [2, 2, 0, 2],
        "client": [1, 0, -1, 1],
        "key": [1, 0, 7, 1],
        "inserted": [60, 61, 62, 150],
        "submitted": [50, 51, 52, 140],
        "acknowledged": [70, 90, 80, NEVER],
    }
    table = reads(make_record(scenario, commits))
    after = Streams(1).draws("session:user:read_after", scenario.sessions["user"].read_after).block(4)
    expected = []
    for user, told, draws in ((0, 90, after[:2]), (1, 70, after[2:])):
        at = told
        for pause in draws.tolist():
            expected.append((at + pause, user, user))
            at += pause + 6
    rows = zip(table["time"].tolist(), table["session"].tolist(), table["key"].tolist(), strict=True)
    assert sorted(expected) == list(rows)
    assert np.all(table["answered"] - table["time"] == 6)
    assert table["own"].all()


def test_no_reads_are_issued_after_the_end() -> None:
    """A session's read that would come after the run's end is not there; one that is answered after it is."""
    scenario = make_scenario(
        sessions={
            "user": {"count": 1, "think": "1ns", "reads": 3, "read_after": "40ns", "route": "s1", "network": "30ns"}
        }
    )
    record = make_record(scenario, {"writer": [2], "client": [0], "key": [0], "inserted": [50], "acknowledged": [60]})
    table = reads(record)
    assert table["time"].tolist() == [100, 200]
    assert table["answered"].tolist() == [160, 260]
    late = make_record(scenario, {"writer": [2], "client": [0], "key": [0], "inserted": [50], "acknowledged": [199]})
    assert reads(late)["time"].tolist() == [239]
    assert reads(late)["arrived"].tolist() == [269]


def test_an_open_loops_writes_keep_the_order_in_which_they_were_submitted() -> None:
    """A user's second write may reach the log before its first; each keeps its own draws all the same."""
    law = {"count": 1, "write_every": "1ns", "read_after": {"uniform": {"low": "0ns", "high": "50ns"}}, "route": "s1"}
    scenario = make_scenario(sessions={"user": law})
    commits = {
        "writer": [2, 2],
        "client": [0, 0],
        "key": [0, 0],
        "inserted": [60, 70],
        "submitted": [55, 50],
        "acknowledged": [100, 170],
    }
    first, second = Streams(1).draws("session:user:read_after", scenario.sessions["user"].read_after).block(2).tolist()
    assert reads(make_record(scenario, commits))["time"].tolist() == [100 + second, 170 + first]


@pytest.mark.parametrize(("network", "saw", "should", "ahead"), [(0, 0, 100, 0), (1, 100, 100, 0), (2, 200, 100, 1)])
def test_what_happens_at_the_moment_of_a_read(network: int, saw: int, should: int, ahead: int) -> None:
    """A look sees what is applied at that very moment, and knows of what is acknowledged at that very moment.

    The read is issued at 100, when commit 1 is acknowledged; it is applied at 101, and commit 2, acknowledged
    at 103, is applied at 102.
    """
    reader = {"rate": "10000000/s", "arrivals": "deterministic", "route": "s1", "network": f"{network}ns"}
    record = make_record(
        make_scenario(readers={"web": reader}),
        {"inserted": [60, 70], "acknowledged": [100, 103]},
        {"s1": {"apply": ([101, 102], [100, 200])}},
    )
    row = {name: column[0] for name, column in reads(record).items()}
    assert (row["time"], row["arrived"]) == (100, 100 + network)
    assert (row["saw"], row["should"], row["versions"], row["ahead"]) == (saw, should, int(saw == 0), ahead)
    told = {"inserted": [60, 70], "acknowledged": [100, 102]}
    together = make_record(make_scenario(readers={"web": reader}), told, {"s1": {"apply": ([101, 102], [100, 200])}})
    assert not reads(together)["ahead"][0]


def test_without_readers_there_is_a_table_without_rows() -> None:
    """A scenario without readers has a table of reads with all its columns and no rows, and no metrics of reads."""
    record = random_record(1)
    assert len(reads(record)) == 0
    assert "key_age" in reads(record)
    assert not [name for name in metrics(record) if "stale" in name]


@given(st.lists(st.integers(0, 30), max_size=20), st.lists(st.integers(-1, 31), max_size=60), st.booleans())
@settings(derandomize=True, deadline=None)
def test_count_by(times: list[int], moments: list[int], in_order: bool) -> None:
    """Counting by a merge and by binary search is counting."""
    moments = sorted(moments) if in_order else moments
    counted = count_by(np.array(sorted(times), dtype=np.int64), np.array(moments, dtype=np.int64))
    assert counted.tolist() == [sum(time <= moment for time in times) for moment in moments]


def test_rows_far_apart_are_found() -> None:
    """Keys too large for a table of all of them are found as small ones are."""
    fields = {"inserted": [60, 61, 62], "acknowledged": [70, 71, 72]}
    reader = {"rate": RATE, "keys": {"count": 2}, "route": "s1"}
    late = {"s1": {"apply": ([220], [300])}}
    record = make_record(make_scenario(readers={"web": reader}), fields | {"key": [0, 1, 0]}, late)
    far = make_record(make_scenario(readers={"web": reader}), fields | {"key": [0, 1, 90_000_000]}, late)
    table, distant = reads(record), reads(far)
    assert np.array_equal(distant["key_versions"] > 0, table["key_versions"] > 0)
    late_reads = (table["key"] == 0) & (table["time"] >= 72) & (table["time"] < 220)
    assert late_reads.any()
    assert set(table["key_versions"][late_reads].tolist()) == {2}
    assert set(distant["key_versions"][late_reads].tolist()) == {1}
