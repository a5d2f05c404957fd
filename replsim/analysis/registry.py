"""Every metric, registered once: its name, unit, kind and definition, for tables, pages and expectations.

A metric's plain name, such as ``lag.seconds.p99``, is the value for the whole cluster; with the name of a
node, a writer, a reader or a session group before it, ``s1.lag.seconds.p99``, it is that one's own.
"""

from __future__ import annotations

import difflib
import math
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Final, Literal

from typing_extensions import override

from replsim.analysis.facts import Facts
from replsim.analysis.unmade import Age, Gap
from replsim.analysis.weighted import AtEnd, Ramps, Sample, Share, Steps, Total
from replsim.errors import UnknownMetric
from replsim.record import Record
from replsim.scenario import Scenario

__all__ = [
    "METRICS",
    "Kind",
    "Metric",
    "Metrics",
    "Named",
    "Part",
    "Per",
    "Spec",
    "Unit",
    "families",
    "find",
    "measures",
    "metrics",
    "names_for",
    "unit_of",
]

Unit = Literal["s", "B", "1/s", "1", "count"]
"""Seconds, bytes, per second, a pure number (a fraction, or a ratio), or a number of things."""
Kind = Literal["mean", "percentile", "proportion", "count", "extreme"]
"""What sort of estimate it is: a study of several seeds chooses its interval by it."""
Per = Literal["node", "standby", "writer", "session", "reader"]
"""Whose own value a metric may be; ``node`` is the primary too."""
Overall = Literal["own", "largest"]
"""The cluster's value: worked out as such (over everybody), or the largest of its entities'."""
Spread = Sample | Steps | Gap | Ramps | Age
"""What the statistics of a family are statistics of."""
Part = Spread | Share | Total | AtEnd
"""What a metric is worked out from: what the stretches of a run have of it adds up to what the run has."""
Measure = Callable[[Facts, str | None], Mapping[str, float | Part]]
"""By the name of a metric its value, or what that is worked out from; by that of a family what all of it come from."""


@dataclass(frozen=True, slots=True)
class Spec:
    """A metric as its function declares it."""

    name: str
    unit: Unit
    kind: Kind
    definition: str
    subject: str = ""
    """Of a family of statistics: what they are statistics of, the same for all of the family."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A registered metric.  ``overall`` is None where only entities have a value, and no cluster-wide one exists.

    ``function(facts, entity)`` gives the values of the whole family that it computes together, by name;
    ``entity`` is None for the cluster's own value.  ``needs`` says what a scenario must have for it.
    """

    name: str
    unit: Unit
    kind: Kind
    definition: str
    subject: str
    per: tuple[Per, ...]
    overall: Overall | None
    function: Measure
    needs: Callable[[Scenario], bool]
    adds_up: bool = False
    """Whether its function gives nothing but parts that add up, so that a run can be measured stretch by stretch."""

    @property
    def family(self) -> str:
        """Its name without the statistic, for one of a family; else its name."""
        return self.name.rpartition(".")[0] if self.subject else self.name

    def entities(self, scenario: Scenario) -> tuple[str, ...]:
        """Whose own values it has in a scenario, in the scenario's order."""
        return tuple(dict.fromkeys(name for per in self.per for name in _ENTITIES[per](scenario)))


METRICS: Final[dict[str, Metric]] = {}
"""All metrics by plain name, in the order in which they are shown."""

_ENTITIES: Final[dict[Per, Callable[[Scenario], tuple[str, ...]]]] = {
    "node": lambda scenario: scenario.nodes,
    "standby": lambda scenario: tuple(scenario.standbys),
    "writer": lambda scenario: tuple(scenario.writers),
    "session": lambda scenario: tuple(scenario.sessions),
    "reader": lambda scenario: tuple(scenario.readers),
}


def measures(
    *specs: Spec,
    per: tuple[Per, ...] = (),
    overall: Overall | None = "own",
    needs: Callable[[Scenario], bool] = lambda _: True,
    adds_up: bool = False,
) -> Callable[[Measure], Measure]:
    """Register the metrics that the decorated function computes together; each name once."""

    def register(function: Measure) -> Measure:
        for spec in specs:
            assert spec.name not in METRICS, f"{spec.name} is registered twice"
            METRICS[spec.name] = Metric(
                spec.name, spec.unit, spec.kind, spec.definition, spec.subject, per, overall, function, needs, adds_up
            )
        return function

    return register


def families(chosen: Iterable[Metric]) -> list[list[Metric]]:
    """Metrics in groups: the statistics of one thing together, every other metric by itself; in the given order."""
    return [list(group) for _, group in groupby(chosen, key=lambda metric: (metric.family, metric.subject))]


def metrics(record: Record) -> Metrics:
    """Every metric of a record by name, in SI units (seconds, bytes, per second, fractions), lazily.

    NaN where there is nothing to measure.  Looking up an unknown name raises `UnknownMetric`.
    """
    return Metrics(Facts(record))


