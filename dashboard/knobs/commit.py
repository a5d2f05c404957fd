"""Who must confirm a commit, how many standbys there are, and how far each is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dashboard.cluster import rules, standby_changes
from dashboard.knobs.knob import Knob
from dashboard.knobs.quantities import MS, Row, quantity
from replsim.rules.acks import LEVELS, SyncRule
from replsim.scenario import Scenario
from replsim.scenario.topology import zone_of

__all__ = ["LEVEL", "commit_knobs", "distance"]

LEVEL: Final = "primary.synchronous_commit"
"""The knob whose values mean something else where nobody must confirm."""
LEVEL_WORDS: Final = {
    "off": "off: told before the flush",
    "local": "local: on the primary's disk",
    "remote_write": "remote_write: in a standby's memory",
    "on": "on: on a standby's disk",
    "remote_apply": "remote_apply: visible on a standby",
}
ALONE: Final = {
    level: words if level == "off" else f"{level}: on the primary's disk" for level, words in LEVEL_WORDS.items()
}
"""In words where nobody but the primary must confirm."""


def commit_knobs(scenario: Scenario) -> Iterator[Knob]:
    """How far a commit must get, on how many of how many standbys."""
    group = "Commit"
    alone = not SyncRule.parse(scenario.primary.synchronous_standby_names).count
    yield Knob(
        LEVEL, group, "synchronous_commit",
        "How far a commit must get before its client is told."
        + (" While nobody must confirm, all but off are the same: the primary's disk." if alone else ""),
        scenario.primary.synchronous_commit, LEVELS, (ALONE if alone else LEVEL_WORDS).__getitem__,
        lambda level: {LEVEL: f'"{level}"' if level in ("on", "off") else level}, ordered=False,
    )  # fmt: skip
    offered = rules(scenario)
    yield Knob(
        "primary.synchronous_standby_names", group, "Who must confirm",
        "synchronous_standby_names. FIRST waits for those named first, ANY for whichever answer first (a quorum).",
        scenario.primary.synchronous_standby_names, tuple(offered), lambda rule: offered.get(rule, rule),
        lambda rule: {"primary.synchronous_standby_names": rule or '""'}, ordered=False,
    )  # fmt: skip
    yield Knob(
        "standbys", group, "Standbys", "How many servers stream from the primary; a new one is like the last.",
        len(scenario.standbys), tuple(range(max(6, len(scenario.standbys)) + 1)), str,
        lambda number: standby_changes(scenario, number),
    )  # fmt: skip


def distance(scenario: Scenario, name: str) -> Knob:
    """How far a standby is from its upstream: its zone where zones say it, else its link's latency."""
    upstream, group = scenario.upstream(name), f"Standby {name}"
    links = (f"{upstream} -> {name}", f"{name} -> {upstream}")
    link = next((each for each in links if each in scenario.links), None)
    zones = scenario.zones
    if link is None and zones is not None:
        known = {zone for each in scenario.nodes if (zone := zone_of(scenario, each))}
        known |= {end.strip() for pair in zones.latency for end in pair.split("->")}
        return Knob(
            f"standbys.{name}.zone", group, "Zone", f"Where it is; {upstream} is in {zone_of(scenario, upstream)}.",
            zone_of(scenario, name), tuple(sorted(known)), str, lambda zone: {f"standbys.{name}.zone": zone},
            ordered=False,
        )  # fmt: skip
    row = Row(
        f"links.{link or links[0]}.latency", "time", 0.05 * MS, 200 * MS, "Distance",
        f"The time one way from {upstream}: 0.1 ms is next door, 1 ms another zone, 40 ms another country.",
    )  # fmt: skip
    return quantity(scenario, row, group, row.path)
