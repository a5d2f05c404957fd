"""Knobs: what each turn changes in the scenario, and that turning back leaves no trace."""

from __future__ import annotations

import pytest

from dashboard.knobs import Knob, knobs
from dashboard.knobs.faults import MISHAPS
from dashboard.links import Setup
from dashboard.sources import gallery, scenario_of
from dashboard.turns import turned
from replsim.units import SECOND

THREE = Setup("quickstart/three-nodes")
MS = SECOND // 1000


def knob(setup: Setup, path: str) -> Knob:
    """The knob of a setup at a path."""
    (found,) = (each for each in knobs(scenario_of(setup)) if each.path == path)
    return found


def turn(setup: Setup, path: str, value: object) -> Setup:
    """The setup after one turn."""
    return turned(setup, knob(setup, path), value)


@pytest.mark.parametrize("base", [name for name in gallery() if not name.startswith("validation/")])
def test_every_knob_of_every_scenario_can_be_turned_and_turned_back(base: str) -> None:
    """Each knob, turned to its neighbour, stands there in a sound scenario; turned back, it leaves no change."""
    setup = Setup(base)
    for each in knobs(scenario_of(setup)):
        at = each.options.index(each.value)
        other = each.options[at + 1 if at + 1 < len(each.options) else at - 1]
        after = turned(setup, each, other)
        there = next(one for one in knobs(scenario_of(after), scenario_of(setup)) if one.path == each.path)
        assert there.value == other, each.path
        assert each.value in there.options, "the way back is a stop of the slider"
        assert turn(after, each.path, each.value) == setup, each.path


def test_no_two_knobs_share_a_place() -> None:
    """A knob's path is its widget's key: each is there once."""
    for base in gallery():
        paths = [each.path for each in knobs(scenario_of(Setup(base)))]
        assert len(set(paths)) == len(paths), base


def test_options_are_in_order_and_hold_the_value() -> None:
    """A slider's stops rise, and the scenario's own value is one of them."""
    for each in knobs(scenario_of(THREE)):
        assert each.value in each.options, each.path
        if each.ordered:
            assert list(each.options) == sorted(set(each.options)), each.path


def test_a_distance_keeps_the_shape_of_its_distribution() -> None:
    """A link that is told by its median and p99 keeps their ratio when it is moved."""
    scenario = scenario_of(turn(THREE, "links.p -> s2.latency", 3 * MS))
    law = scenario.links["p -> s2"].latency.lognormal
    assert law is not None
    assert (law.median, law.p99) == (3 * MS, 6 * MS)
    assert scenario.links["p -> s2"].hold == 50 * MS


def test_a_third_standby_is_like_the_last_and_may_confirm() -> None:
    """A standby that is added is as fast and as far as the last one, and has a place in the rule."""
    scenario = scenario_of(turn(turn(THREE, "standbys.s2.replay.per_record", 50_000), "standbys", 3))
    assert scenario.standbys["s3"] == scenario.standbys["s2"] != scenario.standbys["s1"]
    assert list(scenario.standbys) == ["s1", "s2", "s3"]
    assert scenario.links["p -> s3"] == scenario.links["p -> s2"]
    assert scenario.primary.synchronous_standby_names == "ANY 1 (s1, s2, s3)"


def test_a_standby_that_goes_takes_all_that_names_it() -> None:
    """Without s2 there is no link to it, no rule and no expectation of it, and what was turned on it is forgotten."""
    setup = turn(turn(THREE, "standbys.s2.replay.per_record", 50_000), "standbys", 1)
    scenario = scenario_of(setup)
    assert list(scenario.standbys) == ["s1"]
    assert list(scenario.links) == ["p -> s1"]
    assert scenario.primary.synchronous_standby_names == "ANY 1 (s1)"
    assert [str(line) for line in scenario.expect] == ["commit_latency.p99 < 20ms"]
    assert not any(path.startswith("standbys.s2.") for path, _ in setup.changes)


