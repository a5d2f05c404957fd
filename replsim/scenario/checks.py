"""What no single field can know: the cross-checks of a whole scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING

from replsim.errors import Problem

if TYPE_CHECKING:
    from replsim.scenario.model import Scenario

__all__ = ["problems"]


def problems(scenario: Scenario) -> list[Problem]:
    """Every problem that a scenario of sound parts still has; an empty list where it can run."""
    return []
