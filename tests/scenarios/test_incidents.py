"""The incidents among the shipped scenarios: what each loses, and what would have prevented it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import replsim
from replsim.units import SECOND

FAILURES = Path(__file__).parents[2] / "scenarios" / "failures"


@cache
def shipped(name: str) -> replsim.Result:
    """One run of an incident as it is shipped, shared by the tests of this file."""
    return replsim.run(FAILURES / f"{name}.yaml")


def otherwise(name: str, *, seed: int | None = None, **changes: Any) -> replsim.Result:
    """A run of an incident with some of it changed."""
    scenario = replsim.load(FAILURES / f"{name}.yaml").changed(expect=[], **changes)
    return replsim.run(scenario) if seed is None else replsim.run(scenario, seed=seed)


def when(result: replsim.Result, what: str, node: str) -> float:
    """The second at which something happened to a node, once."""
    events = result.record.events
    word, name = events.words["what"].index(what), events.words["node"].index(node)
    (time,) = events["time"][(events["what"] == word) & (events["node"] == name)]
    return float(time) / SECOND


def test_a_stall_loses_what_was_acknowledged_meanwhile() -> None:
    """Half a second of 2,000/s is 1,000 commits, within four deviations; without the stall, a way of 1 ms is lost."""
    assert shipped("receiver-stall").metrics["lost_commits"] == pytest.approx(1000, abs=4 * 1000**0.5)
    crash_alone = otherwise("receiver-stall", faults=[{"at": "5s", "crash": "p"}])
    assert crash_alone.metrics["lost_commits"] < 20


def test_any_1_outlives_one_crash_if_who_has_most_is_taken() -> None:
    """Over many seeds an election loses nothing; to promote one of the two whatever it has does lose commits."""
    fixed = {"manager": "manual", "at": "20s", "promote": "s2"}
    seeds = range(4)
    assert [otherwise("any-1-one-crash", seed=seed).metrics["lost_commits"] for seed in seeds] == [0] * 4
    lost = [otherwise("any-1-one-crash", seed=seed, failover=fixed).metrics["lost_commits"] for seed in seeds]
    assert sum(lost) > 0


def test_what_two_crashes_lose_was_confirmed_by_the_one_that_died() -> None:
    """The commits that are lost had been flushed by s1 before it died, and had not reached s2."""
    result = shipped("any-1-two-crashes")
    crash, commits = 10 * SECOND, result.commits
    told = commits["lsn"][commits["acknowledged"] <= crash]
    reached = result.position("s2", "receive").lsn[result.position("s2", "receive").time < 20 * SECOND].max()
    lost = told[told > reached]
    assert len(lost) == result.metrics["lost_commits"] > 0
    assert np.all(lost <= result.position("s1", "flush").at(crash))


@pytest.mark.parametrize("timeout", [5, 8])
def test_a_silent_partition_holds_commits_for_the_timeout(timeout: int) -> None:
    """The longest wait is wal_sender_timeout, less the time since the standby was last heard of."""
    found = otherwise("silent-partition", primary={
        "synchronous_standby_names": "FIRST 1 (s1, s2)", "wal_sender_timeout": f"{timeout}s", "max_connections": 1100,
    })  # fmt: skip
    assert timeout - 0.5 < found.metrics["commit_latency.max"] < timeout + 0.5


def test_a_reset_holds_commits_for_a_moment_only() -> None:
    """Told of the cut at once, the primary counts the next standby at once."""
    reset = [{"at": "12s", "for": "15s", "cut": "p -> s1", "how": "reset"}]
    assert otherwise("silent-partition", faults=reset).metrics["commit_latency.max"] < 0.1


def test_a_cut_between_coasts_strands_what_one_coast_wrote() -> None:
    """All that the east acknowledged until it was led away is lost, 22/s; the west's own commits stand."""
    runs = [otherwise("coast-to-coast", seed=seed) for seed in range(10)]
    lost = [run.metrics["lost_commits"] for run in runs]
    expected = sum(22 * (when(run, "serves the clients", "west1") - 20) for run in runs)
    assert sum(lost) == pytest.approx(expected, abs=4 * expected**0.5)
    assert min(lost) < 954 < max(lost)
    for run in runs:
        assert np.count_nonzero(run.commits["inserted"] > 64 * SECOND) > 22 * 20
        assert run.metrics["rto"] == 0


