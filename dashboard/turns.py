"""A knob's turn: from one setup to the next, with nothing in it that changes nothing."""

from __future__ import annotations

import json
from typing import Any

from dashboard.knobs import Knob, knobs
from dashboard.knobs.faults import MISHAPS, put_in, standing, taken_out
from dashboard.links import Setup
from dashboard.sources import base_scenario, scenario_of
from replsim.errors import ScenarioError, dotted
from replsim.rules.acks import SyncRule
from replsim.scenario import Scenario

__all__ = ["turned"]

_PLACES = ("duration", "standbys")
"""The knobs on which the place of a fault depends."""


def turned(setup: Setup, knob: Knob, value: Any) -> Setup:
    """The setup in which ``knob`` stands at ``value``.  A knob turned back leaves no trace.

    A fault of the faults knob keeps its place in a run of another length, and with other standbys.
    """
    scenario = scenario_of(setup)
    name, node = standing(scenario)
    if knob.path not in _PLACES or name not in MISHAPS:
        return _turned(setup, knob, value)
    bare = setup.changed(taken_out(scenario))
    after = _turned(bare, next(each for each in knobs(scenario_of(bare)) if each.path == knob.path), value)
    if _problems(after) is not None:
        return after
    again = scenario_of(after)
    return after.changed(put_in(again, name, node)) if MISHAPS[name].targets(again) else after


def _turned(setup: Setup, knob: Knob, value: Any) -> Setup:
    as_it_was = any(own.path == knob.path and own.value == value for own in knobs(base_scenario(setup)))
    if as_it_was and knob.path in dict(setup.changes):
        mends = [path for path, _ in setup.changes if _is_mend(path)]
        back = setup.changed(dict.fromkeys([*knob.write(value), *mends]))
        return back if _problems(back) is None else setup.changed(dict.fromkeys(knob.write(value)))
    changes = dict(knob.write(value))
    for path, text in list(changes.items()):
        if text == "null":
            # What was said of a thing goes with the thing.
            changes |= {said: None for said, _ in setup.changes if said.startswith(f"{path}.")}
    after = _mended(setup.changed(changes))
    return _tidied(after, [path for path, text in changes.items() if text is not None])


def _mended(setup: Setup) -> Setup:
    """Without what a turn has left without a meaning: expectations that nothing can be measured for, reads that contend
    with the replay of no standby."""
    error = _problems(setup)
    if error is None:
        return setup
    lost = {problem.path[1] for problem in error.problems if problem.path[:1] == ("expect",) and problem.path[1:]}
    changes: dict[str, str | None] = {
        dotted(problem.path): "null" for problem in error.problems if _is_mend(dotted(problem.path))
    }
    if lost:
        lines = [str(line) for nth, line in enumerate(base_scenario(setup).expect) if nth not in lost]
        changes["expect"] = json.dumps(lines) if lines else "null"
    return setup.changed(changes)


def _is_mend(path: str) -> bool:
    return path == "expect" or path.endswith(".contends")


def _problems(setup: Setup) -> ScenarioError | None:
    try:
        scenario_of(setup)
    except ScenarioError as error:
        return error
    return None


def _tidied(setup: Setup, paths: list[str]) -> Setup:
    """Without those changes that the scenario is the same without."""
    try:
        wanted = scenario_of(setup)
    except ScenarioError:
        return setup
    for path in reversed(paths):
        try:
            without = setup.changed({path: None})
            if _alike(scenario_of(without), wanted):
                setup = without
        except ScenarioError:
            continue
    return setup


def _alike(one: Scenario, other: Scenario) -> bool:
    """Whether two scenarios are the same, however the rule is spelled: ``s1`` is ``FIRST 1 (s1)``."""
    names = [each.primary.synchronous_standby_names for each in (one, other)]
    if SyncRule.parse(names[0]) != SyncRule.parse(names[1]):
        return False
    respelled = one.primary.model_copy(update={"synchronous_standby_names": names[1]})
    return one.model_copy(update={"primary": respelled}) == other
