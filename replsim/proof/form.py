"""A closed form: what theory says of a scenario, and how the same number is read from a run's record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from replsim.engines.events import run
from replsim.proof.estimators import Estimate
from replsim.record import Record
from replsim.scenario import Scenario

__all__ = ["ClosedForm", "records_of"]

MOST_ERRORS: Final = 4.0
"""An estimate may be off by fewer than so many standard errors."""
MOST_HALF_WIDTH: Final = 0.02
"""Half of the 95% confidence interval, as a fraction of the truth: a wide interval would prove nothing."""
HALF_WIDTH: Final = 1.96
"""Half of a 95% confidence interval, in standard errors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedForm:
    """One number that theory gives exactly, and a scenario that must show it.

    ``number`` is its row in the table of closed forms; 0 stands for one that follows from the same theory but
    is not in the table.
    """

    number: int
    name: str
    formula: str
    """In words and symbols, for a page that lists them all."""
    truth: float
    """In `unit`."""
    unit: str
    worked: str = ""
    """The table's own figure for these parameters, to the digits given there."""
    scenario: Scenario
    seeds: tuple[int, ...] = (1,)
    """One independent run each."""
    estimate: Callable[[Sequence[Record]], Estimate]
    """The number, from the records of the runs."""
    tolerance: float | None = None
    """For a scenario without randomness: how far the number may lie from the truth (0: exactly, but for the
    rounding of a division).  None: judged by its standard error."""

    def objection(self, found: Estimate) -> str:
        """What is wrong with an estimate, as a sentence; empty if it agrees with the truth."""
        off = abs(found.value - self.truth)
        says = f"{self.name}: theory says {self.truth:.6g} {self.unit}, the run {found.value:.6g}"
        if self.tolerance is not None:
            rounding = 1e-12 * abs(self.truth)
            return "" if off <= self.tolerance + rounding and found.error == 0 else f"{says}, off by {off:.3g}"
        half_width = HALF_WIDTH * found.error / abs(self.truth)
        if not off < MOST_ERRORS * found.error:
            return f"{says}, off by {off:.3g} at a standard error of {found.error:.3g}"
        if not 0 < half_width < MOST_HALF_WIDTH:
            return f"{says}, but its half-width is {half_width:.2%}"
        return ""


def records_of(form: ClosedForm) -> list[Record]:
    """The runs of a closed form; those that share a scenario share its runs."""
    return [_run(form.scenario.model_dump_json(exclude_unset=True), seed) for seed in form.seeds]


@lru_cache(maxsize=8)
def _run(scenario: str, seed: int) -> Record:
    return run(Scenario.model_validate_json(scenario), seed)
