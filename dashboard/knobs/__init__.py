"""The knobs that matter: what each changes, between which bounds, and in which words.

A `Knob` belongs to one scenario and knows its value there; turning it gives the changes (path → value, as ``--set``
has them) that make it so.  Nothing here knows of widgets.
"""

from __future__ import annotations

from collections.abc import Iterator

from dashboard.knobs.commit import LEVEL, commit_knobs, distance
from dashboard.knobs.faults import fault_knobs
from dashboard.knobs.knob import Knob
from dashboard.knobs.quantities import PRIMARY, READER, RUN, SESSION, STANDBY, WRITER, quantities
from dashboard.knobs.reads import promises, routing
from replsim.scenario import Scenario

__all__ = ["LEVEL", "Knob", "knobs"]


def knobs(scenario: Scenario, base: Scenario | None = None) -> list[Knob]:
    """Every knob of a scenario, in the order in which a page shows them; each can also stand as in ``base``."""
    if base is None:
        return list(_every(scenario))
    own = {knob.path: knob.value for knob in _every(base)}
    same_nodes = scenario.nodes == base.nodes
    return [
        knob.with_option(own[knob.path]) if knob.path in own and (knob.ordered or same_nodes) else knob
        for knob in _every(scenario)
    ]


def _every(scenario: Scenario) -> Iterator[Knob]:
    yield from commit_knobs(scenario)
    yield from quantities(scenario, PRIMARY, "Primary")
    for name in scenario.standbys:
        yield distance(scenario, name)
        yield from quantities(scenario, STANDBY, f"Standby {name}", name)
    for name in scenario.writers:
        yield from quantities(scenario, WRITER, f"Writers: {name}", name)
    for part, group, names, rows in (
        ("sessions", "Users", scenario.sessions, SESSION),
        ("readers", "Readers", scenario.readers, READER),
    ):
        for name in names:
            yield from quantities(scenario, rows, f"{group}: {name}", name)
            yield from routing(scenario, f"{group}: {name}", part, name)
            yield from promises(scenario, f"{group}: {name}", part, name)
    yield from fault_knobs(scenario)
    yield from quantities(scenario, RUN, "Run")
