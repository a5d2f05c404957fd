"""Who may take over from whom, and who would have to follow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from replsim.scenario.failover import Manual, NoFailover, Quorum
from replsim.scenario.faults import Restart, Switchover

if TYPE_CHECKING:
    from replsim.scenario.model import Scenario

__all__ = ["heirs", "successions", "upstream_of"]


def heirs(scenario: Scenario) -> tuple[str, ...]:
    """The standbys that may be promoted in a run of ``scenario``."""
    manager = scenario.failover
    named = {fault.switchover for fault in scenario.faults if isinstance(fault, Switchover)}
    named |= {fault.hand_over_to for fault in scenario.faults if isinstance(fault, Restart) and fault.hand_over_to}
    if isinstance(manager, Manual):
        named.add(manager.promote)
    elif isinstance(manager, Quorum) and manager.members:
        named.update(manager.members)
    elif not isinstance(manager, NoFailover):
        named.update(scenario.standbys)
    return tuple(name for name in scenario.standbys if name in named)


def successions(scenario: Scenario) -> Iterator[tuple[str, str]]:
    """Each node that may be promoted, with each that would stream from it: the old primary and its standbys."""
    for leader in heirs(scenario):
        for follower in (scenario.primary.name, *scenario.direct):
            if follower != leader:
                yield leader, follower


def upstream_of(scenario: Scenario, node: str, primary: str) -> str:
    """Whom ``node`` streams from while ``primary`` is the primary: as the scenario says, but from a promoted one in the
    first one's stead.  Empty for the primary itself.
    """
    if node == primary:
        return ""
    if node == scenario.primary.name or scenario.upstream(node) == scenario.primary.name:
        return primary
    return scenario.upstream(node)
