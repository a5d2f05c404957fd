"""Who was primary from when to when, what happened in between, and how commits fared in all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from replsim.analysis.facts import Facts
from replsim.analysis.ledger import survived
from replsim.record import DOWN, FAILED, UNKNOWN
from replsim.units import NEVER

__all__ = ["FATES", "Milestone", "Stretch", "absences", "downfall", "fates", "milestones", "reigns"]

ENDS: Final = ("crash", "restart", "shuts down", "steps down", "fenced", "learns of the new primary")
"""The events of a primary with which its reign ends."""
MILESTONES: Final = ("promoting", "promoted", "serves the clients", "rewinding", "rebuilding", "rejoined", *ENDS[2:])
"""The events of a failover that a timeline names; faults have stretches of their own."""

FATES: Final = ("kept", "lost", "unknown", "failed")
"""Acknowledged and still there; acknowledged and gone; without an answer from a primary that died; never begun."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A node from one moment to another, in nanoseconds; ``timeline`` of the log that it writes, 0 if it does not."""

    node: str
    start: int
    end: int
    timeline: int = 0


@dataclass(frozen=True, slots=True)
class Milestone:
    """Something that happened to a node, in nanoseconds."""

    time: int
    node: str
    what: str


def reigns(facts: Facts) -> tuple[Stretch, ...]:
    """Each time that a node took writes as a primary, by their beginnings.  Two overlap where a brain is split."""
    scenario = facts.record.scenario
    if not facts.record.branches:
        return (Stretch(scenario.primary.name, 0, scenario.duration, 1),)
    ends = [each for each in _events(facts) if each.what in ENDS]
    found = []
    for branch in facts.record.branches:
        own = (each.time for each in ends if each.node == branch.node and each.time > branch.start)
        found.append(Stretch(branch.node, branch.start, min(own, default=scenario.duration), branch.timeline))
    return tuple(found)


def absences(facts: Facts) -> tuple[Stretch, ...]:
    """Each time that a node was down: after a crash, stopped on purpose, or being rewound or rebuilt."""
    found, end = [], facts.record.scenario.duration
    events = _events(facts)
    for place, event in enumerate(events):
        if event.what in DOWN:
            back = (each.time for each in events[place:] if each.node == event.node and each.what in DOWN[event.what])
            found.append(Stretch(event.node, event.time, min(back, default=end)))
    return tuple(found)


def downfall(facts: Facts, node: str, time: int) -> Milestone | None:
    """How and when the reign ended in which ``node`` was the primary at a time (nanoseconds), if it did."""
    return next(
        (each for each in _events(facts) if each.node == node and each.time >= time and each.what in ENDS), None
    )


def milestones(facts: Facts) -> tuple[Milestone, ...]:
    """What happened in the failovers of a run, in the order of time."""
    return tuple(each for each in _events(facts) if each.what in MILESTONES)


def fates(facts: Facts) -> Mapping[str, int]:
    """How many commits of the whole run had each of `FATES`; those that still wait at its end have none yet."""
    outcome = facts.record.commits["outcome"]
    told = facts.column("acknowledged") < NEVER
    kept = survived(facts)
    counts = (told & kept, told & ~kept, outcome == UNKNOWN, outcome == FAILED)
    return {name: int(np.count_nonzero(each)) for name, each in zip(FATES, counts, strict=True)}


def _events(facts: Facts) -> tuple[Milestone, ...]:
    return facts.once(_read_events)


def _read_events(facts: Facts) -> tuple[Milestone, ...]:
    events = facts.record.events
    columns = zip(events["time"].tolist(), events["node"].tolist(), events["what"].tolist(), strict=True)
    return tuple(
        Milestone(time, events.words["node"][node], events.words["what"][what]) for time, node, what in columns
    )
