"""What of a scenario this engine does not do: it is refused by name, never left out in silence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from replsim.errors import UnsupportedScenario
from replsim.scenario import Scenario
from replsim.scenario.checks.promises import capacity_of
from replsim.scenario.checks.routes import reached
from replsim.scenario.clients import Session, Writer

__all__ = ["refuse_uncovered"]


def refuse_uncovered(scenario: Scenario) -> None:
    """Raises `UnsupportedScenario`, with the names of all that cannot be simulated yet."""
    missing = [
        f"sessions.{name} (users who think wait for their reads, and would queue at a node with read_capacity)"
        for name, session in scenario.sessions.items()
        if session.think is not None and any(capacity_of(scenario, node) for node in _read_from(scenario, session))
    ]
    missing += [f"readers.{name}.contends ({why})" for name, why in _contention(scenario)]
    if missing:
        raise UnsupportedScenario(f"the engine 'events' cannot simulate yet: {', '.join(missing)}")


def _read_from(scenario: Scenario, session: Session) -> Iterable[str]:
    """The nodes that a user's reads may come to: any of them, where any may become the primary."""
    return scenario.nodes if session.live and scenario.eventful else reached(scenario, session.route)


def _contention(scenario: Scenario) -> Iterator[tuple[str, str]]:
    """Readers whose load would change what is planned ahead, and why."""
    writing: list[Writer | Session] = [*scenario.writers.values(), *scenario.sessions.values()]
    applied = any(scenario.level(each.synchronous_commit) == "remote_apply" for each in writing)
    for name, reader in scenario.readers.items():
        if reader.contends and scenario.eventful:
            yield name, "while nodes may fail"
        if reader.contends and any(session.live for session in scenario.sessions.values()):
            yield name, "beside users who wait for what they see"
        if reader.contends and applied:
            yield name, "beside commits at remote_apply"
