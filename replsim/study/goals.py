"""What a search is for: conditions that a setting must meet, and what is to be as small or as large as can be."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from replsim.analysis.expectations import quantity
from replsim.errors import StudyError, UnitError
from replsim.study.measures import Measure, measure
from replsim.study.statistics import Estimate

__all__ = ["COST", "Condition", "Goal", "Verdict", "condition", "cost_of", "needed"]

Verdict = Literal["met", "open", "not met"]
"""``met``: with its whole interval; ``open``: the estimate keeps the bound, the interval reaches beyond it."""

COST: Final = "cost"
"""The objective that is no metric: what the settings of the knobs cost, by the user's own list."""

_GRAMMAR: Final = re.compile(r"\s*(P\s*\(.*\)|[A-Za-z_][\w.\-]*)\s*(<=|>=|<|>)\s*(\S[^<>=]*?)\s*")
_OPERATORS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">=": operator.ge,
    ">": operator.gt,
}


@dataclass(frozen=True, slots=True)
class Condition:
    """A measure and the bound that it is to keep: ``commit_latency.p99 < 20ms``, ``P(lost_commits > 0) < 1%``."""

    measure: Measure
    comparison: str
    bound: float
    """In the measure's unit."""
    text: str
    """As it was written."""

    def verdict(self, found: Estimate) -> Verdict:
        """Whether it is met; what has no value, or no steady state, does not meet anything."""
        if not found.runs or not found.settled:
            return "not met"
        holds = _OPERATORS[self.comparison]
        if not holds(found.value, self.bound):
            return "not met"
        # An end that is not known (NaN) keeps no bound.
        return "met" if holds(found.low, self.bound) and holds(found.high, self.bound) else "open"

    def excess(self, found: Estimate) -> float:
        """How far an estimate is beyond the bound, relative to it: at most 0 where it keeps it."""
        if not found.runs or not found.settled:
            return math.inf
        over = found.value - self.bound if self.comparison.startswith("<") else self.bound - found.value
        return over / abs(self.bound) if self.bound else over

    def __str__(self) -> str:
        return self.text


def condition(text: str) -> Condition:
    """The condition that ``text`` states.  Raises `StudyError` or `UnknownMetric`.

    >>> condition("P(pending_commits > 0) < 1%").bound
    0.01
    """
    match = _GRAMMAR.fullmatch(text)
    if match is None:
        raise StudyError(f"expected 'commit_latency.p99 < 20ms' or 'P(lost_commits > 0) < 1%', got {text!r}")
    one = measure(match[1])
    try:
        return Condition(one, match[2], quantity(one.unit, match[3]), text.strip())
    except UnitError as error:
        raise StudyError(f"{text}: {error}") from None


@dataclass(frozen=True, slots=True)
class Goal:
    """What is to be small (or large): a measure, or the cost (``measure`` is None)."""

    name: str
    measure: Measure | None
    largest: bool = False

    @classmethod
    def read(cls, text: str, *, largest: bool = False) -> Goal:
        """The goal called ``text``: a measure's name, or ``cost``."""
        return cls(COST, None, largest) if text.strip() == COST else cls(text.strip(), measure(text), largest)

    def signed(self, value: float) -> float:
        """A value such that less is better."""
        return -value if self.largest else value


Costs = Mapping[str, Mapping[str, float]]


def cost_of(changes: Mapping[str, str], costs: Costs) -> float:
    """What a setting costs: the sum over its knobs.  Raises `StudyError` for a value that has no cost.

    >>> cost_of({"a": "x", "b": "y"}, {"a": {"x": 2.0}})
    2.0
    """
    total = 0.0
    for path, price in costs.items():
        if path in changes:
            if changes[path] not in price:
                known = ", ".join(price)
                raise StudyError(f"{path}: {changes[path]!r} has no cost; there are costs of {known}")
            total += price[changes[path]]
    return total


def needed(conditions: Sequence[Condition], goals: Sequence[Goal]) -> list[str]:
    """The measures that a search has to have, each once."""
    names = [one.measure.name for one in conditions] + [goal.measure.name for goal in goals if goal.measure]
    return list(dict.fromkeys(names))
