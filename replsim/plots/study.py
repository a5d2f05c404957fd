"""Figures of many runs: a heat map over two knobs, lines with bands, the front of a search, what drives a metric.

They take plain numbers with the name of what they measure; `replsim.study` hands them over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from replsim.plots.axes import percent_axis, scale_for
from replsim.plots.palette import THEMES, Theme, named, see_through
from replsim.plots.style import canvas, nothing
from replsim.summary import show

__all__ = ["Axis", "Figure", "Line", "bars", "front", "heat_map", "lines"]

MOST_TOLD: Final = 150
"""So many cells of a heat map have room for their values."""
Floats = NDArray[np.float64]
Figure = go.Figure


@dataclass(frozen=True, slots=True)
class Axis:
    """What an axis shows: its name, its unit (as metrics have it), and whether it is a share of a whole."""

    name: str
    unit: str
    share: bool = False

    def words(self, value: float) -> str:
        """A value as people say it."""
        return show(value, self.unit, fraction=self.share)

    def drawn(self, *arrays: ArrayLike) -> tuple[list[Floats], dict[str, Any]]:
        """The values as they are drawn, and the axis for them."""
        values = [np.asarray(array, dtype=np.float64) for array in arrays]
        if self.share:
            return values, percent_axis(title=self.name)
        if self.unit not in ("s", "B", "count"):
            return values, {"title": f"{self.name} (per second)" if self.unit == "1/s" else self.name}
        scale = scale_for(self.unit, values)
        return [array / scale.factor for array in values], {"title": scale.title(self.name)}


@dataclass(frozen=True, slots=True)
class Line:
    """A measure along a knob: the estimates, and the ends of their intervals (NaN where there is none)."""

    name: str
    value: Floats
    low: Floats
    high: Floats


def heat_map(
    measure: Axis, x: str, y: str, columns: Sequence[str], rows: Sequence[str], value: Floats, *, theme: Theme = "light"
) -> go.Figure:
    """A measure over two knobs: a cell for each pair of values, with its value in words; empty where there is none.

    Cells too many for words have a bar of colours beside them, which tells what each stands for.
    """
    if not np.isfinite(value).any():
        return nothing(measure.name, "no cell has a value yet", theme=theme)
    axes = [{"title": name, "type": "category", "showgrid": False} for name in (x, y)]
    (drawn,), axis = measure.drawn(value)
    figure = canvas(measure.name, *axes, theme=theme, height=120 + 48 * max(len(rows), 4))
    told = value.size <= MOST_TOLD
    words = [["" if np.isnan(cell) else measure.words(float(cell)) for cell in row] for row in value]
    figure.add_heatmap(
        x=list(columns),
        y=list(rows),
        z=drawn,
        text=words,
        texttemplate="%{text}" if told else None,
        colorscale="Cividis",
        showscale=not told,
        colorbar={"title": {"text": axis["title"], "side": "right"}, "tickformat": axis.get("tickformat")},
        xgap=2,
        ygap=2,
        hovertemplate=f"{x}: %{{x}}<br>{y}: %{{y}}<br>{measure.name}: %{{text}}<extra></extra>",
        hoverongaps=False,
    )
    return figure


def lines(
    measure: Axis, x: str, at: Sequence[str] | Floats, every: Sequence[Line], *, along: Axis | None = None,
    theme: Theme = "light",
) -> go.Figure:  # fmt: skip
    """A measure along a knob, a line for each value of another, with its interval as a band.

    ``at``: the knob's values as words, or as numbers in ``along``'s unit.
    """
    flat = [array for line in every for array in (line.value, line.low, line.high)]
    if not any(np.isfinite(line.value).any() for line in every):
        return nothing(measure.name, "no run has a value yet", theme=theme)
    drawn, axis = measure.drawn(*flat)
    places: Any = list(at)
    across: dict[str, Any] = {"title": x, "type": "category"}
    if along is not None:
        (numbers,), across = along.drawn(np.asarray(at, dtype=np.float64))
        places = numbers
    figure = canvas(f"{measure.name} along {x}", across, {"rangemode": "tozero", **axis}, theme=theme)
    for place, (line, colour) in enumerate(zip(every, named([line.name for line in every]).values(), strict=True)):
        value, low, high = drawn[3 * place : 3 * place + 3]
        edge: dict[str, Any] = {
            "x": places, "mode": "lines", "line": {"width": 0}, "showlegend": False, "hoverinfo": "skip",
        }  # fmt: skip
        figure.add_scatter(y=np.where(np.isnan(low), value, low), **edge)
        figure.add_scatter(
            y=np.where(np.isnan(high), value, high), fill="tonexty", fillcolor=see_through(colour, 0.18), **edge
        )
        words = [measure.words(float(each)) for each in line.value]
        figure.add_scatter(
            x=places,
            y=value,
            mode="lines+markers",
            name=line.name,
            showlegend=len(every) > 1,
            line={"color": colour, "width": 2},
            text=words,
            hovertemplate=f"{line.name}<br>{x}: %{{x}}<br>%{{text}}<extra></extra>",
        )
    return figure


def front(
    x: Axis, y: Axis, points: Mapping[str, tuple[float, float]], best: Sequence[str], *, theme: Theme = "light"
) -> go.Figure:
    """Settings by two goals: those on the front joined by a line, the others pale."""
    usable = {name: point for name, point in points.items() if np.isfinite(point).all()}
    title = f"{y.name} against {x.name}"
    if not usable:
        return nothing(title, "no setting has both", theme=theme)
    array = np.array(list(usable.values()))
    (right,), across = x.drawn(array[:, 0])
    (up,), upwards = y.drawn(array[:, 1])
    figure = canvas(title, across, upwards, theme=theme, height=440)
    words = [f"{name}<br>{x.words(a)}, {y.words(b)}" for name, (a, b) in usable.items()]
    chosen = np.array([name in best for name in usable])
    for name, mask, colour in (
        ("tried", ~chosen, THEMES[theme]["soft"]),
        ("on the front", chosen, named(["front"])["front"]),
    ):
        order = np.flatnonzero(mask)[np.argsort(right[mask], kind="stable")]
        figure.add_scatter(
            x=right[order],
            y=up[order],
            mode="lines+markers" if name == "on the front" else "markers",
            name=name,
            line={"shape": "hv", "dash": "dot", "width": 1},
            marker={"color": colour, "size": 12 if name == "on the front" else 7},
            text=[words[place] for place in order],
            hovertemplate="%{text}<extra></extra>",
            showlegend=True,
        )
    return figure


def bars(
    measure: Axis, knobs: Sequence[str], total: Floats, error: Floats, *, share: bool, theme: Theme = "light"
) -> go.Figure:
    """How much each knob matters to a measure, the most at the top: in its unit, or as a ``share`` of its variance."""
    title = f"What drives {measure.name}"
    if share:
        drawn, axis = [np.asarray(total), np.asarray(error)], percent_axis(title="share of the variance, in all")
    else:
        drawn, axis = measure.drawn(total, error)
        axis = {**axis, "title": f"mean change over the knob's range: {axis['title']}", "rangemode": "tozero"}
    category = {"type": "category", "autorange": "reversed", "showgrid": False}
    figure = canvas(title, axis, category, theme=theme, height=140 + 36 * len(knobs))
    words = [f"{100 * value:.1f} %" if share else measure.words(float(value)) for value in total]
    figure.add_bar(
        x=drawn[0],
        y=list(knobs),
        orientation="h",
        error_x={"type": "data", "array": drawn[1], "color": THEMES[theme]["soft"]},
        marker={"color": named(["bar"])["bar"]},
        text=words,
        textposition="inside",
        insidetextanchor="start",
        hovertemplate="%{y}: %{text}<extra></extra>",
        showlegend=False,
    )
    return figure
