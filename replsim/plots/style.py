"""How every figure looks: one template a theme, and the canvas that a figure begins with."""

from __future__ import annotations

from typing import Any, Final

import plotly.graph_objects as go

from replsim.plots.palette import SERIES, THEMES, Theme

__all__ = ["canvas", "nothing", "template"]

LEGEND: Final = 60
"""Pixels from the plot down to its legend."""
FONT: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', sans-serif"


def template(theme: Theme) -> go.layout.Template:
    """The look of a theme.  The legend stands below the plot, so that it never covers data."""
    colours = THEMES[theme]
    axis = {
        "gridcolor": colours["grid"],
        "linecolor": colours["soft"],
        "zerolinecolor": colours["grid"],
        "tickcolor": colours["soft"],
        "ticks": "outside",
        "ticklen": 4,
        "automargin": True,
        "title": {"standoff": 8},
    }
    return go.layout.Template(
        layout={
            "font": {"family": FONT, "size": 13, "color": colours["text"]},
            "title": {
                "x": 0.015,
                "xref": "container",
                "xanchor": "left",
                "y": 0.97,
                "yref": "container",
                "yanchor": "top",
                "font": {"size": 16},
            },
            "paper_bgcolor": colours["background"],
            "plot_bgcolor": colours["background"],
            "colorway": list(SERIES),
            "margin": {"l": 12, "r": 12, "t": 48, "b": 8},
            "legend": {
                "orientation": "h",
                "x": 0,
                "xanchor": "left",
                "y": -0.22,
                "yanchor": "top",
                "bgcolor": "rgba(0,0,0,0)",
            },
            "hoverlabel": {
                "bgcolor": colours["background"],
                "bordercolor": colours["soft"],
                "font": {"color": colours["text"]},
            },
            "hovermode": "closest",
            "xaxis": axis,
            "yaxis": axis,
            "annotationdefaults": {"font": {"color": colours["soft"], "size": 12}, "showarrow": False},
            "shapedefaults": {"line": {"color": colours["soft"]}},
        }
    )


def canvas(
    title: str, x: dict[str, Any], y: dict[str, Any], *, theme: Theme, height: int = 380, **more: Any
) -> go.Figure:
    """An empty figure: as wide as its place, with a short title and its two axes."""
    figure = go.Figure()
    # Below the axis's title, however tall the plot is.
    more["legend"] = {"y": -LEGEND / (height - LEGEND - 50)} | more.get("legend", {})
    figure.update_layout(
        template=template(theme), title={"text": title}, xaxis=x, yaxis=y, height=height, autosize=True, **more
    )
    return figure


def nothing(title: str, why: str, *, theme: Theme, height: int = 240) -> go.Figure:
    """A figure of what is not there, which says why."""
    hidden = {"visible": False}
    figure = canvas(title, hidden, hidden, theme=theme, height=height)
    figure.add_annotation(text=why, x=0.5, y=0.5, xref="paper", yref="paper", font={"size": 14})
    return figure
