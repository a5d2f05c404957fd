"""A knob's turn: from one setup to the next, with nothing in it that changes nothing."""

from __future__ import annotations

from typing import Any

from dashboard.knobs import Knob, knobs
from dashboard.links import Setup
from dashboard.sources import base_scenario, scenario_of
from replsim.errors import ScenarioError

__all__ = ["turned"]


def turned(setup: Setup, knob: Knob, value: Any) -> Setup:
    """The setup in which ``knob`` stands at ``value``.  A knob turned back leaves no trace."""
    as_it_was = any(own.path == knob.path and own.value == value for own in knobs(base_scenario(setup)))
    if as_it_was and knob.path in dict(setup.changes):
        return setup.changed(dict.fromkeys(knob.write(value)))
    changes = dict(knob.write(value))
    for path, text in list(changes.items()):
        if text == "null":
            # What was said of a thing goes with the thing.
            changes |= {said: None for said, _ in setup.changes if said.startswith(f"{path}.")}
    after = setup.changed(changes)
    return _tidied(after, [path for path, text in changes.items() if text is not None])


def _tidied(setup: Setup, paths: list[str]) -> Setup:
    """Without those changes that the scenario is the same without."""
    try:
        wanted = scenario_of(setup)
    except ScenarioError:
        return setup
    for path in reversed(paths):
        try:
            without = setup.changed({path: None})
            if scenario_of(without) == wanted:
                setup = without
        except ScenarioError:
            continue
    return setup