def _alone(scenario: Scenario) -> dict[str, Per]:
    """The only one who writes, and the only one who reads, if there is one; and what it is."""
    found: dict[str, Per] = {}
    kinds: tuple[Per, Per] = ("writer", "reader")
    for kind in kinds:
        clients: list[tuple[str, Per]] = [(name, kind) for name in _ENTITIES[kind](scenario)]
        clients += [(name, "session") for name in scenario.sessions]
        if len(clients) == 1:
            found |= clients
    return found


class Named(Mapping[str, float]):
    """Metrics of ``scenario`` by name, of which `_value` knows each entity's own."""

    def __init__(self, scenario: Scenario, names: Iterable[str]) -> None:
        self._scenario = scenario
        self._names = dict.fromkeys(names)
        self._alone = _alone(scenario)

    @abstractmethod
    def _value(self, metric: Metric, entity: str | None) -> float:
        """One entity's own value, or for None the cluster's."""

    def _whose(self, metric: Metric, entity: str | None) -> str | None:
        """Whose value is looked up: what is one's own is the cluster's where there is nobody else."""
        alone = entity is not None and metric.overall == "own" and self._alone.get(entity) in metric.per
        return None if alone else entity

    def __getitem__(self, name: str) -> float:
        if name not in self._names:
            raise UnknownMetric(self._unknown(name))
        metric, entity = find(name)
        entity = self._whose(metric, entity)
        if entity is None and metric.overall == "largest":
            own = [self._value(metric, each) for each in metric.entities(self._scenario)]
            return max((value for value in own if not math.isnan(value)), default=math.nan)
        return self._value(metric, entity)

    def _unknown(self, name: str) -> str:
        return unknown(name, self._scenario)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __repr__(self) -> str:
        return f"<{len(self)} metrics of {self._scenario.name!r}>"


class Metrics(Named):
    """The metrics of one record.  Each family is computed once, when one of its names is first looked up."""

    def __init__(self, facts: Facts) -> None:
        super().__init__(facts.record.scenario, names_for(facts.record.scenario))
        self._facts = facts

    @override
    def _value(self, metric: Metric, entity: str | None) -> float:
        found = self._facts.once(metric.function, entity).get(metric.name)
        if isinstance(found, Share | Total | AtEnd):
            return found.value
        if isinstance(found, int | float):
            return found
        return self._facts.once(_statistics, metric.function, metric.family, entity)[metric.name]


def _statistics(facts: Facts, function: Measure, family: str, entity: str | None) -> dict[str, float]:
    """All metrics of a family, from what it is statistics of."""
    spread = facts.once(function, entity)[family]
    assert isinstance(spread, Spread)
    names = [name for name, metric in METRICS.items() if metric.function is function and metric.family == family]
    found = spread.statistics([name.rpartition(".")[2] for name in names])
    return {name: found[name.rpartition(".")[2]] for name in names}


def find(name: str) -> tuple[Metric, str | None]:
    """The metric that ``name`` stands for, and whose own value it is (None: the cluster's).

    Raises `UnknownMetric`.  Whether a scenario has such an entity is for `names_for` to say.

    >>> find("s1.lag.seconds.p99")[1]
    's1'
    """
    if name in METRICS:
        return METRICS[name], None
    entity, _, plain = name.partition(".")
    if plain in METRICS and METRICS[plain].per:
        return METRICS[plain], entity
    raise UnknownMetric(f"unknown metric {name!r}{_did_you_mean(name, list(METRICS))}")


def unit_of(name: str) -> Unit:
    """The unit of a metric's value.  Raises `UnknownMetric`."""
    return find(name)[0].unit


def names_for(scenario: Scenario) -> list[str]:
    """All metrics that a run of ``scenario`` has, known before it runs: the cluster's, then each entity's."""
    members = {per: entities(scenario) for per, entities in _ENTITIES.items()}
    theirs: dict[str, list[str]] = {name: [] for names in members.values() for name in names}
    whole = []
    for metric in METRICS.values():
        if not metric.needs(scenario):
            continue
        entities = dict.fromkeys(name for per in metric.per for name in members[per])
        if metric.overall == "own" or (metric.overall and entities):
            whole.append(metric.name)
        for name in entities:
            theirs[name].append(f"{name}.{metric.name}")
    return whole + [name for names in theirs.values() for name in names]


def unknown(name: str, scenario: Scenario) -> str:
    """What is wrong with a name that `names_for` does not list, and what was perhaps meant."""
    try:
        metric, entity = find(name)
    except UnknownMetric as error:
        close = _did_you_mean(name, names_for(scenario))
        return f"unknown metric {name!r}{close}" if close else str(error)
    if entity is None or entity in metric.entities(scenario):
        return f"this scenario has nothing to measure for {name!r}"
    whose = " or ".join(metric.per)
    there = metric.entities(scenario)
    known = f"; it has {', '.join(there)}" if there else ""
    return f"{name!r}: this scenario has no {whose} {entity!r}{known}"


def _did_you_mean(name: str, names: list[str]) -> str:
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return f", did you mean {close[0]!r}?" if close else ""
