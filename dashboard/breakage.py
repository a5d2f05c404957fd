"""What can be broken, in words, and who takes over: as changes of a scenario."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from dashboard.cluster import Changes
from replsim.scenario import Scenario
from replsim.scenario.failover import Manual, NoFailover
from replsim.scenario.faults import FAULTS, verb_of
from replsim.scenario.topology import link_between
from replsim.summary import show
from replsim.units import SECOND, format_duration

__all__ = [
    "BREAKAGES",
    "MANAGERS",
    "Breakage",
    "added",
    "manager_changes",
    "manager_of",
    "removed",
    "successor",
    "targets",
    "told",
    "written",
]

Target = Literal["node", "standby", "link", "client", "writer", "nodes"]


@dataclass(frozen=True)
class Breakage:
    """One kind of fault: its verb in a scenario, its words, what it happens to, and what else it says."""

    verb: str
    words: str
    target: Target
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def moment(self) -> bool:
        """Whether it is done in a moment, and lasts no time."""
        return FAULTS[self.verb].moment


BREAKAGES: Final = {
    each.verb: each
    for each in (
        Breakage("crash", "A server dies", "node"),
        Breakage("cut", "A link is cut", "link"),
        Breakage("slow", "A disk is 20 times slower", "node", {"times": 20}),
        Breakage("stall", "A disk stands still", "node"),
        Breakage("pause_replay", "Replay is paused", "standby"),
        Breakage("load", "Three times the load", "client", {"times": 3}),
        Breakage("query", "A long query stops replay", "standby"),
        Breakage("switchover", "A standby takes over, as planned", "standby"),
        Breakage("restart", "Servers restart, one after the other", "nodes"),
        Breakage("cancel", "Clients give up waiting for standbys", "writer"),
        Breakage("delay", "A link is 50 ms slower", "link", {"by": "50ms"}),
        Breakage("pause", "A server freezes", "node"),
        Breakage("partition", "A server is cut off from all", "node"),
    )
}
"""What the page offers; a scenario's file can say more."""

MANAGERS: Final = {
    "none": "nobody", "manual": "an operator, after 5 s", "patroni": "Patroni", "quorum": "a quorum (Raft-like)",
}  # fmt: skip
OPERATOR: Final = 5 * SECOND
"""How long after the first fault an operator promotes a standby."""


def targets(scenario: Scenario, target: Target) -> list[str]:
    """What a kind of fault can happen to, in a scenario."""
    if target == "node":
        return list(scenario.nodes)
    if target == "standby":
        return list(scenario.standbys)
    if target == "link":
        return [f"{scenario.upstream(name)} -> {name}" for name in scenario.standbys]
    if target == "nodes":
        return [", ".join([*scenario.standbys, scenario.primary.name])]
    if target == "writer":
        return [*scenario.writers, *scenario.sessions]
    writers = [name for name, each in scenario.writers.items() if each.clients is None]
    return [*writers, *scenario.readers]


def added(scenario: Scenario, breakage: Breakage, target: str, at: int, lasts: int | None) -> Changes:
    """The scenario with one more fault, ``at`` a moment for so long (nanoseconds; None: to the end).

    An operator who had nothing to react to reacts to the first one.
    """
    happens: dict[str, Any] = {"at": format_duration(at)}
    if lasts is not None and not breakage.moment:
        happens["for"] = format_duration(lasts)
    happens[breakage.verb] = {"partition": [[target]], "restart": target.split(", ")}.get(breakage.verb, target)
    changes = _with_faults(scenario, [*written(scenario), happens | dict(breakage.extra)])
    if isinstance(scenario.failover, Manual) and not scenario.faults:
        changes["failover"] = _operator(scenario, scenario.failover.promote, at)
    return changes


def removed(scenario: Scenario, place: int) -> Changes:
    """The scenario without one of its faults."""
    return _with_faults(scenario, [fault for nth, fault in enumerate(written(scenario)) if nth != place])


def _with_faults(scenario: Scenario, faults: Sequence[Any]) -> Changes:
    changes: Changes = {"faults": json.dumps(faults) if faults else "null"}
    if _planned(faults) or _planned(written(scenario)):
        managed = not isinstance(scenario.failover, NoFailover)
        changes |= _links(scenario, wanted=managed or _planned(faults))
    return changes


def told(scenario: Scenario) -> list[str]:
    """Each fault of a scenario in words: what, to what, when, for how long."""
    lines = []
    for fault in scenario.faults:
        known = BREAKAGES.get(verb_of(fault) or "")
        between = " from " if verb_of(fault) == "partition" else ", "
        what = str(fault).partition(" ")[2].replace(" | ", between)
        words = f"{known.words}: {what}" if known else str(fault)
        when = "again and again" if fault.at is None else f"at {show(fault.at / SECOND, 's')}"
        lasts = "" if fault.for_ is None else f" for {show(fault.for_.mean / SECOND, 's')}"
        lines.append(f"{words}, {when}{lasts}")
    return lines


def manager_of(scenario: Scenario) -> str:
    """Who promotes a standby."""
    return scenario.failover.manager


def manager_changes(scenario: Scenario, manager: str) -> Changes:
    """The scenario with another manager, with times as short as they are in use: a page shows it in a minute."""
    first = min((fault.at for fault in scenario.faults if fault.at is not None), default=scenario.duration // 4)
    # Two nodes need a witness, as one of them is no majority.
    voters = f"[{', '.join(scenario.nodes)}, witness]" if len(scenario.nodes) == 2 else "[]"
    chosen = {
        "none": None,
        "manual": _operator(scenario, next(iter(scenario.direct), ""), first),
        "patroni": f"{{manager: patroni, ttl: 20s, loop_wait: 5s, retry_timeout: 5s, store: {voters}}}",
        "quorum": f"{{manager: quorum, heartbeat: 1s, election_timeout: 5s, members: {voters}}}",
    }
    return successor(scenario, chosen[manager])


def successor(scenario: Scenario, manager: str | None) -> Changes:
    """The scenario with a manager (YAML; None: whom it names itself), and the links that it needs."""
    return {"failover": manager} | _links(scenario, wanted=manager is not None or _planned(written(scenario)))


def _links(scenario: Scenario, *, wanted: bool) -> Changes:
    """Links that the nodes lack to follow a new primary: they come and go with who may be promoted."""
    changes: Changes = {}
    nodes = (scenario.primary.name, *scenario.direct)
    for here, there in sorted({tuple(sorted((heir, node))) for heir in scenario.standbys for node in nodes}):
        if here == there or here == _upstream(scenario, there) or there == _upstream(scenario, here):
            continue
        if not wanted:
            changes[f"links.{here} -> {there}"] = None
        elif link_between(scenario, here, there) is None:
            changes[f"links.{here} -> {there}"] = "{latency: 1ms}"
    return changes


def _planned(faults: Sequence[Any]) -> bool:
    return any(verb_of(fault) == "switchover" for fault in faults)


def _upstream(scenario: Scenario, name: str) -> str:
    return "" if name == scenario.primary.name else scenario.upstream(name)


def _operator(scenario: Scenario, promote: str, first: int) -> str:
    """An operator who promotes a standby some time after the first fault."""
    at = format_duration(min(first + OPERATOR, scenario.duration))
    return f"{{manager: manual, at: {at}, promote: {promote}, routing: 1s}}"


def written(scenario: Scenario) -> list[Any]:
    """The faults of a scenario, as YAML has them."""
    return [fault.model_dump(mode="json", exclude_defaults=True, by_alias=True) for fault in scenario.faults]
