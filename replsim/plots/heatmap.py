"""A measure over two knobs, as a heat map whose cells can be clicked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from replsim.plots.palette import THEMES, Theme
from replsim.plots.style import canvas
from replsim.summary import show_metric

__all__ = ["heat_map"]

MOST_WORDS: Final = 64
"""Beyond so many cells their values are in the hover text alone."""


def heat_map(
    metric: str,
    value: NDArray[np.float64],
    *,
    across: str,
    down: str,
    columns: Sequence[str],
    rows: Sequence[str],
    theme: Theme = "light",
) -> go.Figure:
    """A cell for each pair of values, the lighter the more; a cell that is not known yet (NaN) is empty.

    ``value`` has a row for each of ``rows``, the values of the knob ``down``.  Each cell holds an invisible point whose
    ``customdata`` is the cell's number, counted row by row, so that it can be clicked.
    """
    known = np.isfinite(value)
    words = [[show_metric(metric, cell) if np.isfinite(cell) else "" for cell in row] for row in value]
    x, y = list(range(len(columns))), list(range(len(rows)))
    figure = canvas(
        metric,
        {"title": across, "tickvals": x, "ticktext": list(columns), "showgrid": False},
        {"title": down, "tickvals": y, "ticktext": list(rows), "showgrid": False},
        theme=theme,
        height=max(320, 52 * len(y) + 140),
        showlegend=False,
    )
    figure.add_heatmap(
        z=np.where(known, value, np.nan),
        x=x,
        y=y,
        text=words if known.size <= MOST_WORDS else None,
        texttemplate="%{text}" if known.size <= MOST_WORDS else None,
        colorscale="Viridis",
        showscale=False,
        xgap=2,
        ygap=2,
        hoverinfo="skip",
        hoverongaps=False,
    )
    cells = [(row, column) for row in y for column in x if known[row, column]]
    figure.add_scatter(
        x=[column for _, column in cells],
        y=[row for row, _ in cells],
        customdata=[row * len(columns) + column for row, column in cells],
        mode="markers",
        marker={"size": 34, "symbol": "square", "color": THEMES[theme]["text"], "opacity": 0.001},
        text=[f"{columns[column]}, {rows[row]}: <b>{words[row][column]}</b>" for row, column in cells],
        hovertemplate="%{text}<extra></extra>",
    )
    return figure
