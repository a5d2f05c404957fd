"""What differs from seed to seed: the share of the seeds in which something was no larger than a value."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from replsim.plots.axes import percent_axis, scale_for
from replsim.plots.palette import BAD, Theme
from replsim.plots.style import canvas

__all__ = ["shares_of_seeds"]


def shares_of_seeds(title: str, what: str, unit: str, values: NDArray[np.float64], *, theme: Theme) -> go.Figure:
    """A step up at the value of each seed, in ``unit``; ``what`` names the axis."""
    values = np.sort(values)
    scale = scale_for(unit, [values])
    x: dict[str, Any] = {"title": scale.title(what), "rangemode": "tozero"}
    if not values.any():
        x["range"] = [-0.05, 1]
    figure = canvas(f"{title}, seed by seed", x, percent_axis(title="share of seeds", range=[0, 1.05]), theme=theme)
    figure.add_scatter(
        x=scale(values),
        y=(np.arange(len(values)) + 1) / len(values),
        mode="lines+markers",
        line={"color": BAD, "width": 1.5, "shape": "hv"},
        name="seeds",
        hovertemplate=f"in %{{y:.0%}} of the seeds at most %{{x:.3~g}}{scale.suffix}<extra></extra>",
        showlegend=False,
    )
    return figure
