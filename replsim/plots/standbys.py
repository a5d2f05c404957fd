"""How far each standby is behind over time, and what would be lost if it had to take over."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import plotly.graph_objects as go

from replsim.analysis import series
from replsim.analysis.lag import LagKind
from replsim.analysis.series import Series
from replsim.plots import runs as several
from replsim.plots.axes import Scale, scale_for
from replsim.plots.palette import Theme, node_colours
from replsim.plots.runs import Run, Runs
from replsim.plots.style import canvas, nothing
from replsim.plots.timeline import add_band, add_series, edges_of, is_dense, shade, time_axis
from replsim.summary import show

__all__ = ["lag", "lags", "loss"]

AXES: Final[dict[LagKind, tuple[str, str]]] = {
    "seconds": ("s", "oldest commit missing"),
    "bytes": ("B", "WAL missing"),
    "commits": ("count", "commits missing"),
}


def lag(results: Runs, *, kind: LagKind = "seconds", measured: bool = False, theme: Theme = "light") -> go.Figure:
    """Each standby's lag in ``seconds``, ``bytes`` or ``commits``; ``measured`` adds what the primary knows of it.

    Where it changes too often to be seen, a line gives its mean over equal stretches of time, and an area its smallest
    and largest value in each.  Several results give bands: the median of their means, and the range of these.
    """
    return lags([results], kind=kind, measured=measured, theme=theme)[0]


def lags(
    settings: Sequence[Runs], *, kind: LagKind = "seconds", measured: bool = False, theme: Theme = "light"
) -> list[go.Figure]:
    """As `lag`, a figure for each of several settings, in one unit."""
    every = [several.of(results) for results in settings]
    unit, what = AXES[kind]
    figures, scale = _over_time(every, "Lag", unit, what, lambda run, name: series.lag(run.facts, name, kind), theme)
    for figure, runs in zip(figures, every, strict=True):
        if measured and len(runs) == 1:
            for name, colour in _standbys(runs[0]).items():
                known, words = series.measured(runs[0].facts, name, kind), f"{name} as the primary knows it"
                add_series(figure, runs[0], known, scale, name=words, colour=colour, dash="dot")
    return figures


def loss(results: Runs, *, theme: Theme = "light") -> go.Figure:
    """For each standby: how many commits that clients were told of would be lost if the primary died at a moment, with
    all that is on its way, and that standby were promoted.  Lines and areas as in `lag`."""
    what = "acknowledged commits that it lacks"
    figures, _ = _over_time(
        [several.of(results)], "Loss", "count", what, lambda run, name: series.loss(run.facts, name), theme
    )
    return figures[0]


def _standbys(run: Run) -> dict[str, str]:
    """Their colours, by name."""
    colours = node_colours(run.scenario)
    return {name: colours[name] for name in run.scenario.standbys}


def _over_time(
    settings: Sequence[Sequence[Run]],
    title: str,
    unit: str,
    what: str,
    of: Callable[[Run, str], Series],
    theme: Theme,
) -> tuple[list[go.Figure], Scale]:
    """For each setting a figure of one series a standby, and the scale of all their values."""
    every = [{name: [of(run, name) for run in runs] for name in _standbys(runs[0])} for runs in settings]
    scale = scale_for(unit, (each.value for found in every for many in found.values() for each in many))
    axis = {"title": scale.title(what), "rangemode": "tozero"}
    return [_drawn(runs, found, title, axis, scale, theme) for runs, found in zip(settings, every, strict=True)], scale


def _drawn(
    runs: Sequence[Run],
    every: Mapping[str, Sequence[Series]],
    title: str,
    axis: dict[str, Any],
    scale: Scale,
    theme: Theme,
) -> go.Figure:
    first = runs[0]
    if not every:
        return nothing(title, "there is no standby", theme=theme)
    if len(runs) > 1:
        title = f"{title}: median and range over {len(runs)} seeds"
    elif any(is_dense(each) for many in every.values() for each in many):
        title = f"{title}: mean and range per {show(float(edges_of(first)[1]), 's')}"
    figure = canvas(title, time_axis(first), axis, theme=theme)
    shade(figure, first)
    for name, colour in _standbys(first).items():
        if len(runs) == 1:
            add_series(figure, first, every[name][0], scale, name=name, colour=colour)
        else:
            means = [each.means(edges_of(first)) for each in every[name]]
            add_band(figure, first, means, scale, name=name, colour=colour)
    if not any(each.value.any() for many in every.values() for each in many):
        figure.add_annotation(text="nothing at any time", x=0.5, y=0.5, xref="paper", yref="paper")
        figure.update_yaxes(range=[0, 1])
    return figure
