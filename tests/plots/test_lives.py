"""The lives of commits and reads, and the frames of the animation, against the record itself."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import replsim
from replsim import plots
from replsim.analysis.life import CommitLife, choose_commit, commit_life
from replsim.analysis.readlife import choose_read, read_life
from replsim.errors import NotInResult
from replsim.scenario import Scenario
from replsim.units import NEVER, SECOND
from tests.plots.clockwork import clockwork
from tests.properties.clusters import clusters


@pytest.fixture(scope="module")
def busy() -> replsim.Result:
    """A cluster with luck in it."""
    return replsim.run(replsim.load("three-nodes").changed(duration="6s", warmup="1s"))


def test_the_life_of_a_commit_by_hand() -> None:
    """Every moment of a commit of the clockwork, in milliseconds after it was due, and what its client waited for."""
    life = commit_life(clockwork().facts, 11)
    start = life.start
    moments = {(each.place, each.what): (each.time - start) / 1e6 for each in life.moments}
    assert moments == {
        ("its client", "due"): 0,
        ("its client", "sent"): 0,
        ("p", "inserted"): 0,
        ("p", "flushed"): 1,
        ("p", "sent to near"): 1,
        ("p", "sent to far"): 1,
        ("near", "receive"): 6,
        ("near", "write"): 6,
        ("near", "flush"): 8,
        ("near", "apply"): 8,
        ("p", "near reported write"): 11,
        ("p", "near reported flush"): 13,
        ("p", "near reported apply"): 13,
        ("p", "visible"): 13,
        ("its client", "acknowledged"): 13,
        ("far", "receive"): 21,
        ("far", "write"): 21,
        ("far", "flush"): 23,
        ("far", "apply"): 24,
        ("p", "far reported write"): 41,
        ("p", "far reported flush"): 43,
        ("p", "far reported apply"): 44,
    }
    waited = [(each.start.place, each.end.place, each.what) for each in life.messages if each.decisive]
    assert waited == [
        ("its client", "p", "commit"),
        ("p", "near", "WAL"),
        ("near", "p", "flush and apply"),
        ("p", "its client", "answer"),
    ]


def decisive_time(life: CommitLife) -> Iterator[int]:
    """How long each message took that the client waited for."""
    yield from (each.end.time - each.start.time for each in life.messages if each.decisive)


@given(clusters())
@settings(derandomize=True, deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
def test_no_message_arrives_before_it_left(scenario: Scenario) -> None:
    """On any cluster messages go forward in time, from moment to moment; the client waits for thick ones."""
    result = replsim.run(scenario)
    for which in ("median", "slowest", "pending"):
        try:
            row = choose_commit(result.facts, which)
        except NotInResult:
            continue
        life = commit_life(result.facts, row)
        assert life.start == result.commits["submitted"][row]
        for message in life.messages:
            assert message.start.time <= message.end.time
            assert message.start in life.moments
            assert message.end in life.moments
        if life.parts is not None:
            assert sum(decisive_time(life)) <= life.parts.latency[0]
            assert (life.decider is None) == (
                life.level in ("off", "local") or not scenario.primary.synchronous_standby_names
            )
        plots.follow(result, row).to_json()


def test_the_median_and_the_slowest_commit(busy: replsim.Result) -> None:
    """As many commits are faster than the median one as are slower, and none is slower than the slowest."""
    commits = busy.commits
    chosen = (commits["acknowledged"] >= SECOND) & (commits["acknowledged"] < 6 * SECOND)
    latency = commits["acknowledged"] - commits["submitted"]
    median, slowest = (choose_commit(busy.facts, which) for which in ("median", "slowest"))
    assert chosen[median]
    assert latency[median] / 1e9 == busy.metrics["commit_latency.p50"]
    assert latency[slowest] == latency[chosen].max()


def test_a_stale_read_missed_the_commit_that_is_named(busy: replsim.Result) -> None:
    """The commit that a stale read missed was acknowledged before the read was issued, and applied after it looked."""
    table = busy.reads
    stale = np.flatnonzero(table["versions"] > 0)
    for number in [*stale[:: len(stale) // 50].tolist(), choose_read(busy.facts), choose_read(busy.facts, "median")]:
        life = read_life(busy.facts, number)
        assert life.missed is not None
        assert busy.commits["acknowledged"][life.missed] <= life.issued
        assert life.age == life.issued - busy.commits["acknowledged"][life.missed] == table["age"][number]
        position = busy.position(life.node, "apply")
        assert position.at(life.looked) < busy.commits["lsn"][life.missed] <= life.should
        assert life.late_by is None or position.at(life.looked + life.late_by) >= busy.commits["lsn"][life.missed]
        # No commit before it in the log was missed, and none that was missed had been acknowledged earlier.
        earlier = busy.commits["acknowledged"][: life.missed][busy.commits["lsn"][: life.missed] > life.saw]
        assert (earlier > life.issued).all()
    fresh = int(np.flatnonzero(table["versions"] == 0)[0])
    assert read_life(busy.facts, fresh).missed is None
    assert table["age"][choose_read(busy.facts)] == table["age"][table["time"] >= SECOND].max()


def test_frames_are_what_the_record_says(busy: replsim.Result) -> None:
    """Every position, lag and message of a frame is that of looking at the record at that moment; it is plain JSON."""
    times = np.linspace(0.5, 1.5, 41)
    data = json.loads(json.dumps(plots.topology_frames(busy, times), allow_nan=False))
    assert [node["name"] for node in data["nodes"]] == ["p", "s1", "s2"]
    assert [(link["from"], link["to"]) for link in data["links"]] == [("p", "s1"), ("p", "s2")]
    inserted = busy.commits["inserted"][busy.commits["lsn"] < NEVER]
    for frame, time in zip(data["frames"], times, strict=True):
        now = round(time * SECOND)
        assert frame["time"] == pytest.approx(time)
        for node in ("s1", "s2"):
            state = frame["nodes"][node]
            for stage in ("receive", "write", "flush", "apply"):
                steps = busy.position(node, stage)
                assert state["positions"][stage] == max([0, *steps.lsn[steps.time <= now].tolist()])
            missing = inserted[(inserted <= now) & (busy.commits["lsn"][: len(inserted)] > state["positions"]["apply"])]
            assert state["lag_commits"] == len(missing)
            assert state["lag_seconds"] == pytest.approx((now - missing.min()) / 1e9 if len(missing) else 0)
            assert state["lag_bytes"] == int(busy.position("p", "insert").at(now)) - state["positions"]["apply"]
            sent = busy.position(node, "sent")
            flight = frame["flights"][node]
            assert flight["in_flight"] == int(sent.at(now)) - state["positions"]["receive"]
            assert all(0 <= far < 1 for far in flight["messages"] + flight["replies"])
            arrived = busy.position(node, "receive").crossing(sent.lsn)
            assert len(flight["messages"]) == min(6, np.count_nonzero((sent.time <= now) & (arrived > now)))


def test_frames_follow_a_failover() -> None:
    """The dead primary is down and what it had sent is gone; then one standby is the primary of the other."""
    result = replsim.run("tour/8-primary-dies")
    start = result.record.branches[-1].start / SECOND
    before, dead, after = plots.topology_frames(result, [9.999, 10.001, start + 2])["frames"]
    new = result.record.branches[-1].node
    (other,) = {"s1", "s2"} - {new}
    roles = [{name: state["role"] for name, state in frame["nodes"].items()} for frame in (before, dead, after)]
    assert roles[0] == {"p": "primary", "s1": "standby", "s2": "standby"}
    assert roles[1] == {"p": "down", "s1": "standby", "s2": "standby"}
    assert roles[2] == {"p": "down", new: "primary", other: "standby"}
    assert before["flights"]["s1"]["messages"]
    assert all(far < 1 for far in before["flights"]["s1"]["messages"])
    assert dead["flights"]["s1"] == dead["flights"]["s2"] == {"in_flight": 0, "messages": (), "replies": ()}
    assert (after["nodes"][new]["upstream"], after["nodes"][other]["upstream"]) == ("", new)
    assert after["nodes"][new]["positions"]["insert"] > after["nodes"]["p"]["positions"]["insert"] > 2_000_000
    assert after["flights"][other]["messages"]
    words = [note.text for note in plots.topology(result, at=start + 2).layout.annotations]
    assert "down" in words
    assert "primary" in words


def test_every_frame_shows_the_stalest_reads_since_the_last(busy: replsim.Result) -> None:
    """Reads appear in the frame that follows their look, at most four a node, and the stalest of each node is there."""
    times = np.linspace(1, 2, 21)
    frames = plots.topology_frames(busy, times)["frames"]
    table = busy.reads
    before = round(times[0] * SECOND)
    for frame in frames[1:]:
        now = round(frame["time"] * SECOND)
        for code, node in enumerate(("p", "s1", "s2")):
            mine = np.flatnonzero((table["looked"] > before) & (table["looked"] <= now) & (table["node"] == code))
            looks = [look for look in frame["looks"] if look["node"] == node]
            assert len(looks) == min(4, len(mine))
            assert {look["number"] for look in looks} <= set(mine.tolist())
            if len(mine):
                assert max(look["age"] for look in looks) == pytest.approx(table["age"][mine].max() / 1e9)
            assert all(look["stale"] == (table["versions"][look["number"]] > 0) for look in looks)
        before = now


def test_a_read_that_waited_says_for_how_long() -> None:
    """A read that waits for its user's write to be replayed looks later than it came, and its story says so."""
    user = {"count": 1, "write_every": "300ms", "read_after": "1ms", "route": "far"}
    result = clockwork(
        readers={}, sessions={"user": user | {"guarantee": "read_your_writes", "by": "wait"}}, writers={}
    )
    life = read_life(result.facts, 1)
    # The write is acknowledged after 13 ms and asked for after 14; far has it after 24.
    assert (life.looked - life.arrived, life.missed) == (10_000_000, None)
    assert plots.reading("follow_read", result, read=1) == (
        f"Read 1 of user waited 10 ms for replay on far, looked there at {life.looked / 1e6:.3g} ms and saw everything "
        "that a client had been told of."
    )
    grey = [trace for trace in plots.follow_read(result, 1).data if trace.mode == "lines"]
    assert [(trace.line.color, float(trace.y[-1] - trace.y[0])) for trace in grey] == [("#888888", pytest.approx(10))]
