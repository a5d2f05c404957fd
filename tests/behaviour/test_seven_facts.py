"""Seven facts that a DBA would test a simulator with, each as a run of its own (semantics, the last section).

The scripts beside this file show some of them to the nanosecond; here each is a sentence and a cluster that shows it.
"""

from __future__ import annotations

import numpy as np
import pytest

import replsim
from replsim.units import NEVER, SECOND

CLUSTER = replsim.loads(
    """
    name: seven facts
    duration: 60s
    zones: {latency: {a -> b: 1ms, a -> c: 20ms, b -> c: 20ms}}
    primary: {zone: a, synchronous_standby_names: "FIRST 1 (s1, s2)", max_connections: 20000}
    standbys: {s1: {zone: b}, s2: {zone: c}}
    writers: {app: {zone: a, rate: 100/s, connections: 10000}}
    """
)


def named(rule: str) -> dict[str, object]:
    """The primary with another ``synchronous_standby_names``."""
    return {"zone": "a", "synchronous_standby_names": rule, "max_connections": 20000}


def test_1_a_standby_shows_the_row_before_the_primary_does() -> None:
    """A commit that waits for a distant standby is seen on the near one long before the primary shows it (§1.1)."""
    result = replsim.run(CLUSTER.changed(primary=named("s2")))
    visible = result.commits["visible"]
    applied = result.position("s1", "apply").crossing(result.commits["lsn"])
    done = visible < NEVER
    assert np.count_nonzero(done) > 5000
    assert np.all(visible[done] - applied[done] > 30_000_000)


def test_2_statement_timeout_leaves_a_wait_hanging_and_a_cancel_succeeds_unreplicated() -> None:
    """Both links are cut: a statement_timeout of 1 s ends no wait.  The cancel 20 s later ends them all: the clients
    are told that the commits stand, the primary shows them, and no standby has one (§1.3)."""
    patient = {"app": {"zone": "a", "rate": "100/s", "connections": 10000, "statement_timeout": "1s"}}
    cuts = [{"at": "10s", "cut": f"p -> {standby}"} for standby in ("s1", "s2")]
    primary = named("FIRST 1 (s1, s2)")
    hanging = replsim.run(CLUSTER.changed(primary=primary, writers=patient, faults=cuts))
    assert hanging.metrics["failed_commits"] == 0
    assert np.count_nonzero(hanging.commits["acknowledged"] == NEVER) > 4500
    cancelled = CLUSTER.changed(primary=primary, writers=patient, faults=[*cuts, {"at": "30s", "cancel": "app"}])
    commits = (result := replsim.run(cancelled)).commits
    alone = commits["outcome"] == commits.words["outcome"].index("acknowledged_locally")
    assert np.count_nonzero(alone) > 1800
    assert np.all(commits["visible"][alone] < NEVER)
    reached = max(result.position(standby, "receive").lsn[-1] for standby in ("s1", "s2"))
    assert np.all(commits["lsn"][alone] > reached)


def test_3_first_ignores_a_faster_standby_of_lower_priority_and_any_does_not() -> None:
    """``FIRST 1 (s2, s1)`` waits for the distant s2, 40 ms there and back; ``ANY 1`` takes the near s1 (§1.3)."""
    first, any_one = (replsim.run(CLUSTER.changed(primary=named(f"{rule} 1 (s2, s1)"))) for rule in ("FIRST", "ANY"))
    assert first.metrics["commit_latency.p50"] > 0.040
    assert any_one.metrics["commit_latency.p99"] < 0.040


def test_4_timestamp_lag_rises_on_an_idle_system_and_the_guard_hides_a_cut_link() -> None:
    """Nobody writes after 10 s: 50 s later the bare lag of a standby that has all is 50 s, and with the guard 0;
    that is 0 as well over a link that has been cut for 50 s while the primary wrote on (§1.8)."""
    points = [{"at": "0s", "rate": "100/s"}, {"at": "9.9s", "rate": "100/s"}, {"at": "10s", "rate": "0/s"}]
    quiet = {"app": {"zone": "a", "connections": 10000, "schedule": {"points": points}}}
    idle = replsim.run(CLUSTER.changed(writers=quiet))
    assert idle.metrics["s1.exporter_lag_unguarded.max"] == pytest.approx(50, abs=0.2)
    assert idle.metrics["s1.exporter_lag.max"] < 0.1
    assert idle.metrics["s1.lag.seconds.max"] < 0.1
    cut = replsim.run(CLUSTER.changed(primary=named(""), faults=[{"at": "10s", "cut": "p -> s1"}]))
    assert cut.metrics["s1.exporter_lag.max"] < 0.1
    assert cut.metrics["s1.lag.seconds.max"] == pytest.approx(50, abs=0.2)


def test_5_queries_are_cancelled_well_before_30_s_when_replay_is_behind() -> None:
    """Replay stands still from 5 s to 33 s; a query that began at 20 s is cancelled 2 s after that, 15 s old: 30 s
    after the standby was last up to date.  Where nothing was behind, one has 30 s (§1.6)."""
    query = {"at": "20s", "query": "s1"}
    ends = []
    for before in ([{"at": "5s", "for": "28s", "pause_replay": "s1"}], []):
        events = replsim.run(CLUSTER.changed(faults=[*before, query])).record.events
        (cancelled,) = events["time"][events["what"] == events.words["what"].index("query cancelled")]
        ends.append(float(cancelled) / SECOND)
    assert ends == [pytest.approx(35, abs=0.1), pytest.approx(50, abs=0.1)]


def test_6_postgresql_blocks_for_ever() -> None:
    """With fewer standbys than the rule asks for nothing is released, and no timeout ends the wait (§1.3)."""
    gone = [{"at": "10s", "crash": "s1"}]
    result = replsim.run(CLUSTER.changed(primary=named("s1"), faults=gone))
    acknowledged = result.commits["acknowledged"]
    assert np.count_nonzero(acknowledged < NEVER) == pytest.approx(1000, abs=130)
    assert np.max(acknowledged[acknowledged < NEVER]) < 10.1 * SECOND
    inserted = result.commits["inserted"]
    assert np.count_nonzero((inserted < NEVER) & (inserted > 11 * SECOND)) > 4500, "they are committed, and they wait"


def test_7_full_page_images_make_a_saw_tooth_of_the_wal() -> None:
    """Right after each checkpoint nearly every change logs its page, before the next one few do (§8)."""
    keyed = {"app": {"zone": "a", "rate": "200/s", "connections": 10000, "keys": {"count": 20_000}}}
    primary = named("") | {"checkpoints": {"every": "20s"}}
    result = replsim.run(CLUSTER.changed(primary=primary, writers=keyed))
    second = result.commits["inserted"] // SECOND % 20
    size = result.commits["bytes"]
    after, before = size[second == 0].mean(), size[second == 19].mean()
    assert after > 4 * before
    assert before < 2_000
