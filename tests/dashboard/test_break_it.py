"""Break it: faults come and go on the timeline, and somebody takes over."""

from __future__ import annotations

import pytest

from dashboard.breakage import BREAKAGES, MANAGERS, added, manager_changes, manager_of, removed, targets, told
from dashboard.links import Setup
from dashboard.sources import scenario_of
from replsim import front
from replsim.analysis.troubles import troubles
from replsim.scenario.failover import Manual
from replsim.units import SECOND
from tests.dashboard.pages import figure, open_page

THREE = Setup("quickstart/three-nodes")


@pytest.mark.parametrize("verb", BREAKAGES)
def test_every_kind_of_fault_can_be_added_and_taken_out(verb: str) -> None:
    """Whatever is offered makes a sound scenario with that fault at its time, and can be simulated; taken out, nothing
    is left of it."""
    before = scenario_of(THREE)
    kind = BREAKAGES[verb]
    target = targets(before, kind.target)[-1]
    setup = THREE.changed(added(before, kind, target, 3 * SECOND, 2 * SECOND))
    scenario = scenario_of(setup)
    (fault,) = scenario.faults
    assert (fault.verb, fault.at) == (verb, 3 * SECOND)
    assert told(scenario) == [f"{kind.words}: {target}, at 3 s" + ("" if kind.moment else " for 2 s")]
    assert scenario_of(setup.changed(removed(scenario, 0))) == before
    (trouble,) = troubles(front.run(scenario.changed(duration="6s", expect=())).facts)
    assert trouble.start == 3 * SECOND
    if verb != "restart":  # one server after the other
        assert trouble.end == (3 if kind.moment else 5) * SECOND


def test_a_second_fault_leaves_the_first() -> None:
    """Faults add up, in the order in which they were added; without a length one lasts to the end."""
    setup = THREE
    for verb, at in (("crash", 5), ("cut", 2)):
        scenario = scenario_of(setup)
        kind = BREAKAGES[verb]
        setup = setup.changed(added(scenario, kind, targets(scenario, kind.target)[0], at * SECOND, None))
    assert told(scenario_of(setup)) == ["A server dies: p, at 5 s", "A link is cut: p -> s1, at 2 s"]
    assert Setup.from_query(setup.query) == setup, "the address holds them"


@pytest.mark.parametrize("manager", MANAGERS)
def test_each_manager_can_be_chosen(manager: str) -> None:
    """Who takes over is a choice; nobody is what the scenario says anyway."""
    setup = THREE.changed(manager_changes(scenario_of(THREE), manager))
    assert manager_of(scenario_of(setup)) == manager
    assert (setup == THREE) == (manager == "none")
    assert setup.changed(manager_changes(scenario_of(setup), "none")) == THREE, "what it needed goes with it"


def test_an_operator_promotes_after_the_first_fault() -> None:
    """Whether the fault or the operator was chosen first: the promotion comes five seconds after the fault."""
    base = scenario_of(THREE)
    first = THREE.changed(added(base, BREAKAGES["crash"], "p", 3 * SECOND, None))
    first = first.changed(manager_changes(scenario_of(first), "manual"))
    then = THREE.changed(manager_changes(base, "manual"))
    then = then.changed(added(scenario_of(then), BREAKAGES["crash"], "p", 3 * SECOND, None))
    for setup in (first, then):
        manager = scenario_of(setup).failover
        assert isinstance(manager, Manual)
        assert (manager.at, manager.promote) == (8 * SECOND, "s1")


@pytest.mark.parametrize("manager", ["manual", "patroni", "quorum"])
def test_the_page_shows_who_took_over_and_what_was_lost(manager: str) -> None:
    """With every manager the dead primary is succeeded within the minute, and the seeds' times are drawn."""
    setup = THREE.changed({"duration": "60s", "writers.app.rate": "100/s", "readers.web.rate": "100/s"})
    setup = setup.changed(added(scenario_of(setup), BREAKAGES["crash"], "p", 10 * SECOND, None))
    setup = setup.changed(manager_changes(scenario_of(setup), manager))
    at = open_page("break_it", *setup.query["set"], scenario=setup.base, seeds="3")
    bars = [bar for bar in figure(at, "Who was primary")["data"] if bar["type"] == "bar"]
    assert [bar["name"] for bar in bars] == ["primary, timeline 1", "primary, timeline 2", "down"]
    assert figure(at, "What became of commits: mean over 3 seeds")
    for title in ("Commits lost", "Recovery point (RPO)", "Recovery time (RTO)"):
        assert len(figure(at, f"{title}, seed by seed")["data"]) == 1
    assert any("; clients reached s" in html.proto.body for html in at.get("html"))


def test_a_run_that_is_too_short_for_a_manager_can_be_longer() -> None:
    """A lease that runs out after the end shows nothing: the page says so, and a button makes it a minute."""
    setup = THREE.changed(added(scenario_of(THREE), BREAKAGES["crash"], "p", 5 * SECOND, None))
    setup = setup.changed(manager_changes(scenario_of(setup), "patroni"))
    at = open_page("break_it", *setup.query["set"], scenario=setup.base)
    next(button for button in at.button if button.label == "Run it for a minute").click()
    at.run()
    longer = Setup.from_query({"scenario": [setup.base], "set": at.query_params["set"]})
    assert scenario_of(longer).duration == 60 * SECOND


def test_the_page_adds_what_was_chosen() -> None:
    """The button puts the fault into the scenario, and so into the address."""
    at = open_page("break_it")
    at.selectbox(key="fault").set_value("pause_replay")
    at.run()
    next(button for button in at.button if button.label == "Add to the timeline").click()
    at.run()
    assert at.query_params["set"].startswith('faults=[{"at": "6s", "for": "3s", "pause_replay": "s1"}')
    assert any("Replay is paused: s1, at 6 s for 3 s" in each.value.replace("\\", "") for each in at.markdown)