def test_fencing_ends_a_split_brain_before_it_begins() -> None:
    """A fenced primary stops before another is promoted: nothing diverges, and fewer commits are lost."""
    unfenced, fenced = shipped("split-brain"), otherwise("split-brain", failover={"manager": "quorum"})
    assert when(fenced, "steps down", "p") < when(fenced, "promoted", "s1")
    assert fenced.metrics["divergent_commits"] == fenced.metrics["split_brain"] == 0
    assert 0 < fenced.metrics["lost_commits"] < unfenced.metrics["lost_commits"] - unfenced.metrics["divergent_commits"]
    assert fenced.metrics["rto"] > 2
    assert unfenced.metrics["rto"] == 0


def test_patroni_on_stops_until_the_next_look_and_strict_until_a_standby_is_back() -> None:
    """The manager looks every 10 s; the standby is away from 20 s to 60 s."""
    on, strict = (shipped(f"patroni-{mode}") for mode in ("on", "strict"))
    assert on.metrics["commit_latency.max"] == pytest.approx(when(on, "goes on alone", "p") - 20, abs=0.1)
    assert strict.metrics["commit_latency.max"] == pytest.approx(40, abs=0.1)
    for run, alone in ((on, True), (strict, False)):
        acknowledged = run.commits["acknowledged"]
        meanwhile = np.count_nonzero((acknowledged > 31 * SECOND) & (acknowledged < 60 * SECOND))
        assert (meanwhile > 1000) == alone


def test_cancelled_waits_are_seen_and_lost() -> None:
    """Every connection waited, was told that all is well at 15 s, was seen by readers of the primary, and lost."""
    result = shipped("cancelled-wait")
    commits, reads = result.commits, result.reads
    local = commits["outcome"] == commits.words["outcome"].index("acknowledged_locally")
    assert np.count_nonzero(local) == result.metrics["lost_commits"] == 20
    assert np.all(np.abs(commits["visible"][local] - 15 * SECOND) < SECOND // 1000)
    late = (reads["looked"] > 15.001 * SECOND) & (reads["looked"] < 18 * SECOND)
    assert np.count_nonzero(late) > 500
    assert np.all(reads["saw"][late] >= commits["lsn"][local].max())
    patient = otherwise("cancelled-wait", faults=[
        {"at": "10s", "for": "25s", "partition": [["p"], ["s1", "s2"]]}, {"at": "18s", "crash": "p"},
    ])  # fmt: skip
    assert patient.metrics["lost_commits"] == patient.metrics["local_commits"] == 0
    assert patient.metrics["unknown_commits"] == 20


def test_a_query_freezes_remote_apply_and_nothing_else() -> None:
    """Replay stands still from the first WAL after the query's begin until 30 s later, which commits feel at
    remote_apply only; the second query finds no grace left, and hot_standby_feedback keeps both from conflicting."""
    result = shipped("conflicting-query")
    assert 29.9 < result.metrics["s1.conflicts.waited"] <= 30
    assert 0 <= when(result, "conflict", "s1") - 10 < 0.5
    cancelled = result.record.events["time"][
        result.record.events["what"] == result.record.events.words["what"].index("query cancelled")
    ]
    assert cancelled[1] == round(40.2 * SECOND)
    assert result.position("s1", "flush").time.size > 2500
    on = otherwise("conflicting-query", primary={"synchronous_standby_names": "s1", "max_connections": 3000})
    assert on.metrics["commit_latency.max"] < 0.1
    assert on.metrics["s1.conflicts.waited"] == result.metrics["s1.conflicts.waited"]
    kind = {"s1": {"replay": {"per_record": "1ms"}, "hot_standby_feedback": True}}
    assert otherwise("conflicting-query", standbys=kind).metrics["commit_latency.max"] < 0.1


def test_a_slot_fills_the_disk_and_a_limit_gives_up_the_standby_instead() -> None:
    """The disk has room for so many files from where the dead standby stood; a limit on slots keeps the primary up."""
    file, rate = 16_777_216, 10_000_000
    slot = 60 * rate // file * file
    full = when(shipped("slot-fills-the-disk"), "disk full", "p")
    assert full == pytest.approx((slot + 2_000_000_000 // file * file) / rate, abs=1)
    assert when(shipped("slot-fills-the-disk"), "serves the clients", "p") == pytest.approx(full + 60, abs=0.1)
    primary = shipped("slot-fills-the-disk").scenario.model_dump(mode="json")["primary"]
    limited = otherwise("slot-fills-the-disk", primary=primary | {"max_slot_wal_keep_size": "500 MB"})
    assert limited.metrics["failed_commits"] == 0
    # What is kept is looked at when a checkpoint is done, a minute and its spread apart.
    assert limited.metrics["p.retained_wal.max"] < 500_000_000 + 2 * 60 * rate
    assert when(limited, "slot invalidated", "s2") == pytest.approx(120 + 54, abs=0.1)
