"""The parts of a commit's latency add up, and are those that a commit's own times give."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings
from numpy.typing import NDArray

import replsim
from replsim.analysis.breakdown import PARTS, breakdown, by_rank, by_writer
from replsim.analysis.facts import Facts
from replsim.record import Replies
from replsim.rules.acks import LEVELS
from replsim.scenario import Scenario
from replsim.units import NEVER
from tests.analysis.records import make_record, make_scenario
from tests.properties.clusters import clusters


@given(clusters())
@settings(derandomize=True, deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_parts_add_up_exactly(scenario: Scenario) -> None:
    """On any cluster each part is at least nothing, and a commit's parts are its latency to the nanosecond."""
    result = replsim.run(scenario)
    found = breakdown(result.facts)
    commits = result.commits
    assert list(found.parts) == list(PARTS)
    assert all((times >= 0).all() for times in found.parts.values())
    whole = commits["acknowledged"][found.rows] - commits["submitted"][found.rows]
    assert sum(found.parts.values()).tolist() == whole.tolist()
    # Who waits for nobody has no time in the network to a standby.
    alone = found.decider < 0
    assert not found.parts["network out"][alone].any()
    # Who waits for a standby had all of it there before it was visible: nothing was cut to fit.
    level = np.array(LEVELS)[commits["level"][found.rows]]
    for row, who, what in zip(found.rows, found.decider, level, strict=True):
        if who >= 0:
            name, stage = scenario.nodes[who], {"remote_write": "write", "on": "flush", "remote_apply": "apply"}[what]
            at = int(result.position(name, stage).crossing(commits["lsn"][row]))
            told = int(result.position(name, f"reported_{stage}").crossing(commits["lsn"][row]))
            assert commits["flushed"][row] <= at <= told == commits["visible"][row] - scenario.wakeup


def test_a_commit_by_hand() -> None:
    """Two standbys report a commit; with ANY 2 the later report decides, and its way is the commit's."""
    scenario = make_scenario(
        standbys={"s1": {}, "s2": {}},
        links={"p -> s1": {"latency": "1ns"}, "p -> s2": {"latency": "1ns"}},
        primary={"synchronous_standby_names": "ANY 2 (s1, s2)", "max_connections": 1000},
        wakeup="6ns",
    )
    commits = {
        "submitted": [60],
        "started": [61],
        "inserted": [63],
        "flushed": [70],
        "visible": [130],
        "acknowledged": [131],
        "level": np.array([LEVELS.index("on")], dtype=np.int8),
    }
    ways = {"s1": (72, 80, 85, 99), "s2": (72, 90, 100, 113)}
    record = make_record(
        scenario,
        commits,
        {
            name: {
                stage: ([time], [100]) for stage, time in zip(("sent", "receive", "write", "flush"), way, strict=True)
            }
            for name, way in ways.items()
        },
        replies={
            "s1": Replies(*(np.array(column) for column in ([105], [100], [100], [0]))),
            "s2": Replies(*(np.array(column) for column in ([108, 124], [100, 100], [0, 100], [0, 0]))),
        },
    )
    record.commits.words["level"] = LEVELS
    found = breakdown(Facts(record))
    assert scenario.nodes[found.decider[0]] == "s2"
    assert {part: int(times[0]) for part, times in found.parts.items()} == {
        "connection": 1,
        "execution": 2,
        "flush": 7,
        "network out": 20,
        "remote write": 10,
        "remote flush": 13,
        "replay": 0,
        "network back": 17,
        "answer": 1,
    }


def test_ranks_and_writers_are_parts_of_the_whole() -> None:
    """The slices by rank hold each commit once, the slowest last; so do those by writer."""
    result = replsim.run("five-levels")
    found = breakdown(result.facts)
    every, *ranks = by_rank(found)
    assert every.count == len(found.rows) == sum(each.count for each in ranks)
    latencies = np.sort(found.latency)
    place = 0
    for each in ranks:
        mine = latencies[place : place + each.count]
        assert abs(sum(each.parts.values()) - mine.mean()) < 1
        place += each.count
    writers = by_writer(result.facts, found)
    assert [each.name for each in writers] == list(result.scenario.writers)
    assert sum(each.count for each in writers) == every.count
    assert NEVER not in found.latency


def deciders(scenario: Scenario) -> tuple[replsim.Result, NDArray[np.str_]]:
    """A run, and for each commit that counts the standby that decided, or nothing."""
    result = replsim.run(scenario)
    return result, np.array([*scenario.nodes, ""])[breakdown(result.facts).decider]


def test_a_new_primary_s_commits_wait_for_its_own_standbys() -> None:
    """After a promotion the standby that was not promoted is the one whose reply releases every commit."""
    result, who = deciders(replsim.load("failures/any-1-one-crash"))
    branch = result.record.branches[-1]
    (other,) = {"s1", "s2"} - {branch.node}
    after = breakdown(result.facts).rows >= branch.first
    assert set(who[~after]) == {"s1"}, "s2 is farther away"
    assert set(who[after]) == {other}
    assert breakdown(result.facts).parts["network out"][after].min() > 2_000_000


def test_who_is_away_decides_nothing() -> None:
    """With FIRST 1 (s1, s2) the commits of the time without s1 were released by s2, all others by s1."""
    faults = {"faults": '[{"at": "4s", "for": "4s", "crash": "s1", "of": "process"}]', "duration": "12s"}
    rule = {"primary.synchronous_standby_names": "FIRST 1 (s1, s2)"}
    result, who = deciders(replsim.load("quickstart/three-nodes", overrides=faults | rule))
    inserted = result.commits["inserted"][breakdown(result.facts).rows]
    assert set(who) == {"s1", "s2"}
    assert set(who[inserted < 3_900_000_000]) == {"s1"}
    assert set(who[(inserted > 4_100_000_000) & (inserted < 7_900_000_000)]) == {"s2"}


def test_a_manager_s_rule_has_deciders_as_well() -> None:
    """Patroni names one synchronous standby, which decides until it is promoted; then the other does."""
    manager = "{manager: patroni, ttl: 10s, loop_wait: 2s, retry_timeout: 3s, synchronous_mode: on, routing: 1s}"
    result, who = deciders(replsim.load("failures/any-1-one-crash", overrides={"failover": manager, "primary": "null"}))
    branch = result.record.branches[-1]
    (other,) = {"s1", "s2"} - {branch.node}
    after = breakdown(result.facts).rows >= branch.first
    assert set(who[~after]) == {branch.node}
    assert set(who[after]) == {other}, "it is named before clients come back"
