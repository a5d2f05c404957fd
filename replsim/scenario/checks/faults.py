"""Mistakes in the faults: what is not there, what contradicts itself, and what comes after the end."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import TYPE_CHECKING, Any, Final

from replsim.errors import Problem
from replsim.scenario.faults import (
    Cancel,
    Crash,
    Cut,
    Delay,
    Fault,
    LinkFault,
    Load,
    Lose,
    Partition,
    Pause,
    PauseReplay,
    Query,
    Restart,
    Skew,
    Slow,
    Stall,
    Switchover,
    Throttle,
)
from replsim.scenario.network import link_ends
from replsim.scenario.spelling import did_you_mean
from replsim.scenario.succession import heirs
from replsim.units import NEVER, format_duration

if TYPE_CHECKING:
    from replsim.scenario.model import Scenario

__all__ = ["CHECKS"]

_OF_NODES: Final = (Crash, Pause, Stall, Slow, Skew)
_OF_STANDBYS: Final = (PauseReplay, Query, Switchover)
_SAME: Final[tuple[tuple[type[Fault], ...], ...]] = (
    (Crash, Pause, Restart),
    (Cut, Partition),
    (Delay,),
    (Throttle,),
    (Lose,),
    (Stall, Slow),
    (PauseReplay,),
    (Load,),
    (Skew,),
)
"""Faults that set the same thing, so that two of them at a time on one target contradict each other."""


def fault_on_unknown_node(scenario: Scenario) -> Iterator[Problem]:
    """A fault of a node that is not there."""
    for place, fault in enumerate(scenario.faults):
        for node in _nodes(fault):
            if node not in scenario.nodes:
                yield Problem(
                    _at(place, fault), f"there is no node {node!r}{did_you_mean(node, scenario.nodes, 'nodes')}"
                )


def fault_of_standbys(scenario: Scenario) -> Iterator[Problem]:
    """The primary, where only a standby will do."""
    for place, fault in enumerate(scenario.faults):
        if isinstance(fault, _OF_STANDBYS) and fault.target == scenario.primary.name:
            standbys = ", ".join(scenario.standbys) or "none"
            yield Problem(_at(place, fault), f"{fault.target!r} is the primary: name a standby (standbys: {standbys})")


def switchover_to_nobody(scenario: Scenario) -> Iterator[Problem]:
    """A switchover to a standby that does not stream from the primary, and so could not take over from it."""
    targets = [
        (place, fault, field, getattr(fault, field))
        for place, fault in enumerate(scenario.faults)
        for field in ("switchover", "hand_over_to")
        if getattr(fault, field, None) is not None
    ]
    rewired = len(targets) > 1 or scenario.failover.manager != "none"
    for place, fault, field, name in targets:
        if field == "hand_over_to" and scenario.primary.name not in fault.target:
            message = f"{scenario.primary.name!r} is not among those that are restarted: name it, or leave this out"
            yield Problem(("faults", place, field), message)
        if field == "hand_over_to" and name not in scenario.standbys:
            known = did_you_mean(name, scenario.standbys, "standbys")
            yield Problem(("faults", place, field), f"there is no standby {name!r}{known}")
        elif name in scenario.standbys and scenario.upstream(name) != scenario.primary.name and not rewired:
            message = (
                f"{name!r} streams from {scenario.upstream(name)!r}: only a standby of the primary itself takes over "
                f"from it ({', '.join(scenario.direct)})"
            )
            yield Problem(("faults", place, field), message)


def restart_twice(scenario: Scenario) -> Iterator[Problem]:
    """A node that is restarted twice in one go."""
    for place, fault in enumerate(scenario.faults):
        twice = [name for name in _nodes(fault) if _nodes(fault).count(name) > 1]
        if twice:
            yield Problem(_at(place, fault), f"{twice[0]!r} is named twice: name it once")


def fault_on_unknown_link(scenario: Scenario) -> Iterator[Problem]:
    """A fault of a link that is not there."""
    pairs = [(scenario.upstream(name), name) for name in scenario.standbys]
    known = [f"{up} -> {down}" for up, down in pairs]
    for place, fault in enumerate(scenario.faults):
        if isinstance(fault, LinkFault):
            ends = link_ends(fault.target)
            unknown = [end for end in ends if end not in scenario.nodes]
            if unknown:
                message = f"there is no node {unknown[0]!r}{did_you_mean(unknown[0], scenario.nodes, 'nodes')}"
                yield Problem(_at(place, fault), message)
            elif ends not in pairs and ends[::-1] not in pairs and not _rewires(scenario):
                message = f"neither node streams from the other{did_you_mean(fault.target, known, 'links')}"
                yield Problem(_at(place, fault), message)


def fault_on_unknown_client(scenario: Scenario) -> Iterator[Problem]:
    """A fault of clients that are not there, or that have no part in it."""
    writing = [*scenario.writers, *scenario.sessions]
    for place, fault in enumerate(scenario.faults):
        known = writing if isinstance(fault, Cancel) else [*scenario.writers, *scenario.readers]
        if not isinstance(fault, Cancel | Load):
            continue
        if isinstance(fault, Load) and fault.load in scenario.sessions:
            message = "its users write at a pace of their own, which no load changes: name a writer or a reader"
            yield Problem(_at(place, fault), message)
        elif fault.target not in known:
            message = f"there is no such client: {fault.target!r}{did_you_mean(fault.target, known, 'clients')}"
            yield Problem(_at(place, fault), message)
        elif isinstance(fault, Load) and (why := _has_no_rate(scenario, fault.load)):
            yield Problem(_at(place, fault), why)


def _has_no_rate(scenario: Scenario, name: str) -> str | None:
    """Why there is nothing in a client's work that could come faster or slower."""
    writer = scenario.writers.get(name)
    if writer is not None and writer.clients is not None:
        return "is a closed loop, whose clients write as fast as they are answered: give it more clients instead"
    arrivals = (writer or scenario.readers[name]).arrivals
    if arrivals.replayed is not None:
        return "its work comes at times of its own, read from samples: change these, or give it a rate"
    if arrivals.bursts is not None:
        return "its work comes in bursts, whose rate a load does not change: give it a schedule, or no bursts"
    return None


