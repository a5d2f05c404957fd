"""What a figure is drawn from: a run's result, or several of the same cluster with other seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from replsim.analysis.facts import Facts
from replsim.record import Record
from replsim.scenario import Scenario

__all__ = ["Run", "Runs", "of"]


class Run(Protocol):
    """A `replsim.Result`, as far as figures need one."""

    @property
    def record(self) -> Record:
        """What happened."""

    @property
    def scenario(self) -> Scenario:
        """What was asked."""

    @property
    def facts(self) -> Facts:
        """What analysis derives from the record, once for all."""

    @property
    def metrics(self) -> Mapping[str, float]:
        """Every metric by name, in SI units."""


Runs = Run | Sequence[Run]


def of(results: Runs) -> tuple[Run, ...]:
    """One result or several, as several; at least one."""
    runs = tuple(results) if isinstance(results, Sequence) else (results,)
    if not runs:
        raise ValueError("a figure needs at least one result")
    return runs
