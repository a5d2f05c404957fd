"""A heat map whose cells can be clicked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from replsim.plots.palette import THEMES, Theme
from replsim.plots.study import Axis, heat_map

__all__ = ["clickable_map", "map_reading"]


def clickable_map(
    measure: Axis,
    value: NDArray[np.float64],
    *,
    across: str,
    down: str,
    columns: Sequence[str],
    rows: Sequence[str],
    theme: Theme = "light",
) -> go.Figure:
    """`replsim.plots.study.heat_map`, with an invisible point in each cell that is known.

    ``value`` has a row for each of ``rows``.  A point's ``customdata`` is the cell's number, counted row by row.
    """
    figure = heat_map(measure, across, down, columns, rows, value, theme=theme)
    cells = [tuple(place) for place in np.argwhere(np.isfinite(value))]
    words = [measure.words(float(value[place])) for place in cells]
    figure.add_scatter(
        x=[columns[column] for _, column in cells],
        y=[rows[row] for row, _ in cells],
        customdata=[int(row) * len(columns) + int(column) for row, column in cells],
        mode="markers",
        marker={"size": 34, "symbol": "square", "color": THEMES[theme]["text"], "opacity": 0.001},
        text=[f"{columns[column]}, {rows[row]}: {said}" for (row, column), said in zip(cells, words, strict=True)],
        hovertemplate="%{text}<extra></extra>",
        showlegend=False,
    )
    return figure


def map_reading(
    measure: Axis,
    value: NDArray[np.float64],
    *,
    across: str,
    down: str,
    columns: Sequence[str],
    rows: Sequence[str],
) -> str:
    """Where a measure over two knobs is lowest and where it is highest, in a sentence."""
    if not np.isfinite(value).any():
        return "No cell has a value yet."
    ends = []
    for place in (np.nanargmin(value), np.nanargmax(value)):
        row, column = divmod(int(place), len(columns))
        ends.append(
            f"{measure.words(float(value[row, column]))}, at {across} = {columns[column]} and {down} = {rows[row]}"
        )
    if np.nanmin(value) == np.nanmax(value):
        return f"{measure.name}: {measure.words(float(np.nanmin(value)))} in every cell."
    return f"{measure.name}: lowest, {ends[0]}; highest, {ends[1]}."
