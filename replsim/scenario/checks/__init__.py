"""What no single field can know: the cross-checks of a whole scenario.

Each check is a small function that looks for one kind of mistake and says in its message how to mend it.  All of
them run, on a scenario whose parts are sound, and none relies on another: a scenario may be wrong in many ways.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from replsim.errors import Problem
from replsim.scenario.checks import clients, cluster, failover, faults, network, promises, retention, routes

if TYPE_CHECKING:
    from replsim.scenario.model import Scenario

__all__ = ["CHECKS", "problems"]

CHECKS: Final[tuple[Callable[[Scenario], Iterator[Problem]], ...]] = (
    *cluster.CHECKS,
    *network.CHECKS,
    *clients.CHECKS,
    *routes.CHECKS,
    *promises.CHECKS,
    *faults.CHECKS,
    *failover.CHECKS,
    *retention.CHECKS,
)
"""Every cross-check; a test proves that each has a scenario that it refuses."""


def problems(scenario: Scenario) -> list[Problem]:
    """Every problem that a scenario of sound parts still has; an empty list where it can run."""
    return [problem for check in CHECKS for problem in check(scenario)]
