"""Measured against simulated: quantile against quantile, and lag over time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from replsim.plots.axes import scale_for
from replsim.plots.palette import Theme, named
from replsim.plots.phrases import listed
from replsim.plots.style import canvas, nothing
from replsim.summary import show

__all__ = ["Curve", "lag_overlay", "lag_overlay_reading", "quantiles", "quantiles_reading"]

Floats = NDArray[np.float64]
Curve = tuple[Floats, Floats]
"""Times and values, both in seconds; NaN where there is no value."""

RANKS: Final = np.concatenate([np.arange(1, 99) / 100, np.arange(980, 1000) / 1000])


def quantiles(
    measured: Floats, simulated: Floats, *, title: str = "Commit latency", theme: Theme = "light"
) -> go.Figure:
    """A QQ plot: each rank's measured value against its simulated one; on the diagonal they agree."""
    if not len(measured) or not len(simulated):
        return nothing(title, "one of the two has no commits", theme=theme)
    x, y = np.quantile(measured, RANKS), np.quantile(simulated, RANKS)
    scale = scale_for("s", [x, y])
    ends = [min(x[0], y[0]) / scale.factor, max(x[-1], y[-1]) / scale.factor]
    figure = canvas(title, {"title": scale.title("measured")}, {"title": scale.title("simulated")}, theme=theme)
    figure.add_scatter(x=ends, y=ends, mode="lines", name="equal", line={"dash": "dot", "width": 1}, hoverinfo="skip")
    figure.add_scatter(
        x=x / scale.factor,
        y=y / scale.factor,
        customdata=RANKS * 100,
        mode="markers",
        name="quantiles",
        marker={"size": 5},
        hovertemplate="p%{customdata:.1f}<br>measured %{x:.4~g}<br>simulated %{y:.4~g}<extra></extra>",
    )
    return figure


def quantiles_reading(measured: Floats, simulated: Floats) -> str:
    """How long half of the commits took, and 99 in 100, measured and simulated."""
    if not len(measured) or not len(simulated):
        return "One of the two has no commits."
    half, most = (
        [show(float(np.quantile(values, rank)), "s") for values in (measured, simulated)] for rank in (0.5, 0.99)
    )
    return (
        f"Half of the commits took up to {half[0]} measured and {half[1]} simulated, 99 in 100 up to {most[0]} and "
        f"{most[1]}. On the dotted line the two agree."
    )


def lag_overlay_reading(measured: Mapping[str, Curve], simulated: Mapping[str, Curve]) -> str:
    """The median of each standby's lag, measured and simulated."""
    told = []
    for name, (time, value) in measured.items():
        if name in simulated and np.isfinite(value).any():
            again = simulated[name][1][simulated[name][0] <= time[-1]]
            told.append(f"{show(_median(value), 's')} on {name} ({show(_median(again), 's')} simulated)")
    return f"The median was {listed(told)}." if told else "No standby's lag was measured."


def _median(value: Floats) -> float:
    finite = value[np.isfinite(value)]
    return float(np.median(finite)) if len(finite) else float("nan")


def lag_overlay(
    measured: Mapping[str, Curve],
    simulated: Mapping[str, Curve],
    *,
    column: str = "replay",
    colours: Mapping[str, str] | None = None,
    theme: Theme = "light",
) -> go.Figure:
    """A lag column over the measured window, by standby: what was measured as points, what is simulated as lines.

    ``colours`` are those of the standbys, as `palette.node_colours` has them.
    """
    title = f"{column}_lag as pg_stat_replication shows it"
    both = [name for name in measured if name in simulated]
    if not both:
        return nothing(title, "no standby's lag was measured", theme=theme)
    last = max((float(time[-1]) for time, _ in (measured[name] for name in both) if len(time)), default=0.0)
    scale = scale_for("s", [curve[1] for name in both for curve in (measured[name], simulated[name])])
    figure = canvas(
        title, {"title": "time (s)"}, {"title": scale.title(f"{column} lag"), "rangemode": "tozero"}, theme=theme
    )
    colours = colours or named(tuple(both))
    for name in both:
        time, value = simulated[name]
        shown = time <= last
        figure.add_scatter(
            x=time[shown],
            y=value[shown] / scale.factor,
            mode="lines",
            name=f"{name}, simulated",
            line={"color": colours[name], "width": 1, "shape": "hv"},
            opacity=0.6,
        )
        time, value = measured[name]
        figure.add_scatter(
            x=time,
            y=value / scale.factor,
            mode="markers",
            name=f"{name}, measured",
            marker={"color": colours[name], "size": 4},
        )
    return figure