def test_a_cascade_without_its_middle_streams_from_the_primary() -> None:
    """With one standby left of three in a row, that one is the first; with none left, nobody must confirm."""
    cascade = Setup("postgresql/cascading")
    assert list(scenario_of(turn(cascade, "standbys", 1)).standbys) == ["s1"]
    alone = scenario_of(turn(cascade, "standbys", 0))
    assert (alone.standbys, alone.primary.synchronous_standby_names) == ({}, "")


def test_standbys_in_zones_move_from_zone_to_zone() -> None:
    """Where zones say how far a standby is, the knob is its zone, and a new standby joins the last one's."""
    zones = Setup("postgresql/three-zones")
    assert knob(zones, "standbys.s1.zone").options == ("a", "b", "c")
    assert scenario_of(turn(zones, "standbys.s1.zone", "a")).standbys["s1"].zone == "a"
    assert scenario_of(turn(zones, "standbys", 3)).standbys["s3"].zone == "c"


def test_off_and_on_stay_words() -> None:
    """`off` and `on` reach the scenario as levels, not as booleans."""
    for level in ("off", "on", "remote_apply"):
        setup = THREE.changed({"primary.synchronous_commit": "local"})
        assert scenario_of(turn(setup, "primary.synchronous_commit", level)).primary.synchronous_commit == level


def test_nobody_must_confirm() -> None:
    """The empty rule is a choice as any other."""
    rule = "primary.synchronous_standby_names"
    assert scenario_of(turn(THREE, rule, "")).primary.synchronous_standby_names == ""
    assert turn(turn(THREE, rule, ""), rule, "ANY 1 (s1, s2)") == THREE


@pytest.mark.parametrize("mishap", MISHAPS)
@pytest.mark.parametrize("base", ["quickstart/async-replica", "postgresql/cascading", "postgresql/three-zones"])
def test_a_fault_comes_with_all_it_needs_and_stays_in_the_run(base: str, mishap: str) -> None:
    """It is on within the measured part; in a shorter run and with other standbys it is still there; then it goes."""
    broken = turn(Setup(base), "faults", mishap)
    for setup in (broken, turn(broken, "duration", 10 * SECOND), turn(broken, "standbys", 1)):
        scenario = scenario_of(setup)
        (fault,) = scenario.faults
        assert fault.at is not None
        assert scenario.warmup < fault.at < scenario.duration
        if fault.for_ is not None:
            assert fault.at + fault.for_.mean < scenario.duration
        assert knob(setup, "faults").value == mishap
        assert Setup.from_query(setup.query) == setup, "the address holds it"
    assert turn(broken, "faults", "none") == Setup(base), "its manager and its links go with it"


def test_a_fault_strikes_the_standby_that_is_asked_for() -> None:
    """Where more than one standby can feel it, a second knob says which; when that one goes, another has it."""
    broken = turn(turn(THREE, "faults", "cut"), "faults.where", "s2")
    assert [fault.target for fault in scenario_of(broken).faults] == ["p -> s2"]
    assert [fault.target for fault in scenario_of(turn(broken, "standbys", 1)).faults] == ["p -> s1"]


def test_the_scenario_s_own_faults_are_a_choice() -> None:
    """A scenario with faults of its own can be seen without them, or with another, and is found again."""
    outage = Setup("failures/any-1-one-crash")
    offered = knob(outage, "faults")
    assert offered.value == "own"
    without = turned(outage, offered, "none")
    assert scenario_of(without).faults == ()
    again = next(each for each in knobs(scenario_of(without), scenario_of(outage)) if each.path == "faults")
    assert turned(turned(without, again, "pause"), again, "own") == outage


def test_a_standby_that_goes_takes_its_faults_along() -> None:
    """A fault of a standby that is no longer there would be an error: it goes too, and the others stay."""
    faults = '[{"at": "3s", "for": "1s", "crash": "s2"}, {"at": "5s", "for": "1s", "cut": "p -> s1"}]'
    setup = turn(THREE.changed({"faults": faults}), "standbys", 1)
    assert [str(fault) for fault in scenario_of(setup).faults] == ["cut p -> s1"]
