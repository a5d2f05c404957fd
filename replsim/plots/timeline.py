"""Figures over the time of a run: its axis, warm-up and faults shaded, and lines that become bands for several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from replsim.analysis.series import POINTS, Series, band
from replsim.analysis.troubles import troubles
from replsim.plots.axes import Scale, scale_for
from replsim.plots.palette import BAD, QUIET, see_through
from replsim.plots.runs import Run
from replsim.units import SECOND

__all__ = [
    "STRETCHES",
    "add_area",
    "add_band",
    "add_series",
    "edges_of",
    "is_dense",
    "shade",
    "time_axis",
    "time_scale",
]

NAMED: Final = 6
"""So many faults are named in a figure; more are only shaded."""
LEVELS: Final = 3
WORD: Final = 0.12
"""What the word at a shaded stretch takes of a small figure's width."""
STRETCHES: Final = 240
"""A band shows means over so many equal stretches of the run."""


def time_scale(run: Run) -> Scale:
    """The unit of a run's time."""
    return scale_for("s", [run.scenario.duration / SECOND])


def time_axis(run: Run) -> dict[str, Any]:
    """The axis of the whole run."""
    scale = time_scale(run)
    return {"title": scale.title("time since the start"), "range": [0, run.scenario.duration / SECOND / scale.factor]}


def edges_of(run: Run, stretches: int = STRETCHES) -> NDArray[np.float64]:
    """The edges of equal stretches of a run, in seconds."""
    return np.linspace(0, run.scenario.duration / SECOND, stretches + 1)


def is_dense(series: Series) -> bool:
    """Whether a series has more points than can be told apart, so that its mean and range are shown."""
    return len(series.time) > POINTS // 2


def add_series(
    figure: go.Figure, run: Run, series: Series, y: Scale, *, name: str, colour: str, dash: str = "solid"
) -> None:
    """One run's series: exact where it is short, else its mean in equal stretches of time, and its range as an area."""
    x = time_scale(run)
    if is_dense(series):
        edges = edges_of(run)
        middle, means = x((edges[1:] + edges[:-1]) / 2), y(series.means(edges))
        low, high = (y(values) for values in series.extent(edges))
        if dash == "solid":
            add_area(figure, middle, low, high, colour, name)
        words = f"on average %{{y:.3~g}}{y.suffix}, at most %{{customdata:.3~g}}{y.suffix}, around"
        points = {"x": middle, "y": means, "customdata": high}
        line: dict[str, Any] = {"shape": "linear", "width": 2}
    else:
        time, value = series.time, series.value
        if series.steps and len(time):
            time, value = np.append(time, run.scenario.duration / SECOND), np.append(value, value[-1])
        words = f"%{{y:.3~g}}{y.suffix} at"
        points = {"x": x(time), "y": y(value)}
        line = {"shape": "hv" if series.steps else "linear", "width": 1.5}
    figure.add_scatter(
        **points,
        mode="lines",
        name=name,
        legendgroup=name,
        line={"color": colour, "dash": dash, **line},
        hovertemplate=f"<b>{name}</b><br>{words} %{{x:.4~g}}{x.suffix}<extra></extra>",
        showlegend=True,
    )


def add_band(
    figure: go.Figure,
    run: Run,
    values: Sequence[NDArray[np.float64]],
    y: Scale,
    *,
    name: str,
    colour: str,
    form: str = ".3~g",
) -> None:
    """Several runs' values in equal stretches of time: their median as a line, their range as an area."""
    x = time_scale(run)
    found, edges = band(values), edges_of(run, len(values[0]))
    middle = x((edges[1:] + edges[:-1]) / 2)
    add_area(figure, middle, y(found.low), y(found.high), colour, name)
    figure.add_scatter(
        x=middle,
        y=y(found.middle),
        mode="lines",
        name=name,
        legendgroup=name,
        line={"color": colour, "width": 2},
        customdata=np.stack([y(found.low), y(found.high)], axis=1),
        hovertemplate=(
            f"<b>{name}</b><br>%{{y:{form}}}{y.suffix}, over {len(values)} seeds %{{customdata[0]:{form}}} to "
            f"%{{customdata[1]:{form}}}{y.suffix}, at %{{x:.4~g}}{x.suffix}<extra></extra>"
        ),
    )


def add_area(
    figure: go.Figure,
    x: NDArray[np.float32],
    low: NDArray[np.float32],
    high: NDArray[np.float32],
    colour: str,
    name: str,
    **line: Any,
) -> None:
    """The area between two lines, in the colour of what it belongs to."""
    quiet: dict[str, Any] = {"mode": "lines", "hoverinfo": "skip", "showlegend": False, "legendgroup": name}
    figure.add_scatter(x=x, y=high, line={"width": 0, **line}, **quiet)
    figure.add_scatter(
        x=x, y=low, line={"width": 0, **line}, fill="tonexty", fillcolor=see_through(colour, 0.22), **quiet
    )


def shade(figure: go.Figure, run: Run) -> None:
    """The warm-up in grey, as no metric counts it; faults in red, with their names where these are few."""
    scale = time_scale(run).factor * SECOND
    if run.scenario.warmup:
        _add_stretch(figure, 0, run.scenario.warmup / scale, QUIET, "warm-up", 0)
    found = troubles(run.facts)
    below = 1 if run.scenario.warmup and found and found[0].start < run.scenario.duration * WORD else 0
    for place, each in enumerate(found, below):
        words = each.what if len(found) <= NAMED else ""
        # Names of neighbours stand one below the other, the first above the plot and the data.
        _add_stretch(figure, each.start / scale, each.end / scale, BAD, words, place % LEVELS)


def _add_stretch(figure: go.Figure, start: float, end: float, colour: str, words: str, level: int) -> None:
    if end > start:
        figure.add_vrect(x0=start, x1=end, fillcolor=see_through(colour, 0.15), line_width=0, layer="below")
    else:
        figure.add_vline(x=start, line={"color": colour, "width": 1, "dash": "dot"}, layer="below")
    if words:
        figure.add_annotation(
            x=start, y=1, yref="paper", xanchor="left", yanchor="bottom", yshift=-14 * level, text=words,
            font={"size": 11},
        )  # fmt: skip
