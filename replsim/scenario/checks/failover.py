"""Mistakes in the failover: promotions of nobody, and times that do not fit together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from replsim.errors import Problem
from replsim.scenario.failover import Manual, NoFailover, Patroni, Quorum
from replsim.scenario.spelling import did_you_mean
from replsim.scenario.succession import successions
from replsim.scenario.topology import link_between
from replsim.units import format_duration

if TYPE_CHECKING:
    from replsim.scenario.model import Scenario

__all__ = ["CHECKS"]


def failover_to_nobody(scenario: Scenario) -> Iterator[Problem]:
    """A manager in a cluster where there is nobody to promote."""
    if not isinstance(scenario.failover, NoFailover) and not scenario.standbys:
        yield Problem(("failover",), "there is nobody to promote: add a standby, or leave the failover out")


def election_of_nobody(scenario: Scenario) -> Iterator[Problem]:
    """Members who may vote, of whom none may be elected."""
    manager = scenario.failover
    if isinstance(manager, Quorum) and manager.members and not {*manager.members} & {*scenario.standbys}:
        standbys = ", ".join(scenario.standbys) or "none"
        message = f"names no standby, so that nobody could be elected: add one (standbys: {standbys})"
        yield Problem(("failover", "members"), message)


def promotion_of_nobody(scenario: Scenario) -> Iterator[Problem]:
    """An operator who promotes a node that is not there, or that is the primary."""
    if isinstance(scenario.failover, Manual) and scenario.standbys:
        name = scenario.failover.promote
        if name == scenario.primary.name:
            message = f"{name!r} is the primary already: promote a standby ({', '.join(scenario.standbys)})"
            yield Problem(("failover", "promote"), message)
        elif name not in scenario.standbys:
            known = did_you_mean(name, scenario.standbys, "standbys")
            yield Problem(("failover", "promote"), f"there is no standby {name!r}{known}")


def promotion_beyond_the_end(scenario: Scenario) -> Iterator[Problem]:
    """A promotion after the run."""
    if isinstance(scenario.failover, Manual) and scenario.failover.at >= scenario.duration:
        message = f"is after the end of the run, which lasts {format_duration(scenario.duration)}"
        yield Problem(("failover", "at"), message)


def nobody_could_follow(scenario: Scenario) -> Iterator[Problem]:
    """A node that may be promoted, and another with no link to it that would have to stream from it then."""
    missing = {frozenset(pair): pair for pair in successions(scenario) if link_between(scenario, *pair) is None}
    for leader, follower in missing.values():
        if isinstance(scenario.failover, NoFailover) and leader not in scenario.direct:
            # It takes over from nobody, which is the mistake.
            continue
        message = (
            f"when {leader!r} is promoted, {follower!r} has to stream from it, and there is no link between them: "
            f"write 'links: {{{leader} -> {follower}: {{latency: 1ms}}}}', or zones"
        )
        yield Problem(_promotes(scenario, leader), message)


def _promotes(scenario: Scenario, name: str) -> tuple[str | int, ...]:
    """What in a scenario promotes a standby: its manager, or else a fault."""
    if isinstance(scenario.failover, NoFailover):
        for place, fault in enumerate(scenario.faults):
            for field in ("switchover", "hand_over_to"):
                if getattr(fault, field, None) == name:
                    return "faults", place, field
    return ("failover",)


def lease_too_short(scenario: Scenario) -> Iterator[Problem]:
    """A lease that runs out while its holder still tries to renew it (Patroni refuses it as well)."""
    manager = scenario.failover
    if isinstance(manager, Patroni) and manager.loop_wait + 2 * manager.retry_timeout > manager.ttl:
        least = format_duration(manager.loop_wait + 2 * manager.retry_timeout)
        message = f"must be at least loop_wait + 2 retry_timeout, {least}: or a healthy leader could lose it"
        yield Problem(("failover", "ttl"), message)


def sync_names_of_two_masters(scenario: Scenario) -> Iterator[Problem]:
    """Synchronous standbys that both the scenario and Patroni would name."""
    manager = scenario.failover
    named = scenario.primary.synchronous_standby_names.strip() != ""
    if isinstance(manager, Patroni) and manager.synchronous_mode != "off" and named:
        message = (
            f"is set by Patroni while its synchronous_mode is {manager.synchronous_mode}: leave it out, "
            "or write 'synchronous_mode: off'"
        )
        yield Problem(("primary", "synchronous_standby_names"), message)


def members_twice(scenario: Scenario) -> Iterator[Problem]:
    """A member of the store, or a voter, that counts twice."""
    manager = scenario.failover
    field = "store" if isinstance(manager, Patroni) else "members" if isinstance(manager, Quorum) else None
    names: tuple[str, ...] = getattr(manager, field) if field else ()
    if field and len(set(names)) < len(names):
        yield Problem(("failover", field), "names somebody twice: name each once")


def heartbeat_too_slow(scenario: Scenario) -> Iterator[Problem]:
    """A leader that is given up before it could have said that it is there."""
    manager = scenario.failover
    if isinstance(manager, Quorum) and manager.heartbeat >= manager.election_timeout:
        message = f"must be below election_timeout, {format_duration(manager.election_timeout)}"
        yield Problem(("failover", "heartbeat"), message)


CHECKS: Final = (
    failover_to_nobody,
    election_of_nobody,
    promotion_of_nobody,
    promotion_beyond_the_end,
    nobody_could_follow,
    lease_too_short,
    sync_names_of_two_masters,
    members_twice,
    heartbeat_too_slow,
)
