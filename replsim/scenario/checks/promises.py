"""Mistakes in what readers are promised, and in routes that remember what their users did."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from replsim.errors import Problem
from replsim.rules.promises import OF_A_USER
from replsim.scenario.checks.routes import reached

if TYPE_CHECKING:
    from replsim.scenario.clients import Reader, Session
    from replsim.scenario.model import Scenario

__all__ = ["CHECKS", "capacity_of"]

Place = tuple[str, str]

_MEANS: Final = ("bound", "by", "timeout", "at_timeout")
_OF_WAITING: Final = ("timeout", "at_timeout")
_OF_LAG: Final = ("max_lag", "max_lag_bytes")
_OF_WRITES: Final = ("primary_after_write", "until_caught_up")


def means_without_promise(scenario: Scenario) -> Iterator[Problem]:
    """Means to keep a promise that nobody made."""
    for place, client in _readers(scenario):
        for field in _MEANS:
            if not client.promises and _says(client, field):
                example = "bounded_staleness" if field == "bound" else "read_your_writes"
                yield Problem(
                    (*place, field), f"is of no use without a promise: add for example 'guarantee: {example}'"
                )


def bound_of_something_else(scenario: Scenario) -> Iterator[Problem]:
    """Bounded staleness without its bound, or a bound beside another promise."""
    for place, client in _readers(scenario):
        if client.guarantee == "bounded_staleness" and client.bound is None:
            yield Problem((*place, "guarantee"), "how old may it be? add for example 'bound: 5s'")
        elif client.promises and client.guarantee != "bounded_staleness" and client.bound is not None:
            yield Problem((*place, "bound"), f"belongs to bounded_staleness, not to {client.guarantee}: leave it out")


def timeout_without_wait(scenario: Scenario) -> Iterator[Problem]:
    """A timeout of reads that never wait."""
    for place, client in _readers(scenario):
        for field in _OF_WAITING:
            if client.promises and client.by != "wait" and _says(client, field):
                yield Problem((*place, field), f"belongs to 'by: wait', not to 'by: {client.by}': leave it out")


def promise_to_nobody(scenario: Scenario) -> Iterator[Problem]:
    """Readers who write nothing and are nobody in particular, but are promised something about themselves."""
    for name, reader in scenario.readers.items():
        if reader.guarantee in OF_A_USER:
            message = (
                f"{reader.guarantee} is about what a user did before, and readers are nobody in particular: "
                "use sessions, or bounded_staleness"
            )
            yield Problem(("readers", name, "guarantee"), message)
        if reader.route.policy == "per_session":
            message = "per_session needs users, and readers are nobody in particular: use sessions, or random"
            yield Problem(("readers", name, "route"), message)
        for field in _OF_WRITES:
            if getattr(reader.route, field) is not None:
                message = "is about what a user wrote, and readers write nothing: use sessions, or leave it out"
                yield Problem(("readers", name, "route", field), message)


def quorum_with_more(scenario: Scenario) -> Iterator[Problem]:
    """A quorum that is also promised something, or that shuns."""
    for place, client in _readers(scenario):
        if client.route.policy == "quorum" and client.promises:
            message = "does not go with a quorum, which takes what it gets: leave it out, or choose another route"
            yield Problem((*place, "guarantee"), message)


def quorum_that_queues(scenario: Scenario) -> Iterator[Problem]:
    """A quorum that asks nodes of finite capacity."""
    for name, reader in scenario.readers.items():
        if reader.route.policy == "quorum":
            for node in reached(scenario, reader.route):
                if capacity_of(scenario, node):
                    message = (
                        f"asks all nodes at once, and queues at none: take read_capacity from {node!r}, or choose "
                        "another route"
                    )
                    yield Problem(("readers", name, "route"), message)


def contention_for_nothing(scenario: Scenario) -> Iterator[Problem]:
    """Reads that contend with replay, without saying how much of a node they take, or where nothing is replayed."""
    for name, reader in scenario.readers.items():
        if not reader.contends:
            continue
        place = ("readers", name, "contends")
        nodes = [node for node in reached(scenario, reader.route) if node in scenario.standbys]
        if not nodes:
            yield Problem(place, "is of no use: its reads go to no standby; leave it out")
        for node in nodes:
            if not capacity_of(scenario, node):
                message = f"needs to know how many reads {node!r} serves: give it for example "
                yield Problem(place, message + "'read_capacity: {servers: 8, service: 1ms}'")
            if scenario.standbys[node].recovery_min_apply_delay:
                message = (
                    f"is of no use at {node!r}, which waits for its recovery_min_apply_delay: leave one of them out"
                )
                yield Problem(place, message)
        if reader.route.policy == "quorum":
            yield Problem(place, "does not go with a quorum: leave it out, or choose another route")


def lag_that_nobody_asks_for(scenario: Scenario) -> Iterator[Problem]:
    """What narrows a choice that there is not, or a look at something that does not matter."""
    for place, client in _readers(scenario):
        route = client.route
        for field in (*_OF_LAG, *_OF_WRITES):
            if getattr(route, field) is not None and route.policy in ("primary", "quorum"):
                message = f"is of no use with {route.policy}, which leaves no choice: leave it out"
                yield Problem((*place, "route", field), message)
        if route.poll is not None and not route.looks_at_lag:
            message = "is of no use: the route does not ask for lag; add for example 'max_lag: 2s', or leave it out"
            yield Problem((*place, "route", "poll"), message)
        if route.poll is not None and scenario.duration // route.poll > MOST_LOOKS:
            message = f"looks more than {MOST_LOOKS:,} times in a run: write for example 'poll: 100ms'"
            yield Problem((*place, "route", "poll"), message)


MOST_LOOKS: Final = 1_000_000


def capacity_of(scenario: Scenario, node: str) -> bool:
    """Whether a node serves only so many reads at once."""
    if node == scenario.primary.name:
        return scenario.primary.read_capacity is not None
    return node in scenario.standbys and scenario.standbys[node].read_capacity is not None


def _says(client: Reader | Session, field: str) -> bool:
    """Whether a field has a value of its own: a default is no mistake when it is spelt out."""
    return bool(getattr(client, field) != type(client).model_fields[field].default)


def _readers(scenario: Scenario) -> Iterator[tuple[Place, Reader | Session]]:
    yield from ((("readers", name), reader) for name, reader in scenario.readers.items())
    yield from ((("sessions", name), session) for name, session in scenario.sessions.items())


CHECKS: Final = (
    means_without_promise,
    bound_of_something_else,
    timeout_without_wait,
    promise_to_nobody,
    quorum_with_more,
    quorum_that_queues,
    contention_for_nothing,
    lag_that_nobody_asks_for,
)
