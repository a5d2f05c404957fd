"""Staleness, session guarantees and t-visibility against loops over the rows."""

from __future__ import annotations

from math import ceil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replsim.analysis import metrics
from replsim.analysis.reads import reads
from replsim.analysis.staleness import t_visibility
from replsim.units import NEVER
from tests.analysis.records import DURATION, MIXED, WARMUP, make_record, make_scenario, random_record


def _rank(values: list[int], permille: int) -> float:
    return sorted(values)[ceil(len(values) * permille / 1000) - 1] if values else float("nan")


def _share(flags: list[bool]) -> float:
    return sum(flags) / len(flags) if flags else float("nan")


@given(st.integers(0, 10**6))
@settings(derandomize=True, deadline=None, max_examples=30)
def test_stale_reads(seed: int) -> None:
    """Shares and percentiles are over the reads issued within the window: all, a reader's, a node's, a session's."""
    record = random_record(seed, MIXED)
    table, found = reads(record), metrics(record)
    rows = [{name: column[i].item() for name, column in table.items()} for i in range(len(table))]
    rows = [row for row in rows if WARMUP <= row["time"] < DURATION]
    for prefix, column, code in (
        ("", "reader", None),
        ("web.", "reader", 0),
        ("user.", "reader", 4),
        ("quorum.", "reader", 2),
        ("s2.", "node", 2),
    ):
        mine = [row for row in rows if code is None or row[column] == code]
        keyed = [row for row in mine if row["key"] >= 0]
        expected = {
            "reads.count": len(mine),
            "stale_reads.fraction": _share([row["versions"] > 0 for row in mine]),
            "stale_reads.versions.p99": _rank([row["versions"] for row in mine], 990),
            "stale_reads.age.p50": _rank([row["age"] for row in mine], 500) / 1e9,
            "stale_reads.age.max": max((row["age"] for row in mine), default=np.nan) / 1e9,
            "read_latency.p99": _rank([row["answered"] - row["time"] for row in mine], 990) / 1e9,
            "reads_ahead.fraction": _share([row["ahead"] for row in mine]),
            "stale_reads.by_key.fraction": _share([row["key_versions"] > 0 for row in keyed]),
            "stale_reads.by_key.versions.mean": np.mean([row["key_versions"] for row in keyed]) if keyed else np.nan,
            "stale_reads.by_key.age.p99": _rank([row["key_age"] for row in keyed], 990) / 1e9,
        }
        for name, value in expected.items():
            assert found[prefix + name] == pytest.approx(value, nan_ok=True), prefix + name
    assert found["p.stale_reads.fraction"] == 0


@given(st.integers(0, 10**6))
@settings(derandomize=True, deadline=None, max_examples=40)
def test_session_violations(seed: int) -> None:
    """A monotonic read sees no less than any earlier read of its user that was answered when it was issued."""
    record = random_record(seed, MIXED)
    table, found = reads(record), metrics(record)
    earlier: dict[int, list[tuple[int, int]]] = {}
    back, lost = [], []
    for i in range(len(table)):
        user, saw = int(table["session"][i]), int(table["saw"][i])
        if user < 0:
            continue
        if WARMUP <= table["time"][i] < DURATION:
            back.append(any(seen > saw for told, seen in earlier.get(user, []) if told <= table["time"][i]))
            lost.append(not table["own"][i])
        earlier.setdefault(user, []).append((int(table["answered"][i]), saw))
    for prefix in ("", "user."):
        assert found[f"{prefix}session_violations.monotonic_reads"] == pytest.approx(_share(back), nan_ok=True)
        assert found[f"{prefix}session_violations.read_your_writes"] == pytest.approx(_share(lost), nan_ok=True)


def test_sessions_of_two_groups_are_different_users() -> None:
    """User 0 of one group and user 0 of another do not spoil each other's monotonic reads."""
    law = {"count": 1, "think": "1ns", "network": "0ns", "read_after": "1ns"}
    scenario = make_scenario(sessions={"ahead": law | {"route": "s1"}, "behind": law | {"route": "s2"}})
    commits = {"writer": [2, 3], "client": [0, 0], "key": [0, 0], "inserted": [70, 80], "acknowledged": [75, 90]}
    found = metrics(make_record(scenario, commits, {"s2": {"apply": ([200], [200])}}))
    assert found["session_violations.monotonic_reads"] == 0
    assert found["behind.session_violations.read_your_writes"] == 1
    assert found["session_violations.read_your_writes"] == 0.5


@given(st.integers(0, 10**6), st.sampled_from(["acknowledged", "visible"]))
@settings(derandomize=True, deadline=None, max_examples=60)
def test_t_visibility(seed: int, since: str) -> None:
    """Without commits cut off by the run's end, the curve is the share of commits that a look after t sees."""
    record = random_record(seed, gap=20)
    log = record.commits.where(record.commits["lsn"] < NEVER)
    applied = record.position("s1", "apply").crossing(log["lsn"])
    inside = (log[since] >= WARMUP) & (log[since] < DURATION)
    delays = applied[inside] - log[since][inside]
    times, share = t_visibility(record, "s1", since=since)
    assert times[0] == 0
    assert np.all(np.diff(times) > 0)
    if np.any(applied[inside] == NEVER) or not inside.any():
        return
    for t in range(DURATION):
        at = share[np.flatnonzero(times * 1e9 <= t + 1e-6)[-1]]
        assert at == pytest.approx(np.mean([delay <= t for delay in delays]))
    family = "t_visibility" if since == "acknowledged" else "t_visibility_from_visible"
    needed = next(t for t in range(DURATION) if np.mean(delays <= t) >= 0.5)
    assert metrics(record)[f"s1.{family}.p50"] == pytest.approx(needed / 1e9)


def test_t_visibility_of_commits_cut_off_by_the_end() -> None:
    """A commit that was watched for a while without being seen counts for that while (a table worked by hand).

    Delays 10, 20, 40, and one watched for 30: P(t) is 1/4 from 10, 1/2 from 20 and, of the one still watched
    then, 1 from 40.
    """
    commits = {"inserted": [60, 61, 62, 63], "acknowledged": [100, 110, 120, 210]}
    applied = {"s1": {"apply": ([110, 130, 160], [100, 200, 300])}}
    record = make_record(make_scenario(), commits, applied | {"s2": {"apply": ([241], [1])}})
    times, share = t_visibility(record, "s1")
    assert np.rint(times * 1e9).tolist() == [0, 10, 20, 30, 40]
    assert share == pytest.approx([0, 0.25, 0.5, 0.5, 1])
    found = metrics(record)
    assert found["s1.t_visibility.p50"] == pytest.approx(20e-9)
    assert found["s1.t_visibility.p99"] == pytest.approx(40e-9)
    assert found["s2.t_visibility.p50"] == found["t_visibility.p50"] == np.inf


def test_synchronous_replay_is_visible_at_once() -> None:
    """What is applied before its acknowledgement is seen by every read after it: t is 0, and never below."""
    commits = {"inserted": [60, 80], "acknowledged": [100, 110], "visible": [95, 108]}
    record = make_record(make_scenario(), commits)
    assert t_visibility(record, "s1")[1].tolist() == [1.0]
    assert metrics(record)["t_visibility.p999"] == 0.0
