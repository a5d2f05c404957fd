"""Mistakes in routes: nodes that are not there, and words that do not go together."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from replsim.errors import Problem
from replsim.scenario.spelling import did_you_mean

if TYPE_CHECKING:
    from replsim.rules.routing import Route
    from replsim.scenario.model import Scenario

__all__ = ["CHECKS", "reached"]

SPREADING: Final = ("random", "round_robin", "nearest", "least_lag", "per_session")

_WORDS: Final = ("primary", *SPREADING)
_AMONG: Final = (*SPREADING, "quorum")


def reached(scenario: Scenario, route: Route) -> tuple[str, ...]:
    """The nodes that reads may go to; none for a route that names none, which `route_words` refuses."""
    if route.policy == "node" and route.node is None:
        return ()
    return route.nodes(scenario.primary.name, tuple(scenario.standbys))


def route_to_unknown_node(scenario: Scenario) -> Iterator[Problem]:
    """A route to a node that is not there, or a routing word that is misspelt."""
    for path, route in _routes(scenario):
        for node in reached(scenario, route):
            if node not in scenario.nodes:
                known = (*scenario.nodes, *(_WORDS if route.policy == "node" else ()))
                yield Problem(path, f"there is no node {node!r}{did_you_mean(node, known, 'known')}")


def route_words(scenario: Scenario) -> Iterator[Problem]:
    """A route whose policy makes no use of what stands beside it, or lacks what it needs."""
    for path, route in _routes(scenario):
        if route.policy == "node" and route.node is None:
            yield Problem(path, "names no node: write for example 'route: s1'")
        if route.node is not None and route.policy != "node":
            yield Problem(path, f"node does not go with {route.policy}: write 'route: {route.node}' alone")
        if route.weighted is not None and route.policy != "weighted":
            yield Problem(path, f"weighted does not go with {route.policy}: keep one of them")
        if route.quorum is not None and route.policy != "quorum":
            yield Problem(path, f"quorum does not go with {route.policy}: keep one of them")
        if route.among is not None and route.policy not in _AMONG:
            yield Problem(path, f"among goes with {', '.join(_AMONG)}, not with {route.policy}: take it away")


def route_among_nobody(scenario: Scenario) -> Iterator[Problem]:
    """A list of nodes that is empty, or names one twice."""
    for path, route in _routes(scenario):
        if route.among is not None and not route.among:
            yield Problem((*path, "among"), "is empty: name the nodes, or leave it out for all standbys")
        elif route.among is not None and len(set(route.among)) < len(route.among):
            yield Problem((*path, "among"), "names a node twice: to give it more reads, use weighted")


def quorum_of_too_few(scenario: Scenario) -> Iterator[Problem]:
    """A quorum that can never answer."""
    for path, route in _routes(scenario):
        asked = reached(scenario, route)
        if route.policy == "quorum" and (route.quorum is None or route.quorum > len(asked)):
            message = f"waits for more answers than the nodes that it asks: write at most 'quorum: {len(asked)}'"
            if route.quorum is None:
                message = "does not say how many answers it waits for: write for example 'route: {quorum: 1}'"
            yield Problem((*path, "quorum") if route.quorum else path, message)


def quorum_of_a_session(scenario: Scenario) -> Iterator[Problem]:
    """Users whose reads ask several nodes at once."""
    for name, session in scenario.sessions.items():
        if session.route.policy == "quorum":
            message = "a quorum is for readers: users ask one node at a time; write for example 'route: random'"
            yield Problem(("sessions", name, "route"), message)


def way_to_nowhere(scenario: Scenario) -> Iterator[Problem]:
    """A way of readers to a node that is not there, or that they never go to."""
    for name, reader in scenario.readers.items():
        nodes = reached(scenario, reader.route)
        for node in reader.ways:
            if node not in scenario.nodes:
                message = f"there is no node {node!r}{did_you_mean(node, nodes, 'they go to')}"
                yield Problem(("readers", name, "ways", node), message)
            elif node not in nodes:
                message = f"is of no use: their route never goes to {node!r}; leave it out"
                yield Problem(("readers", name, "ways", node), message)


def endless_weight(scenario: Scenario) -> Iterator[Problem]:
    """A weight beside which no other counts."""
    for path, route in _routes(scenario):
        for node, weight in (route.weighted or {}).items():
            if not math.isfinite(weight):
                yield Problem((*path, "weighted", node), "a weight must be finite: write for example 3")


def _routes(scenario: Scenario) -> Iterator[tuple[tuple[str, str, str], Route]]:
    for name, reader in scenario.readers.items():
        yield ("readers", name, "route"), reader.route
    for name, session in scenario.sessions.items():
        yield ("sessions", name, "route"), session.route


CHECKS: Final = (route_to_unknown_node, route_words, route_among_nobody, quorum_of_too_few, quorum_of_a_session,
    way_to_nowhere, endless_weight)  # fmt: skip
