"""Changes that keep a cluster sound: another number of standbys, another rule for who must confirm."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from replsim.rules.acks import SyncRule
from replsim.scenario import Scenario
from replsim.scenario.failover import Patroni, Quorum
from replsim.scenario.succession import heirs

__all__ = ["Changes", "rules", "standby_changes"]

Changes = dict[str, str | None]
"""Path → value, as ``--set`` has them; None takes a change back."""


def rules(scenario: Scenario) -> dict[str, str]:
    """The values of ``synchronous_standby_names`` that the scenario's standbys allow, each in words; its own too."""
    if isinstance(scenario.failover, Patroni) and scenario.failover.synchronous_mode != "off":
        return {"": "whom Patroni names"}
    names = scenario.direct
    listed = ", ".join(names)
    found = {"": "nobody (asynchronous)"}
    for method, words in (("ANY", "any"), ("FIRST", "the first")):
        found |= {f"{method} {n} ({listed})": f"{words} {n} of {listed}" for n in range(1, len(names))}
    if names:
        found[f"ANY {len(names)} ({listed})"] = f"all of {listed}" if names[1:] else f"{listed} alone"
    own = scenario.primary.synchronous_standby_names
    return found if own in found else {own: own, **found}


def standby_changes(scenario: Scenario, number: int) -> Changes:
    """What makes it so many standbys; the last ones go first, and nothing is left that names them."""
    names = list(scenario.standbys)
    if number > len(names):
        return _added(scenario, number - len(names))
    changes: Changes = {}
    kept = names[:number]
    for gone in names[number:]:
        changes[f"standbys.{gone}"] = "null"
        changes |= {f"links.{link}": "null" for link in scenario.links if gone in link.split(" -> ")}
    for name in kept:
        if scenario.standbys[name].upstream in names[number:]:
            changes[f"standbys.{name}.upstream"] = "null"
            changes[f"links.{scenario.primary.name} -> {name}"] = _distance(scenario, names)
    changes |= _rule(scenario, [name for name in scenario.direct if name in kept])
    changes |= _routes(scenario, kept)
    return changes | _judgements(scenario, names[number:]) | _troubles(scenario, names[number:])


def _added(scenario: Scenario, more: int) -> Changes:
    names, changes = list(scenario.standbys), Changes()
    last = scenario.standbys[names[-1]] if names else None
    numbers = (number for number in range(1, 1_000) if f"s{number}" not in scenario.nodes)
    fresh = [f"s{next(numbers)}" for _ in range(more)]
    zone = last.zone if last is not None else scenario.primary.zone
    alike = {} if last is None else last.model_dump(mode="json", exclude_defaults=True, exclude={"upstream"})
    if zone:
        alike["zone"] = zone
    for name in fresh:
        changes[f"standbys.{name}"] = json.dumps(alike)
        if not (scenario.zones and zone):
            changes[f"links.{scenario.primary.name} -> {name}"] = _distance(scenario, names)
            changes |= {f"links.{heir} -> {name}": _distance(scenario, names) for heir in _heirs(scenario, fresh, name)}
    return changes | _rule(scenario, [*scenario.direct, *fresh])


def _heirs(scenario: Scenario, fresh: Sequence[str], name: str) -> tuple[str, ...]:
    """Who may take over when there is a new standby, which has to follow it then, or may itself take over from it."""
    manager = scenario.failover
    anybody = isinstance(manager, Patroni) or (isinstance(manager, Quorum) and not manager.members)
    return (*heirs(scenario), *(fresh[: fresh.index(name)] if anybody else ()))


def _distance(scenario: Scenario, names: Sequence[str]) -> str:
    """The link of the last direct standby, as YAML; else a near one's."""
    for name in reversed(names):
        for link in (f"{scenario.primary.name} -> {name}", f"{name} -> {scenario.primary.name}"):
            if link in scenario.links:
                return json.dumps(scenario.links[link].model_dump(mode="json", exclude_defaults=True))
    return "{latency: 0.5ms}"


def _rule(scenario: Scenario, direct: Sequence[str]) -> Changes:
    """The rule over other standbys: over all where it was over all, else over those of its own that are left."""
    rule = SyncRule.parse(scenario.primary.synchronous_standby_names)
    if not rule.count or "*" in rule.names:
        return {}
    over_all = all(rule.priority(name) for name in scenario.direct)
    names = direct if over_all else [name for name in rule.names if name in direct]
    count = min(rule.count, len(names))
    return {"primary.synchronous_standby_names": f"{rule.method} {count} ({', '.join(names)})" if count else '""'}


def _routes(scenario: Scenario, kept: Sequence[str]) -> Changes:
    """Reads that went to a standby that is gone go to those that are left."""
    found: Changes = {}
    for part, clients in (("readers", scenario.readers), ("sessions", scenario.sessions)):
        for name, client in clients.items():
            asked = client.route.nodes(scenario.primary.name, tuple(scenario.standbys))
            by_name = client.route.policy in ("node", "weighted") or client.route.among
            if by_name and set(asked) - {scenario.primary.name, *kept}:
                found[f"{part}.{name}.route"] = "round_robin"
    return found


def _troubles(scenario: Scenario, gone: Sequence[str]) -> Changes:
    """Faults of standbys that are gone go with them."""
    left = [fault for fault in scenario.faults if not set(gone) & set(re.findall(r"[\w-]+", str(fault.target)))]
    if len(left) == len(scenario.faults):
        return {}
    return {"faults": json.dumps([fault.model_dump(mode="json", exclude_defaults=True) for fault in left])}


def _judgements(scenario: Scenario, gone: Sequence[str]) -> Changes:
    """Expectations and measured values of standbys that are gone go with them."""
    found: Changes = {}
    lines = [str(line) for line in scenario.expect]
    left = [line for line in lines if line.partition(".")[0] not in gone]
    if left != lines:
        found["expect"] = json.dumps(left) if left else "null"
    found |= {f'measured."{name}"': "null" for name in scenario.measured if name.partition(".")[0] in gone}
    return found
