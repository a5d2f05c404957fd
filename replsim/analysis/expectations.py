"""Whether a run held what its scenario expects, and whether what it expects can be judged at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from replsim.analysis.registry import Unit, find, names_for, unknown
from replsim.errors import Problem, UnitError
from replsim.scenario import Scenario
from replsim.scenario.expect import Expectation
from replsim.units import SECOND, parse_duration, parse_fraction, parse_rate, parse_size

__all__ = ["Check", "bound_of", "check", "problems", "quantity"]


@dataclass(frozen=True, slots=True)
class Check:
    """One expectation, judged: the metric's value and the bound, both in SI units, and whether it held."""

    expectation: Expectation
    value: float
    bound: float
    held: bool


def check(scenario: Scenario, metrics: Mapping[str, float]) -> list[Check]:
    """Each expectation of ``scenario`` against the metrics of its run; a metric that is not a number never holds.

    Raises `UnknownMetric` or `UnitError` for what `problems` would have named before the run.
    """
    judged = []
    for expectation in scenario.expect:
        value, bound = metrics[expectation.metric], bound_of(expectation)
        judged.append(Check(expectation, value, bound, expectation.holds(value, bound)))
    return judged


def bound_of(expectation: Expectation) -> float:
    """The quantity of an expectation in its metric's unit (s, B, 1/s, 1, count).

    Raises `UnknownMetric`, and `UnitError` where the quantity is of another dimension.
    """
    return quantity(find(expectation.metric)[0].unit, expectation.quantity)


def quantity(unit: Unit, text: str) -> float:
    """A quantity as people write it, in a metric's unit.  Raises `UnitError` where it is of another dimension.

    >>> quantity("s", "20ms")
    0.02
    """
    return _READ[unit](text)


def problems(scenario: Scenario) -> list[Problem]:
    """What is wrong with the expectations, known before a run: unknown metrics, and quantities that do not fit."""
    names = set(names_for(scenario))
    found = []
    for place, expectation in enumerate(scenario.expect):
        if expectation.metric not in names:
            found.append(Problem(("expect", place), unknown(expectation.metric, scenario)))
            continue
        try:
            bound_of(expectation)
        except UnitError as error:
            found.append(Problem(("expect", place), f"{expectation.metric}: {error}"))
    return found


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UnitError(f"expected a bare number such as '5', got {text!r}") from None


def _ratio(text: str) -> float:
    """A fraction as ``1%`` or ``0.01``; a ratio such as commits per flush may be above one."""
    return parse_fraction(text) if "%" in text else _number(text)


_READ: Final[dict[Unit, Callable[[str], float]]] = {
    "s": lambda text: parse_duration(text) / SECOND,
    "B": lambda text: float(parse_size(text)),
    "1/s": parse_rate,
    "1": _ratio,
    "count": _number,
}
