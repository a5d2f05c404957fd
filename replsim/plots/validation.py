"""Measured against simulated: quantile against quantile, and lag over time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from replsim.plots.axes import scale_for
from replsim.plots.palette import Theme, named
from replsim.plots.style import canvas, nothing

__all__ = ["Curve", "lag_overlay", "quantiles"]

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


def lag_overlay(
    measured: Mapping[str, Curve], simulated: Mapping[str, Curve], *, column: str = "replay", theme: Theme = "light"
) -> go.Figure:
    """A lag column over the measured window, by standby: what was measured as points, what is simulated as lines."""
    title = f"{column}_lag as pg_stat_replication shows it"
    both = [name for name in measured if name in simulated]
    if not both:
        return nothing(title, "no standby's lag was measured", theme=theme)
    last = max((float(time[-1]) for time, _ in (measured[name] for name in both) if len(time)), default=0.0)
    scale = scale_for("s", [curve[1] for name in both for curve in (measured[name], simulated[name])])
    figure = canvas(
        title, {"title": "seconds"}, {"title": scale.title(f"{column} lag"), "rangemode": "tozero"}, theme=theme
    )
    colours = named(tuple(both))
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
