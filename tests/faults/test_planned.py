"""Planned work: switchovers and restarts, and what they must not cost."""

from __future__ import annotations

import numpy as np
import pytest

import replsim
from replsim.analysis.checks import violations
from replsim.record import UNKNOWN
from replsim.units import SECOND

TEXT = """
name: planned
duration: 60s
primary: {{synchronous_commit: {level}, synchronous_standby_names: "{names}"}}
standbys: {{s1: {{}}, s2: {{}}}}
links:
  p -> s1: {{latency: {{uniform: {{low: 1ms, high: 40ms}}}}}}
  p -> s2: {{latency: 5ms}}
  s1 -> s2: {{latency: 5ms}}
writers: {{app: {{rate: 200/s, connections: 50}}}}
background: {{wal: 500 kB/s}}
faults: [{faults}]
failover: {failover}
"""
NOBODY = "{manager: none, routing: 2s}"


def ran(faults: str, failover: str = NOBODY, *, level: str = "on", names: str = "", seed: int = 1) -> replsim.Result:
    """The cluster after a run with these faults."""
    text = TEXT.format(faults=faults, failover=failover, level=level, names=names)
    if failover == NOBODY and "switchover" not in faults and "hand_over" not in faults:
        # A link that nobody ever uses is refused.
        text = text.replace("  s1 -> s2: {latency: 5ms}\n", "")
    return replsim.run(replsim.loads(text), seed=seed)


def happened(result: replsim.Result, *what: str) -> list[tuple[str, str]]:
    """What happened to whom, in order, of some kinds of things."""
    events = result.record.events
    words = [
        (events.words["node"][n], events.words["what"][w]) for n, w in zip(events["node"], events["what"], strict=True)
    ]
    return [each for each in words if each[1] in what]


def seconds(result: replsim.Result, what: str) -> list[float]:
    """When something happened."""
    events = result.record.events
    code = events.words["what"].index(what) if what in events.words["what"] else -1
    return [float(time) / SECOND for time in events["time"][events["what"] == code]]


