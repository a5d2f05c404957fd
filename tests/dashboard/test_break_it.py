"""Break it: faults come and go on the timeline, and somebody takes over."""

from __future__ import annotations

import pytest

from dashboard.breakage import BREAKAGES, MANAGERS, added, manager_changes, manager_of, removed, targets, told
from dashboard.links import Setup
from dashboard.sources import scenario_of
from replsim.units import SECOND
from tests.dashboard.pages import open_page

THREE = Setup("quickstart/three-nodes")


@pytest.mark.parametrize("verb", BREAKAGES)
def test_every_kind_of_fault_can_be_added_and_taken_out(verb: str) -> None:
    """Whatever is offered makes a sound scenario with that fault at its time; taken out, nothing is left of it."""
    before = scenario_of(THREE)
    kind = BREAKAGES[verb]
    target = targets(before, kind.target)[-1]
    setup = THREE.changed(added(before, kind, target, 3 * SECOND, 2 * SECOND))
    scenario = scenario_of(setup)
    (fault,) = scenario.faults
    assert (fault.verb, fault.at) == (verb, 3 * SECOND)
    assert told(scenario) == [f"{kind.words}: {target}, at 3 s for 2 s"]
    assert scenario_of(setup.changed(removed(scenario, 0))) == before


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


def test_the_page_adds_what_was_chosen() -> None:
    """The button puts the fault into the scenario, and so into the address."""
    at = open_page("break_it")
    at.selectbox(key="fault").set_value("pause_replay")
    at.run()
    next(button for button in at.button if button.label == "Add to the timeline").click()
    at.run()
    assert at.query_params["set"].startswith('faults=[{"at": "6s", "for": "3s", "pause_replay": "s1"}')
    assert any("Replay is paused: s1, at 6 s for 3 s" in each.value.replace("\\", "") for each in at.markdown)
