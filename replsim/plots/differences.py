"""What changes from one setting to others: each measure as a ratio, with its interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, Protocol

import plotly.graph_objects as go

from replsim.plots.palette import Theme, named
from replsim.plots.phrases import listed
from replsim.plots.style import canvas, nothing

__all__ = ["Comparison", "differences", "differences_reading"]

TOLD: Final = 3
"""So many differences are put into words."""

TITLE: Final = "What the change does"
FARTHEST: Final = 100.0
"""A ratio beyond this, or below its inverse, stands at the edge."""
TICKS: Final = {0.01: "÷100", 0.1: "÷10", 0.5: "÷2", 1.0: "same", 2.0: "×2", 10.0: "×10", 100.0: "×100"}
"""Ratios, and how they are called."""


class Comparison(Protocol):
    """A comparison of a study, as far as it is drawn.

    A measure has a ``name`` and can ``show`` a value; a difference has an ``estimate`` (its ``value``, ``low`` and
    ``high``, in the measure's unit), is ``relative`` to the first setting's value, and is ``found`` or may be luck.
    """

    @property
    def labels(self) -> tuple[str, ...]:
        """What tells the settings apart, the first being what the others are compared with."""

    @property
    def measures(self) -> tuple[Any, ...]:
        """What was measured."""

    def difference(self, measure: str, place: int = 1) -> Any:
        """How a setting differs from the first."""


def differences(comparison: Comparison, *, theme: Theme = "light") -> go.Figure:
    """For each measure: how many times as large it is in each setting as in the first, with its 95 % interval.

    The axis is logarithmic, so that half and double are as far from the same.  A hollow point is a difference that luck
    may explain.  A measure that was 0 in the first setting has no ratio, and is left out.
    """
    rows = [measure for measure in comparison.measures if _drawable(comparison, measure.name)]
    if not rows:
        return nothing(TITLE, "nothing to compare: every measure was 0, or had no value", theme=theme)
    others = comparison.labels[1:]
    figure = canvas(
        TITLE,
        {
            "title": "ratio to the first (log)",
            "tickangle": 0,
            "type": "log",
            **_ticks(comparison, [measure.name for measure in rows]),
        },
        {"autorange": "reversed", "ticks": ""},
        theme=theme,
        height=150 + (22 * len(others) + 14) * len(rows),
    )
    figure.add_vline(x=1, line={"width": 1})
    for place, (label, colour) in enumerate(named(others).items(), 1):
        _add_setting(figure, comparison, rows, place, label, colour)
    figure.update_layout(scattermode="group", scattergap=0.3)
    return figure


def _add_setting(
    figure: go.Figure, comparison: Comparison, rows: Sequence[Any], place: int, label: str, colour: str
) -> None:
    found = [comparison.difference(measure.name, place) for measure in rows]
    ratios, pairs = [_ratios(each) for each in found], list(zip(rows, found, strict=True))
    figure.add_scatter(
        x=[middle for _, middle, _ in ratios],
        y=[f"{measure.name}  " for measure in rows],
        error_x={
            "array": [high - middle for _, middle, high in ratios],
            "arrayminus": [middle - low for low, middle, _ in ratios],
            "thickness": 1.5,
        },
        mode="markers",
        name=label,
        marker={
            "color": colour,
            "size": 10,
            "symbol": ["circle" if each.found else "circle-open" for each in found],
        },
        customdata=[f"{_words(measure, each)}<br>{_interval(measure, each)}" for measure, each in pairs],
        hovertemplate="<b>%{y}</b><br>%{customdata}<extra>" + label + "</extra>",
        orientation="h",
        showlegend=True,
    )


def _drawable(comparison: Comparison, name: str) -> bool:
    return any(math.isfinite(comparison.difference(name, place).relative) for place in range(1, len(comparison.labels)))


def _ratios(difference: Any) -> tuple[float, float, float]:
    """The interval's low end, the estimate and the high end as ratios; NaN where there are none."""
    relative, value = difference.relative, difference.estimate.value
    if not math.isfinite(relative):
        return math.nan, math.nan, math.nan
    scale = relative / value if value else 0.0
    ends = [
        1 + scale * end if math.isfinite(end) else 1 + relative
        for end in (difference.estimate.low, difference.estimate.high)
    ]
    low, middle, high = (min(max(ratio, 1 / FARTHEST), FARTHEST) for ratio in (min(ends), 1 + relative, max(ends)))
    return low, middle, high


def _ticks(comparison: Comparison, names: Sequence[str]) -> dict[str, Any]:
    places = range(1, len(comparison.labels))
    every = [ratio for name in names for place in places for ratio in _ratios(comparison.difference(name, place))]
    every = [ratio for ratio in every if ratio == ratio]
    low, high = min(0.8, *every) / 1.1, max(1.25, *every) * 1.1
    shown = {tick: text for tick, text in TICKS.items() if low <= tick <= high}
    return {"range": [math.log10(low), math.log10(high)], "tickvals": list(shown), "ticktext": list(shown.values())}


def _words(measure: Any, difference: Any) -> str:
    """From what to what: the first value is the difference over the relative one, or 0 where there is none."""
    change, relative = difference.estimate.value, difference.relative
    before = change / relative if relative and math.isfinite(relative) else 0.0
    return f"from {measure.show(before)} to {measure.show(before + change)}"


def _interval(measure: Any, difference: Any) -> str:
    low, high = difference.estimate.low, difference.estimate.high
    if not (math.isfinite(low) and math.isfinite(high)):
        return "too few runs for an interval"
    return f"difference {measure.show(low)} to {measure.show(high)}"


def _strength(difference: Any) -> float:
    """How far a ratio is from the same; what has none comes first, as it was nothing before."""
    middle = _ratios(difference)[1]
    return abs(math.log(middle)) if middle == middle else math.inf


def differences_reading(comparison: Comparison) -> str:
    """The largest differences that luck does not explain, setting by setting."""
    first, *others = comparison.labels
    told = []
    for place, label in enumerate(others, 1):
        found = [(measure, comparison.difference(measure.name, place)) for measure in comparison.measures]
        found = [(measure, each) for measure, each in found if each.found and math.isfinite(each.estimate.value)]
        found.sort(key=lambda pair: -_strength(pair[1]))
        words = [f"{measure.name} {_words(measure, each)}" for measure, each in found[:TOLD]]
        told.append(f"{label}: {listed(words)}." if words else f"{label}: nothing that luck does not explain.")
    return f"Compared with {first}: {' '.join(told)}"
