"""Failover by a manager: when it comes, whom it takes, and what is lost, over many seeds."""

from __future__ import annotations

import pytest

import replsim
from replsim.record import Record
from replsim.units import SECOND

CLUSTER = """
name: failover
duration: 90s
primary: {{synchronous_standby_names: "{names}"}}
standbys: {{s1: {{}}, s2: {{}}}}
links: {{p -> s1: {{latency: 2ms}}, p -> s2: {{latency: 200ms}}, s1 -> s2: {{latency: 5ms}}}}
writers: {{app: {{rate: 50/s}}}}
faults: [{faults}]
failover: {failover}
"""


def ran(faults: str, failover: str, *, seed: int, names: str = "") -> replsim.Result:
    """The cluster after a run with these faults and this manager."""
    scenario = replsim.loads(CLUSTER.format(faults=faults, failover=failover, names=names))
    return replsim.run(scenario, seed=seed)


def when(record: Record, what: str) -> list[tuple[float, str]]:
    """At which seconds something happened, and to whom."""
    events = record.events
    code = events.words["what"].index(what) if what in events.words["what"] else -1
    return [
        (time / SECOND, events.words["node"][node])
        for time, node, each in zip(events["time"], events["node"], events["what"], strict=True)
        if each == code
    ]


@pytest.mark.parametrize("seed", range(8))
def test_patroni_promotes_when_the_lease_has_run_out(seed: int) -> None:
    """The lease was renewed up to loop_wait (10 s) before the crash: it runs out 20 to 30 s after it (§5)."""
    failover = "{manager: patroni, race: 1s, promotion: 0.1s, routing: 2s}"
    result = ran("{at: 20s, crash: p}", failover, seed=seed)
    ((promoted, node),) = when(result.record, "promoted")
    assert node == "s1"
    assert 20 + 20 + 1.1 <= promoted <= 20 + 30 + 1.2
    assert result.metrics["rto"] == pytest.approx(promoted + 2 - 20, abs=0.3)


def test_patroni_takes_nobody_who_is_too_far_behind() -> None:
    """A standby further behind the last published position than maximum_lag_on_failover is not promoted (§5)."""
    cut = "{at: 5s, for: 80s, cut: p -> s1}, {at: 5s, for: 80s, cut: p -> s2}, {at: 30s, crash: p}"
    behind = ran(cut, "{manager: patroni, store: [w], maximum_lag_on_failover: 100 kB}", seed=1)
    assert when(behind.record, "promoted") == []
    near = ran(cut, "{manager: patroni, store: [w], maximum_lag_on_failover: 10 MB}", seed=1)
    assert len(when(near.record, "promoted")) == 1
    assert near.metrics["lost_commits"] > 500


def test_a_leader_without_the_store_steps_down() -> None:
    """Cut off from the store, the leader stops after retry_timeout, before anybody else may reign (§5)."""
    result = ran("{at: 20s, for: 60s, partition: [[p], [s1, s2]]}", "{manager: patroni}", seed=2)
    ((stopped, old),) = when(result.record, "steps down")
    ((promoted, _),) = when(result.record, "promoted")
    assert old == "p"
    assert stopped < promoted
    assert result.metrics["split_brain"] == 0


@pytest.mark.parametrize("seed", range(4))
def test_a_leader_tries_to_reach_the_store_for_retry_timeout(seed: int) -> None:
    """The look after the cut comes within loop_wait (10 s); retry_timeout (10 s) later the leader steps down (§5)."""
    result = ran("{at: 20s, for: 60s, partition: [[p], [s1, s2]]}", "{manager: patroni}", seed=seed)
    ((stopped, _),) = when(result.record, "steps down")
    assert 30 < stopped <= 40


def test_a_short_cut_from_the_store_does_no_harm() -> None:
    """A leader that reaches the store again before its retries are over goes on (§5)."""
    for seed in range(4):
        record = ran("{at: 20s, for: 9s, partition: [[p], [s1, s2]]}", "{manager: patroni}", seed=seed).record
        assert when(record, "steps down") == when(record, "promoted") == []


def test_the_watchdog_stops_a_leader_that_stands_still() -> None:
    """A primary that is paused cannot step down; when its lease runs out it is stopped, before anybody reigns."""
    result = ran("{at: 20s, for: 50s, pause: p}", "{manager: patroni}", seed=1)
    ((stopped, node),) = when(result.record, "fenced")
    ((promoted, _),) = when(result.record, "promoted")
    assert node == "p"
    assert 40 < stopped <= 50
    assert stopped < promoted
    assert result.metrics["split_brain"] == 0


@pytest.mark.parametrize("seed", range(4))
def test_a_crashed_process_is_started_again_first(seed: int) -> None:
    """Its agent keeps the lease: the primary is back after 15 s, and nobody else takes over (§5)."""
    result = ran("{at: 20s, for: 15s, crash: p, of: process}", "{manager: patroni}", seed=seed)
    assert when(result.record, "promoted") == []
    assert result.metrics["rto"] == pytest.approx(15, abs=0.3)


