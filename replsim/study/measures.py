"""What a study measures: metrics by name, or the chance of something, such as ``P(pending_commits > 0)``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from replsim import summary
from replsim.analysis import find, names_for
from replsim.analysis.expectations import bound_of
from replsim.analysis.registry import Kind, Unit, unknown
from replsim.errors import ReplsimError, StudyError
from replsim.scenario import Scenario
from replsim.scenario.expect import Expectation

__all__ = ["Measure", "comparison", "headlines", "measure", "measures", "metrics_of"]

Floats = NDArray[np.float64]

_CHANCE: Final = re.compile(r"\s*P\s*\((.*)\)\s*")


@dataclass(frozen=True, slots=True)
class Measure:
    """A metric of each run; or whether a comparison held in it, whose mean over the runs is a probability."""

    name: str
    metric: str
    event: Expectation | None = None

    @property
    def kind(self) -> Kind:
        """What sort of estimate it is."""
        if self.event:
            return "proportion"
        # A count of things has its own interval where none was seen; an amount of bytes, or a rate, is a mean.
        metric = find(self.metric)[0]
        return "mean" if metric.kind == "count" and metric.unit != "count" else metric.kind

    @property
    def unit(self) -> Unit:
        """The unit of its values."""
        return "1" if self.event else find(self.metric)[0].unit

    def of(self, values: Floats) -> Floats:
        """Its values, from those of its metric: 1 where the event happened; NaN stays."""
        if self.event is None:
            return values
        bound = bound_of(self.event)
        return np.array(
            [np.nan if np.isnan(value) else self.event.holds(value, bound) for value in values], dtype=float
        )

    def show(self, value: float) -> str:
        """A value as people say it."""
        return summary.show(value, self.unit, fraction=self.kind == "proportion")


def measure(text: str) -> Measure:
    """The measure that ``text`` names.  Raises `UnknownMetric`, `UnitError` or `StudyError`.

    >>> measure("P(pending_commits > 0)").kind
    'proportion'
    """
    match = _CHANCE.fullmatch(text)
    if match is None:
        find(text.strip())
        return Measure(text.strip(), text.strip())
    event = comparison(match.group(1))
    return Measure(f"P({event})", event.metric, event)


def comparison(text: str) -> Expectation:
    """A comparison such as ``commit_latency.p99 < 20ms``; its quantity is checked against its metric's unit."""
    try:
        event = TypeAdapter(Expectation).validate_python(text)
    except ValidationError as error:
        raise StudyError(str(error.errors()[0]["msg"]).removeprefix("Value error, ")) from None
    bound_of(event)
    return event


def measures(texts: Sequence[str] | None, scenarios: Sequence[Scenario]) -> tuple[Measure, ...]:
    """The measures that the texts name, each once; ``*`` stands for any part of a metric's name.

    None: every metric.  Raises `StudyError` with the name of the first that none of the scenarios has.
    """
    there = list(dict.fromkeys(name for scenario in scenarios for name in names_for(scenario)))
    found: dict[str, Measure] = {}
    for text in there if texts is None else texts:
        if "*" in text:
            fitting = [name for name in there if fnmatchcase(name, text.strip())]
            if not fitting:
                raise StudyError(f"no metric of this scenario is called {text!r}; `replsim metrics` lists all")
            found |= {name: Measure(name, name) for name in fitting}
            continue
        try:
            one = measure(text)
        except StudyError:
            raise
        except ReplsimError as error:
            raise StudyError(f"{text}: {error}") from None
        if one.metric not in there:
            raise StudyError(unknown(one.metric, scenarios[0]))
        found[one.name] = one
    if not found:
        raise StudyError("a study needs at least one metric")
    return tuple(found.values())


def metrics_of(chosen: Sequence[Measure]) -> tuple[str, ...]:
    """The metrics that a run has to give for some measures, each once."""
    return tuple(dict.fromkeys(one.metric for one in chosen))


def headlines(scenario: Scenario) -> list[str]:
    """The metrics that a result of this scenario leads with."""
    there = set(names_for(scenario))
    return [name for names in summary.HEADLINES.values() for name in names.values() if name in there]


def columns(chosen: Sequence[Measure], values: Mapping[str, Floats]) -> dict[str, Floats]:
    """Each measure's values by its name, from those of the metrics."""
    return {one.name: one.of(values[one.metric]) for one in chosen}
