"""How soon a commit can be seen on a standby."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from replsim.analysis.series import band, decimated
from replsim.analysis.staleness import facts_t_visibility
from replsim.plots import runs as several
from replsim.plots.axes import log_axis, percent_axis
from replsim.plots.palette import Theme, node_colours
from replsim.plots.runs import Run, Runs
from replsim.plots.style import canvas, nothing
from replsim.plots.timeline import add_area
from replsim.summary import show

__all__ = ["t_visibilities", "t_visibility"]

VISIBLE: Final = "How soon a commit can be seen"
FLOOR: Final = 1e-5
"""Where the logarithmic axis of time begins at the earliest: 10 µs."""
DECADES: Final = 1e4
"""The axis spans at most such a ratio."""

Curve = tuple[NDArray[np.float64], NDArray[np.float64]]


def t_visibility(results: Runs, *, theme: Theme = "light") -> go.Figure:
    """For each standby: the probability that a look there, a time t after a commit's acknowledgement, sees it.

    Time is on a logarithmic axis; its left end stands for the very moment of the acknowledgement.  Several results
    give bands.
    """
    return t_visibilities([results], theme=theme)[0]


def t_visibilities(settings: Sequence[Runs], *, theme: Theme = "light") -> list[go.Figure]:
    """As `t_visibility`, a figure for each of several settings, on one axis of time."""
    every = []
    for results in settings:
        runs = several.of(results)
        every.append(
            {name: [facts_t_visibility(run.facts, name) for run in runs] for name in runs[0].scenario.standbys}
        )
    ends = [float(time[-1]) for found in every for many in found.values() for time, share in many if share.any()]
    high = max(10 * FLOOR, *ends) if ends else 1.0
    first = [several.of(results)[0] for results in settings]
    return [_drawn(run, found, high, theme) for run, found in zip(first, every, strict=True)]


def _drawn(run: Run, curves: Mapping[str, Sequence[Curve]], high: float, theme: Theme) -> go.Figure:
    """The curves of one setting, on an axis that reaches to ``high`` (seconds)."""
    if not any(share.any() for many in curves.values() for _, share in many):
        why = "there is no standby" if not curves else "no commit was seen on a standby within the measured window"
        return nothing(VISIBLE, why, theme=theme)
    low = max(FLOOR, high / DECADES)
    axis = {"title": "time since acknowledged (log)", **log_axis("s", low, high)}
    figure = canvas(VISIBLE, axis, percent_axis(title="chance to see the commit", range=[0, 1.03]), theme=theme)
    grid = np.geomspace(low, high, 400)
    for name, colour in node_colours(run.scenario).items():
        if name in curves:
            _add_curve(figure, name, curves[name], grid, colour)
    return figure


def _add_curve(
    figure: go.Figure,
    name: str,
    curves: Sequence[Curve],
    grid: NDArray[np.float64],
    colour: str,
) -> None:
    low, high = grid[0], grid[-1]
    shape = "hv"
    if len(curves) == 1:
        ((time, share),) = curves
        start = float(share[np.searchsorted(time, low, side="right") - 1])
        shown = time > low
        x, y = decimated(np.log(time[shown]), share[shown])
        x, y = np.concatenate([[low], np.exp(x), [high]]), np.concatenate([[start], y, [share[-1]]])
    else:
        values = [share[np.searchsorted(time, grid, side="right") - 1] for time, share in curves]
        found = band(values)
        x, y = grid, found.middle
        add_area(
            figure, x.astype(np.float32), found.low.astype(np.float32), found.high.astype(np.float32), colour, name
        )
        shape = "linear"
    figure.add_scatter(
        x=x.astype(np.float32),
        y=y.astype(np.float32),
        mode="lines",
        name=name,
        legendgroup=name,
        line={"color": colour, "width": 2, "shape": shape},
        text=[show(float(moment), "s") for moment in x],
        hovertemplate=f"<b>{name}</b><br>%{{y:.1~%}} can be seen there %{{text}} after<extra></extra>",
        showlegend=True,
    )