def partition_of_nothing(scenario: Scenario) -> Iterator[Problem]:
    """A partition that names somebody twice or somebody unknown, or parts no node from another."""
    known = [*scenario.nodes, *scenario.writers, *scenario.readers, *scenario.sessions, *_witnesses(scenario)]
    for place, fault in enumerate(scenario.faults):
        if not isinstance(fault, Partition):
            continue
        named = [name for group in fault.partition for name in group]
        unknown = [name for name in named if name not in known]
        twice = [name for name in named if named.count(name) > 1]
        rest = [node for node in scenario.nodes if node not in named]
        parted = sum(any(name in scenario.nodes for name in group) for group in fault.partition) + bool(rest)
        if unknown:
            message = f"there is no node and no client {unknown[0]!r}{did_you_mean(unknown[0], known)}"
            yield Problem(_at(place, fault), message)
        elif twice:
            yield Problem(_at(place, fault), f"{twice[0]!r} is in two places: name it once")
        elif parted < 2 and len(named) == sum(name in scenario.nodes for name in named):
            yield Problem(
                _at(place, fault), "all nodes are in one group: name at least one that is parted from the others"
            )


def fault_beyond_the_end(scenario: Scenario) -> Iterator[Problem]:
    """A fault that begins after the run."""
    for place, fault in enumerate(scenario.faults):
        if fault.at is not None and fault.at >= scenario.duration:
            message = f"is after the end of the run, which lasts {format_duration(scenario.duration)}"
            yield Problem(("faults", place, "at"), message)


def restart_in_no_time(scenario: Scenario) -> Iterator[Problem]:
    """A planned restart that does not say how long each node is down."""
    for place, fault in enumerate(scenario.faults):
        if isinstance(fault, Restart) and fault.for_ is None:
            yield Problem(_at(place, fault), "say for how long each node is down, such as 'for: 5s'")


def contradicting_faults(scenario: Scenario) -> Iterator[Problem]:
    """Two faults that want different things of one target at the same time."""
    for (_, first), (place, second) in combinations(enumerate(scenario.faults), 2):
        alike = next((kinds for kinds in _SAME if isinstance(first, kinds) and isinstance(second, kinds)), None)
        if alike is None:
            continue
        shared = _touched(scenario, first) & _touched(scenario, second)
        (start, end), (begin, until) = _window(first), _window(second)
        if shared and start < until and begin < end:
            both = " and ".join(sorted("/".join(sorted(each)) for each in shared))
            message = f"'{first}' is still on when '{second}' begins ({both}): part them in time, or keep one of them"
            yield Problem(("faults", place), message)


def _at(place: int, fault: Fault) -> tuple[str | int, ...]:
    return "faults", place, fault.verb


def _nodes(fault: Fault) -> tuple[str, ...]:
    """The nodes that a fault names."""
    if isinstance(fault, Restart):
        return fault.restart
    return (str(fault.target),) if isinstance(fault, _OF_NODES + _OF_STANDBYS) else ()


def _touched(scenario: Scenario, fault: Fault) -> set[frozenset[str]]:
    """What a fault changes: nodes, pairs of nodes, or a client."""
    if isinstance(fault, LinkFault):
        return {frozenset(link_ends(fault.target))}
    if isinstance(fault, Partition):
        group = {name: index for index, names in enumerate(fault.partition) for name in names}
        pairs = ((scenario.upstream(name), name) for name in scenario.standbys)
        return {frozenset(pair) for pair in pairs if group.get(pair[0], -1) != group.get(pair[1], -1)}
    names: Any = _nodes(fault) or (fault.target,)
    return {frozenset((str(name),)) for name in names}


def _window(fault: Fault) -> tuple[int, int]:
    """When a fault is on, as far as it is certain: an empty stretch for one that is drawn."""
    if fault.at is None or (fault.for_ is not None and fault.for_.constant is None):
        return (NEVER, NEVER) if fault.at is None else (fault.at, fault.at + 1)
    return fault.at, NEVER if fault.for_ is None else fault.at + (fault.for_.constant or 0) * fault.turns


def _rewires(scenario: Scenario) -> bool:
    """Whether standbys may come to stream from other nodes in the course of the run."""
    return scenario.failover.manager != "none" or bool(heirs(scenario))


def _witnesses(scenario: Scenario) -> tuple[str, ...]:
    """Members of the manager's store that are no nodes."""
    names: tuple[str, ...] = getattr(scenario.failover, "store", ()) or getattr(scenario.failover, "members", ())
    return names


CHECKS: Final = (
    fault_on_unknown_node,
    fault_of_standbys,
    fault_on_unknown_link,
    fault_on_unknown_client,
    partition_of_nothing,
    fault_beyond_the_end,
    restart_in_no_time,
    restart_twice,
    switchover_to_nobody,
    contradicting_faults,
)
