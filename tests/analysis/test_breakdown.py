"""The parts of a commit's latency add up, and are those that a commit's own times give."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings

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
