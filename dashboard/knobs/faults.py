"""What breaks: one fault, placed so that one sees it come and go.  `Break it` has the timeline for more."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from dashboard.breakage import BREAKAGES, successor, written
from dashboard.cluster import Changes
from dashboard.knobs.knob import Knob
from replsim.scenario import Scenario
from replsim.scenario.failover import NoFailover, Quorum
from replsim.units import SECOND, format_duration

__all__ = ["MISHAPS", "Mishap", "fault_knobs", "put_in", "standing", "taken_out"]


@dataclass(frozen=True)
class Mishap:
    """One fault that a page places by itself: its verb in a scenario, its words, and what it happens to."""

    verb: str
    words: str
    hits: Literal["primary", "standby"] = "standby"
    lasting: bool = False
    """Whether it lasts to the end, so that somebody has to take over."""

    def targets(self, scenario: Scenario) -> dict[str, str]:
        """What it can happen to, by the node that feels it."""
        if self.hits == "primary":
            return {scenario.primary.name: scenario.primary.name} if scenario.standbys or not self.lasting else {}
        if self.verb == "cut":
            return {name: f"{scenario.upstream(name)} -> {name}" for name in scenario.standbys}
        return {name: name for name in scenario.standbys}

    def fault(self, scenario: Scenario, node: str) -> Mapping[str, Any]:
        """The fault as a scenario writes it: a third into the measured part, for a fifth of it."""
        measured = scenario.duration - scenario.warmup
        happens: dict[str, Any] = {"at": _round(scenario.warmup + measured * 3 // 10)}
        if not self.lasting:
            happens["for"] = _round(measured // 5)
        return happens | {self.verb: self.targets(scenario)[node]} | dict(BREAKAGES[self.verb].extra)


MISHAPS: Final = {
    "crash": Mishap("crash", "a standby dies, and comes back"),
    "cut": Mishap("cut", "a standby's link is cut"),
    "slow": Mishap("slow", "a standby's disk is 20 times slower"),
    "pause": Mishap("pause_replay", "a standby's replay is paused"),
    "disk": Mishap("slow", "the primary's disk is 20 times slower", hits="primary"),
    "failover": Mishap("crash", "the primary dies, a standby takes over", hits="primary", lasting=True),
}
QUICK: Final = {"manager": "quorum", "heartbeat": "200ms", "election_timeout": "1s", "routing": "500ms"}
"""Who promotes where the scenario names nobody: quick, so that a short run shows all of it."""


def fault_knobs(scenario: Scenario) -> Iterator[Knob]:
    """What breaks, and where."""
    now, where = standing(scenario)
    words = {"none": "nothing"} | {name: each.words for name, each in MISHAPS.items() if each.targets(scenario)}
    if now == "own":
        words = {"own": "as the scenario has it"} | words
    yield Knob(
        "faults", "Faults", "What breaks", "Once, a third into the run. Break it has the timeline for more.",
        now, tuple(words), lambda name: words.get(name, "as the scenario has it"),
        lambda name: put_in(scenario, name, ""), ordered=False,
    )  # fmt: skip
    nodes = tuple(MISHAPS[now].targets(scenario)) if now in MISHAPS else ()
    if len(nodes) > 1:
        yield Knob(
            "faults.where", "Faults", "Where", "The standby that feels it.", where, nodes, str,
            lambda node: put_in(scenario, now, node), ordered=False,
        )  # fmt: skip


def standing(scenario: Scenario) -> tuple[str, str]:
    """Which of `MISHAPS` a scenario's faults are, and the node that feels it; else ``none``, or its ``own``."""
    if not scenario.faults:
        return "none", ""
    faults = written(scenario)
    for name, mishap in MISHAPS.items():
        if mishap.lasting and isinstance(scenario.failover, NoFailover):
            continue
        for node in mishap.targets(scenario):
            if faults == [mishap.fault(scenario, node)]:
                return name, node
    return "own", ""


def put_in(scenario: Scenario, name: str, node: str) -> Changes:
    """What makes one of `MISHAPS` the only fault, at ``node`` or at the first one that can feel it; ``none`` or
    ``own`` take it out."""
    changes = taken_out(scenario)
    if name not in MISHAPS:
        return changes if name == "own" else changes | {"faults": "null"}
    mishap = MISHAPS[name]
    nodes = mishap.targets(scenario)
    changes["faults"] = json.dumps([mishap.fault(scenario, node if node in nodes else next(iter(nodes)))])
    if mishap.lasting and (isinstance(scenario.failover, NoFailover) or _is_quick(scenario)):
        changes |= successor(scenario, json.dumps(_quick(scenario)))
    return changes


def taken_out(scenario: Scenario) -> Changes:
    """What takes back the fault, and the manager that came with it."""
    return {"faults": None} | (successor(scenario, None) if _is_quick(scenario) else {})


def _quick(scenario: Scenario) -> dict[str, Any]:
    """The quick manager; two nodes need a witness, as one of them is no majority."""
    members = {"members": [*scenario.nodes, "witness"]} if len(scenario.nodes) == 2 else {}
    return QUICK | members


def _is_quick(scenario: Scenario) -> bool:
    return scenario.failover == Quorum.model_validate(_quick(scenario))


def _round(time: int) -> str:
    step = SECOND // 10 if time >= SECOND else SECOND // 1000
    return format_duration(max(time // step, 1) * step)