@pytest.mark.parametrize(("timeout", "latest"), [("0s", 10), ("20s", 40)])
def test_the_agent_gives_the_lease_away_when_starting_takes_too_long(timeout: str, latest: int) -> None:
    """At worst loop_wait + primary_start_timeout + loop_wait after the crash, with 0 after loop_wait alone (§5)."""
    failover = f"{{manager: patroni, primary_start_timeout: {timeout}, race: 1s, promotion: 0.1s}}"
    for seed in range(4):
        ((promoted, _),) = when(ran("{at: 20s, crash: p, of: process}", failover, seed=seed).record, "promoted")
        assert promoted <= 20 + latest + 1.2


def test_nobody_takes_over_from_a_primary_that_is_seen_alive() -> None:
    """A primary that has lost the store, and that nobody fenced, is still there for the others: they do not race."""
    cut = "{at: 20s, for: 60s, partition: [[p], [w1, w2, w3]]}"
    failover = "{manager: patroni, store: [w1, w2, w3], fencing: false}"
    assert when(ran(cut, failover, seed=1).record, "promoted") == []


@pytest.mark.parametrize("seed", range(4))
def test_a_majority_elects_who_has_most(seed: int) -> None:
    """Of two standbys the nearer one has more of the log, and is elected."""
    result = ran("{at: 20s, crash: p}", "{manager: quorum}", seed=seed)
    ((_, node),) = when(result.record, "promoted")
    assert node == "s1"


def test_a_minority_elects_nobody() -> None:
    """With two of three nodes gone there is no majority."""
    result = ran("{at: 20s, crash: p}, {at: 20s, crash: s2}", "{manager: quorum}", seed=1)
    assert when(result.record, "promoted") == []


def test_what_a_standby_confirmed_is_not_lost() -> None:
    """Under ANY 1 the standby with most of the log has all that was acknowledged (§1.3, §1.9)."""
    for seed in range(4):
        result = ran("{at: 20s, crash: p}", "{manager: patroni}", seed=seed, names="ANY 1 (s1, s2)")
        assert result.metrics["lost_commits"] == 0


def test_the_old_primary_may_be_in_the_list() -> None:
    """Named like the others, it counts for the new primary once it follows, and is nobody's standby before (§1.3)."""
    everybody = "ANY 2 (p, s1, s2)"
    faults, failover = "{at: 20s, for: 5s, crash: p}", "{manager: manual, at: 22s, promote: s1, routing: 2s}"
    commits = ran(faults, failover, seed=1, names=everybody).commits
    told = commits["acknowledged"] / SECOND
    assert not ((told > 22) & (told < 25)).any(), "ANY 2 needs both, and p is down"
    assert ((told > 26) & (told < 90)).sum() > 1000


def test_what_is_in_flight_is_lost() -> None:
    """Without synchronous standbys, 50/s x 0.2 s are on their way when the primary dies: Poisson with mean 10."""
    manual = "{manager: manual, at: 25s, promote: s2}"
    lost = [ran("{at: 20s, crash: p}", manual, seed=seed).metrics["lost_commits"] for seed in range(8)]
    assert sum(lost) == pytest.approx(80, abs=4 * 80**0.5)


def test_without_fencing_two_primaries_take_writes() -> None:
    """The old primary goes on until its clients are led away; those commits are lost, and counted as divergent."""
    cut = "{at: 20s, for: 40s, partition: [[p], [s1, s2]]}"
    failover = "{manager: quorum, fencing: false, routing: 3s}"
    result = ran(cut, failover, seed=1)
    assert result.metrics["split_brain"] == pytest.approx(3, abs=0.2)
    assert result.metrics["divergent_commits"] == pytest.approx(150, abs=40)
    assert result.metrics["lost_commits"] > result.metrics["divergent_commits"]


def test_the_old_primary_rejoins() -> None:
    """It and a standby that was ahead of the new primary are rewound, and all nodes have the same log in the end."""
    result = ran("{at: 20s, for: 20s, crash: p}", "{manager: manual, at: 22s, promote: s2}", seed=1)
    assert [node for _, node in when(result.record, "rejoined")] == ["s1", "p"]
    ends = [int(result.position(node, "flush").at(80 * SECOND)) for node in ("p", "s1", "s2")]
    assert max(ends) - min(ends) < 10_000
    written_in_half_a_minute = 30 * 50 * 600
    assert result.metrics["lag.bytes.max"] < written_in_half_a_minute


def test_clients_of_a_dead_primary_know_what_failed_and_what_they_do_not_know() -> None:
    """Every transaction has one outcome, and those that fail lie between the crash and the new service."""
    result = ran("{at: 20s, crash: p}", "{manager: manual, at: 22s, promote: s1, routing: 3s}", seed=3, names="s2")
    commits = result.commits
    words = commits.words["outcome"]
    failed = commits["outcome"] == words.index("failed")
    unknown = commits["outcome"] == words.index("unknown")
    assert failed.sum() > 200
    assert 10 < unknown.sum() <= 20, "50/s wait for 0.4 s, on 20 connections"
    learned = commits["learned"][failed] / SECOND
    assert 20 <= learned.min() <= learned.max() <= 25.2
    assert result.metrics["unknown_commits"] == unknown.sum()


def test_who_dies_before_it_has_taken_over_follows_again() -> None:
    """A standby that crashes while it is being promoted streams from the old primary once it is back."""
    result = ran("{at: 23s, for: 2s, crash: s1}", "{manager: manual, at: 20s, promote: s1, promotion: 10s}", seed=1)
    assert when(result.record, "promoted") == []
    assert [node for time, node in when(result.record, "streaming") if time > 25] == ["s1"]
