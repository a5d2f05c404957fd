"""Two to four settings of one scenario on the same luck: which knob, which values, and what each changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dashboard.answers import wanted
from dashboard.knobs import Knob, knobs
from dashboard.links import Setup
from dashboard.sources import scenario_of
from dashboard.turns import turned
from replsim.analysis import find
from replsim.result import Result
from replsim.scenario import Scenario
from replsim.study.statistics import Estimate, difference
from replsim.summary import show

__all__ = [
    "FEWEST_SEEDS",
    "MOST_SETTINGS",
    "Row",
    "choices",
    "first_values",
    "rows",
    "scenarios",
    "setups",
]

MOST_SETTINGS: Final = 4
FEWEST_SEEDS: Final = 5
"""Differences between fewer pairs of runs have no interval worth a look."""
_FIRST: Final = ("primary.synchronous_standby_names", "primary.synchronous_commit", "primary.wal_device.flush")
_NOT: Final = ("seed", "duration")


def choices(scenario: Scenario) -> dict[str, Knob]:
    """The knobs that can be varied, by path, those first that one asks of first: with more than one value each."""
    offered = {knob.path: knob for knob in knobs(scenario) if len(knob.options) > 1 and knob.path not in _NOT}
    return {path: offered[path] for path in _FIRST if path in offered} | offered


def first_values(knob: Knob) -> list[Any]:
    """Values to begin with: the one that holds, and its neighbours."""
    if knob.ordered:
        at = knob.options.index(knob.value)
        return sorted({knob.value, knob.options[max(at - 3, 0)], knob.options[min(at + 3, len(knob.options) - 1)]})
    others = [value for value in knob.options if value != knob.value]
    return [knob.value, *others[: MOST_SETTINGS - 2]]


def setups(setup: Setup, knob: Knob, values: Sequence[Any]) -> dict[str, Setup]:
    """The setup with the knob at each of the values, by their words."""
    return {knob.show(value): turned(setup, knob, value) for value in values}


@dataclass(frozen=True)
class Row:
    """One answer: its words, each setting's value, and each further one's difference to the first, in words."""

    label: str
    help: str
    values: tuple[str, ...]
    differences: tuple[str, ...]
    sure: tuple[int, ...]
    """Of each difference: 1 for the better, -1 for the worse, 0 where its interval holds zero."""


def rows(every: Sequence[Sequence[Result]]) -> list[Row]:
    """The answers of all settings; differences are pairs of runs that saw the same luck, with 95 % intervals."""
    found = []
    names = list(dict.fromkeys(answer.metric for results in every for answer in wanted(results[0].scenario)))
    told = {answer.metric: answer for results in every for answer in wanted(results[0].scenario)}
    for name in names:
        values = [[_value(result, name) for result in results] for results in every]
        gaps = [difference(values[0], each) for each in values[1:]]
        better = told[name].better
        found.append(
            Row(
                told[name].label,
                told[name].help,
                tuple(told[name].said(sum(each) / len(each)) for each in values),
                tuple(_gap(name, gap) for gap in gaps),
                tuple(_sure(gap) * better for gap in gaps),
            )
        )
    return found


def _value(result: Result, name: str) -> float:
    return result.metrics.get(name, float("nan"))


def _sure(gap: Estimate) -> int:
    return 1 if gap.low > 0 else -1 if gap.high < 0 else 0


def _gap(name: str, gap: Estimate) -> str:
    """A difference with its interval, such as ``+3.2 ms (3.1 to 3.4)``."""
    metric, _ = find(name)
    if gap.value != gap.value:
        return "–"
    if gap.low == gap.high == 0:
        return "no difference"
    if metric.kind == "proportion":
        return f"{100 * gap.value:+.3g} points ({100 * gap.low:+.3g} to {100 * gap.high:+.3g})"
    shown = [("-" if value < 0 else "+") + show(abs(value), metric.unit) for value in (gap.value, gap.low, gap.high)]
    return f"{shown[0]} ({shown[1]} to {shown[2]})"


def scenarios(every: Mapping[str, Setup]) -> list[Scenario]:
    """The scenario of each setting."""
    return [scenario_of(setup) for setup in every.values()]