@pytest.mark.parametrize("level", ["off", "local", "on"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_switchover_loses_nothing(level: str, seed: int) -> None:
    """Whatever the level, a primary that is shut down waits for its standbys: not even at off is a commit lost, and
    those of which clients do not know survive as well."""
    result = ran("{at: 20s, switchover: s1}", level=level, seed=seed)
    assert [node for node, _ in happened(result, "promoted")] == ["s1"]
    assert result.metrics["lost_commits"] == 0
    unknown = result.commits["outcome"] == UNKNOWN
    logged = unknown & (result.commits["inserted"] < 60 * SECOND)
    promoted = result.record.branches[1]
    assert np.all(result.commits["lsn"][logged] <= promoted.fork)
    # The way to s1 and back takes up to 80 ms, and the routing 2 s.
    assert result.metrics["rto"] == pytest.approx(2.15, abs=0.15)
    assert "streaming" in dict(happened(result, "streaming")).values()
    assert ("p", "streaming") in happened(result, "streaming")


def test_a_crash_in_its_place_does_lose() -> None:
    """The same at the same moment, unplanned and asynchronous: what was on its way to s1 is lost."""
    assert ran("{at: 20s, crash: p}", "{manager: manual, at: 20s, promote: s1}").metrics["lost_commits"] > 0


@pytest.mark.parametrize("failover", ["{manager: patroni, routing: 2s}", "{manager: quorum, routing: 2s}"])
def test_managers_go_along_with_a_switchover(failover: str) -> None:
    """A switchover takes no lease and no election time-out, and the manager promotes nobody else after it."""
    result = ran("{at: 20s, switchover: s1}", failover)
    assert [node for node, _ in happened(result, "promoted")] == ["s1"]
    assert seconds(result, "promoted")[0] - 20 < 0.3
    assert result.metrics["lost_commits"] == 0
    crashed = ran("{at: 20s, switchover: s1}, {at: 30s, crash: s1}", failover)
    first, _ = happened(crashed, "promoted")
    assert first == ("s1", "promoted")


def test_patroni_switches_to_synchronous_standbys_alone() -> None:
    """With synchronous_mode on and one standby in /sync, the other one is refused (§5)."""
    failover = "{manager: patroni, synchronous_mode: on, routing: 2s}"
    outcomes = {name: happened(ran(f"{{at: 30s, switchover: {name}}}", failover), "promoted", "switchover refused")
                for name in ("s1", "s2")}  # fmt: skip
    assert sorted(what for [(_, what)] in outcomes.values()) == ["promoted", "switchover refused"]


def test_a_standby_that_is_cut_off_is_refused() -> None:
    """Nobody notices a switchover to a standby that does not stream."""
    result = ran("{at: 10s, for: 40s, cut: p -> s1, how: reset}, {at: 20s, switchover: s1}")
    assert happened(result, "promoted", "switchover refused") == [("s1", "switchover refused")]
    assert result.metrics["failed_commits"] == result.metrics["unknown_commits"] == 0


def test_a_standby_that_dies_meanwhile_leaves_the_primary_in_its_place() -> None:
    """s1 is cut off silently and cannot take over; once it is given up, the primary goes on, and has lost nothing."""
    text = TEXT.replace("primary: {{", "primary: {{wal_sender_timeout: 5s, ")
    faults = "{at: 19.99s, for: 35s, cut: p -> s1}, {at: 20s, switchover: s1}"
    result = replsim.run(replsim.loads(text.format(faults=faults, failover=NOBODY, level="on", names="")))
    assert happened(result, "promoted", "switchover failed") == [("p", "switchover failed")]
    assert 4 < seconds(result, "switchover failed")[0] - 20 < 6
    assert result.metrics["lost_commits"] == 0
    assert result.metrics["rto"] == pytest.approx(seconds(result, "switchover failed")[0] - 20, abs=0.1)


def test_a_rolling_restart_ends_with_a_switchover() -> None:
    """The standbys are away one after the other, then s1 takes over; clients feel the switchover alone."""
    result = ran("{at: 10s, for: 3s, restart: [s2, s1, p], hand_over_to: s1}", names="ANY 1 (s1, s2)")
    order = happened(result, "stopped", "started", "promoted", "restart ends")
    assert order == [
        ("s2", "stopped"), ("s2", "started"), ("s1", "stopped"), ("s1", "started"),
        ("p", "stopped"), ("s1", "promoted"), ("p", "restart ends"),
    ]  # fmt: skip
    assert result.metrics["lost_commits"] == 0
    failed = result.commits["outcome"] >= 2
    times = result.commits["learned"][failed & (result.commits["learned"] < 60 * SECOND)] / SECOND
    assert 16 < times.min() < times.max() < seconds(result, "serves the clients")[-1] + 0.01


def test_a_standby_of_which_all_depends_takes_them_along() -> None:
    """With one synchronous standby a restart of it holds every commit for as long as it is down, and no longer."""
    result = ran("{at: 10s, for: 3s, restart: [s1]}", names="s1")
    assert result.metrics["commit_latency_from_start.max"] == pytest.approx(3.1, abs=0.2)
    assert result.metrics["failed_commits"] == 0


def test_a_primary_restarted_in_place_loses_nothing() -> None:
    """Not even at off; its clients are without it for as long as it is down."""
    result = ran("{at: 20s, for: 4s, restart: [p]}", level="off")
    assert result.metrics["lost_commits"] == 0
    assert result.metrics["rto"] == pytest.approx(4.1, abs=0.1)
    assert [branch.timeline for branch in result.record.branches] == [1, 1]


@pytest.mark.parametrize(
    ("planned", "told"), [("restart: [p, s1], for: 0.1s", "restart fails"), ("switchover: s1", "switchover failed")]
)
def test_a_primary_that_dies_in_its_drain_is_told_of(planned: str, told: str) -> None:
    """It waits for a standby that hears nothing, and crashes: the work is over, and the run says so."""
    faults = f"{{at: 20s, for: 5s, cut: s2 -> p}}, {{at: 20.1s, {planned}}}, {{at: 22s, for: 2s, crash: p}}"
    result = ran(faults)
    assert happened(result, "shuts down", "crash", told) == [("p", "shuts down"), ("p", "crash"), ("p", told)]
    assert violations(result.record) == []


def test_readers_leave_out_who_is_stopped() -> None:
    """A router knows that a standby is down, whether it crashed or was stopped."""
    text = TEXT.format(faults="{at: 10s, for: 3s, restart: [s1]}", failover=NOBODY, level="on", names="")
    text = text.replace("  s1 -> s2: {latency: 5ms}\n", "readers: {web: {rate: 500/s, route: round_robin}}\n")
    reads = replsim.run(replsim.loads(text)).reads
    down = (reads["time"] > 10.01 * SECOND) & (reads["time"] < 12.99 * SECOND)
    assert set(reads["node"][down]) == {2}
    assert set(reads["node"][reads["time"] < 10 * SECOND]) == {1, 2}


def test_compiled_looks_know_of_histories(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many reads there are, after a failover each shows the history that its node is on."""
    monkeypatch.setattr("replsim.analysis.reads.views.worth_compiling", lambda _: True)
    lossy = "{manager: manual, at: 20s, promote: s1, routing: 2s}"
    text = TEXT.format(faults="{at: 20s, crash: p}", failover=lossy, level="on", names="")
    reads = "readers: {web: {rate: 100/s, route: {policy: round_robin, among: [s1, s2]}}}\n"
    assert violations(replsim.run(replsim.loads(text + reads)).record) == []
