"""Patroni's synchronous modes at work: who waits, who goes on alone, and who may promote."""

from __future__ import annotations

import pytest

import replsim
from replsim.units import SECOND

CLUSTER = """
name: synchronous-mode
duration: 80s
standbys: {{s1: {{}}, s2: {{}}}}
links: {{p -> s1: {{latency: 1ms}}, p -> s2: {{latency: 20ms}}, s1 -> s2: {{latency: 5ms}}}}
writers: {{app: {{rate: 50/s}}}}
faults: [{faults}]
failover: {{manager: patroni, store: [witness], synchronous_mode: {mode}, race: 1s, promotion: 0.1s, routing: 2s}}
"""
DIES = "{at: 20s, crash: s1, of: process}"
BOTH_DIE = f"{DIES}, {{at: 20s, crash: s2, of: process}}"


def ran(mode: str, faults: str, *, seed: int = 1) -> replsim.Result:
    """The cluster after a run in this mode with these faults."""
    return replsim.run(replsim.loads(CLUSTER.format(mode=mode, faults=faults)), seed=seed)


def happened(result: replsim.Result) -> dict[str, tuple[float, str]]:
    """When each kind of thing happened last, in seconds, and to whom."""
    events = result.record.events
    what, node = events.words["what"], events.words["node"]
    return {
        what[each]: (time / SECOND, node[place])
        for time, place, each in zip(events["time"], events["node"], events["what"], strict=True)
    }


def last_answer(result: replsim.Result, before: float, after: float = 0) -> float:
    """When the last acknowledged commit of a stretch was acknowledged, in seconds."""
    times = result.commits["acknowledged"] / SECOND
    return float(max(times[(times >= after) & (times < before)], default=after))


@pytest.mark.parametrize(("mode", "latency"), [("on", 2e-3), ("strict", 2e-3), ("quorum", 2e-3)])
def test_commits_wait_for_the_standby_that_is_named(mode: str, latency: float) -> None:
    """The nearer standby, 1 ms away, is named first; every commit takes at least its round trip (§1.2)."""
    found = ran(mode, "").metrics
    assert latency < found["commit_latency.p50"] < 10 * latency


@pytest.mark.parametrize("seed", range(4))
def test_commits_block_until_the_next_look(seed: int) -> None:
    """When the named standby dies, commits wait for up to loop_wait, and then for the other one (§5)."""
    result = ran("on", DIES, seed=seed)
    named, leader = happened(result)["waits for FIRST 1 (s2)"]
    assert leader == "p"
    assert 20 < named <= 30
    assert last_answer(result, named) < 20.1
    assert last_answer(result, 79) > 78


def test_on_goes_on_alone_and_strict_does_not() -> None:
    """Without any standby `on` acknowledges again after the next look, and strict never (§5)."""
    on, strict = ran("on", BOTH_DIE), ran("strict", BOTH_DIE)
    alone, _ = happened(on)["goes on alone"]
    assert 20 < alone <= 30
    assert last_answer(on, alone) < 20.1
    assert last_answer(on, 79) > 78
    assert last_answer(strict, 80) < 20.1


@pytest.mark.parametrize("mode", ["on", "strict", "quorum"])
def test_nobody_takes_over_from_a_primary_that_was_alone(mode: str) -> None:
    """A standby that comes back only after the primary has died is no member, and is not promoted (§5)."""
    returns = "{at: 20s, for: 21s, crash: s1, of: process}, {at: 20s, crash: s2}, {at: 40s, crash: p}"
    result = ran(mode, returns.replace("crash: s2}", "crash: s2, of: process}"))
    assert "promoted" not in happened(result)
    assert result.metrics["lost_commits"] == 0


def test_only_the_member_promotes() -> None:
    """When the member dies with the primary, the other standby is not promoted, though it has most (§5)."""
    both = "{at: 20s, crash: s1, of: process}, {at: 20s, crash: p}"
    assert "promoted" not in happened(ran("on", both))
    assert happened(ran("off", both))["promoted"][1] == "s2"


def test_after_the_next_look_the_other_one_is_the_member() -> None:
    """Once s2 has been named and has caught up, it may take over, and nothing is lost (§5)."""
    result = ran("on", f"{DIES}, {{at: 35s, crash: p}}")
    assert happened(result)["promoted"][1] == "s2"
    assert result.metrics["lost_commits"] == 0


def test_a_quorum_does_not_stop_for_one_standby_and_asks_enough_voters() -> None:
    """ANY 1 of two goes on when one dies; if the primary dies at once, the other voter alone is no proof (§5)."""
    goes_on = ran("quorum", DIES)
    assert goes_on.metrics["commit_latency.max"] < 0.5
    assert "promoted" not in happened(ran("quorum", f"{DIES}, {{at: 20s, crash: p}}"))
    assert happened(ran("quorum", f"{DIES}, {{at: 35s, crash: p}}"))["promoted"][1] == "s2"


@pytest.mark.parametrize("mode", ["on", "strict", "quorum"])
@pytest.mark.parametrize("seed", range(4))
def test_a_member_has_all_that_was_acknowledged(mode: str, seed: int) -> None:
    """When the primary alone dies, a member takes over with every acknowledged commit."""
    result = ran(mode, "{at: 20s, crash: p}", seed=seed)
    assert "promoted" in happened(result)
    assert result.metrics["lost_commits"] == 0
