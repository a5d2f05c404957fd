"""Where reads go, what they are promised, and what is done for one that would break it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dashboard.cluster import Changes
from dashboard.knobs.knob import Knob
from dashboard.knobs.quantities import held_at
from replsim.scenario import Scenario

__all__ = ["promises", "routing"]

ROUTES: Final = {
    "primary": "the primary",
    "round_robin": "the standbys in turn",
    "random": "a random standby",
    "nearest": "the nearest standby",
}
PROMISES: Final = {
    "none": "nothing",
    "read_your_writes": "your own writes",
    "monotonic_reads": "never less than before",
    "causal": "both of these",
    "bounded_staleness": "nothing older than 100 ms missing",
}
KEPT_BY: Final = {"wait": "waiting there", "primary": "asking the primary", "another": "trying another standby"}


def routing(scenario: Scenario, group: str, part: str, name: str) -> Iterator[Knob]:
    """Which node the reads of a reader or session group ask."""
    path, held = f"{part}.{name}.route", held_at(scenario, f"{part}.{name}.route").model_dump(mode="json")
    words = ROUTES | {node: f"only {node}" for node in scenario.standbys}
    now = held if isinstance(held, str) else "as it is"
    offered = words if now in words else {now: "as the scenario has it", **words}
    yield Knob(
        path, group, "Reads go to", "Which node a read asks.", now, tuple(offered),
        lambda route: offered.get(route, "as the scenario has it"),
        lambda route: {path: None if route == "as it is" else route}, ordered=False,
    )  # fmt: skip


def promises(scenario: Scenario, group: str, part: str, name: str) -> Iterator[Knob]:
    """What readers are promised, and what is done for a read that would break it."""
    path, held = f"{part}.{name}", held_at(scenario, f"{part}.{name}")
    if held.route.policy == "quorum":  # which takes what it gets
        return
    words = PROMISES if part == "sessions" else {each: PROMISES[each] for each in ("none", "bounded_staleness")}
    offered = words if held.guarantee in words else {held.guarantee: held.guarantee, **words}

    def write(promise: str) -> Changes:
        bound = "100ms" if promise == "bounded_staleness" else None
        by = {f"{path}.by": None} if promise == "none" else {}
        return {f"{path}.guarantee": promise, f"{path}.bound": bound, **by}

    yield Knob(
        f"{path}.guarantee", group, "Promise", "What every read must see, whatever it costs.",
        held.guarantee, tuple(offered), lambda promise: offered.get(promise, promise), write, ordered=False,
    )  # fmt: skip
    if held.promises:
        yield Knob(
            f"{path}.by", group, "Kept by", "What a read does at a standby that is behind.", held.by,
            tuple(KEPT_BY), KEPT_BY.__getitem__, lambda by: {f"{path}.by": by}, ordered=False,
        )  # fmt: skip
