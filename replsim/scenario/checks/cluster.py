"""Mistakes in the cluster itself: times, names, who streams from whom, and who may be synchronous."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from replsim.errors import Problem, RuleError
from replsim.rules.acks import SyncRule
from replsim.scenario.failover import NoFailover
from replsim.scenario.profiles import PROFILES
from replsim.scenario.spelling import did_you_mean
from replsim.units import format_duration

if TYPE_CHECKING:
    from replsim.scenario.model import Scenario

__all__ = ["CHECKS"]

ROUTING_WORDS: Final = ("primary", "random", "round_robin", "nearest")

_SYNC: Final = ("primary", "synchronous_standby_names")


def unknown_profile(scenario: Scenario) -> Iterator[Problem]:
    """A database that is not simulated."""
    if scenario.profile not in PROFILES:
        known = did_you_mean(scenario.profile, PROFILES, "profiles")
        yield Problem(("profile",), f"there is no profile {scenario.profile!r}{known}")


def warmup_too_long(scenario: Scenario) -> Iterator[Problem]:
    """A warm-up that leaves nothing to measure."""
    if scenario.warmup >= scenario.duration:
        duration = format_duration(scenario.duration)
        message = f"must be shorter than the duration, {duration}: nothing after the warm-up would be left to measure"
        yield Problem(("warmup",), message)


def nothing_happens(scenario: Scenario) -> Iterator[Problem]:
    """A cluster that nobody writes to."""
    if not scenario.writers and not scenario.sessions and scenario.background is None:
        yield Problem((), "nobody writes: add 'writers: {app: {rate: 800/s}}', sessions or background")


def named_like_the_primary(scenario: Scenario) -> Iterator[Problem]:
    """A standby with the primary's name."""
    name = scenario.primary.name
    if name in scenario.standbys:
        yield Problem(("standbys", name), f"the primary is called {name!r} too: rename one of them")


def names_alike(scenario: Scenario) -> Iterator[Problem]:
    """Standbys whose names differ only in case, which PostgreSQL does not tell apart."""
    seen: dict[str, str] = {}
    for name in scenario.standbys:
        other = seen.setdefault(name.lower(), name)
        if other != name:
            message = (
                f"differs from {other!r} only in case, which synchronous_standby_names ignores: rename one of them"
            )
            yield Problem(("standbys", name), message)


def named_like_a_route(scenario: Scenario) -> Iterator[Problem]:
    """A standby that no route could name."""
    for name in scenario.standbys:
        if name in ROUTING_WORDS:
            yield Problem(("standbys", name), f"{name!r} is a word of routing (route: {name}): choose another name")


def unknown_upstream(scenario: Scenario) -> Iterator[Problem]:
    """A standby that streams from a node that is not there."""
    for name, standby in scenario.standbys.items():
        if standby.upstream is not None and standby.upstream not in scenario.nodes:
            others = [node for node in scenario.nodes if node != name]
            message = f"there is no node {standby.upstream!r}{did_you_mean(standby.upstream, others, 'nodes')}"
            yield Problem(("standbys", name, "upstream"), message)


def streams_in_a_circle(scenario: Scenario) -> Iterator[Problem]:
    """Standbys that stream from each other, or one from itself, and so from no primary.

    A standby has one upstream, so following it from each standby finds every circle.
    """
    reported: set[str] = set()
    for name in scenario.standbys:
        path = [name]
        below = set(scenario.standbys) - {scenario.primary.name}
        while (upstream := scenario.upstream(path[-1])) in below and upstream not in path:
            path.append(upstream)
        circle = path[path.index(upstream) :] if upstream in path else []
        if circle and not reported.intersection(circle):
            reported.update(circle)
            around = " -> ".join([*reversed(circle), circle[-1]])
            message = f"streams in a circle, {around}: let one of them stream from {scenario.primary.name!r}"
            yield Problem(("standbys", circle[0], "upstream"), message)


def sync_grammar(scenario: Scenario) -> Iterator[Problem]:
    """A ``synchronous_standby_names`` that PostgreSQL would not read."""
    try:
        SyncRule.parse(scenario.primary.synchronous_standby_names)
    except RuleError as error:
        yield Problem(_SYNC, str(error))


def sync_unknown(scenario: Scenario) -> Iterator[Problem]:
    """A synchronous standby that is not there."""
    nodes = {name.lower() for name in scenario.nodes}
    for name in _sync_names(scenario):
        if name != "*" and name.lower() not in nodes:
            yield Problem(_SYNC, f"there is no standby {name!r}{did_you_mean(name, scenario.direct, 'standbys')}")


def sync_primary(scenario: Scenario) -> Iterator[Problem]:
    """The primary among its own synchronous standbys, where it will never be anybody's standby."""
    if not isinstance(scenario.failover, NoFailover):
        return
    for name in _sync_names(scenario):
        if name.lower() == scenario.primary.name.lower():
            yield Problem(_SYNC, f"{name!r} is the primary, which is no standby of its own: leave it out")


def sync_cascaded(scenario: Scenario) -> Iterator[Problem]:
    """A synchronous standby that streams from another standby: the primary never hears from it."""
    cascaded = {name.lower(): name for name in scenario.standbys if name not in scenario.direct}
    for name in _sync_names(scenario):
        if name.lower() in cascaded:
            upstream = scenario.upstream(cascaded[name.lower()])
            message = f"{name!r} streams from {upstream!r}, and a cascaded standby is never synchronous: leave it out"
            yield Problem(_SYNC, message)


def too_many_connections(scenario: Scenario) -> Iterator[Problem]:
    """Clients that together hold more connections than the server has."""
    wanted = {
        f"writers.{name}": writer.connections if writer.clients is None else writer.clients * writer.in_flight
        for name, writer in scenario.writers.items()
    } | {
        f"sessions.{name}": session.connections if session.think is None else session.count
        for name, session in scenario.sessions.items()
    }
    total = sum(wanted.values())
    if total > scenario.primary.max_connections:
        parts = ", ".join(f"{name}: {count}" for name, count in wanted.items())
        message = (
            f"the clients need {total} connections ({parts}), but there are {scenario.primary.max_connections}: "
            f"raise max_connections, or give them smaller pools (connections)"
        )
        yield Problem(("primary", "max_connections"), message)


def _sync_names(scenario: Scenario) -> tuple[str, ...]:
    try:
        return SyncRule.parse(scenario.primary.synchronous_standby_names).names
    except RuleError:
        return ()


CHECKS: Final = (
    unknown_profile,
    warmup_too_long,
    nothing_happens,
    named_like_the_primary,
    names_alike,
    named_like_a_route,
    unknown_upstream,
    streams_in_a_circle,
    sync_grammar,
    sync_unknown,
    sync_primary,
    sync_cascaded,
    too_many_connections,
)
