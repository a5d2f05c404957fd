"""A figure and the sentence that reads it, in the page's theme."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import streamlit as st

from dashboard.words import hovers
from replsim import plots
from replsim.plots.palette import Theme
from replsim.result import Result

__all__ = ["Figure", "chart", "clicked", "show_figure", "show_reading", "theme"]

Figure = Any
"""A plotly figure."""

_FONT: Final = "'Source Sans', 'Source Sans Pro', system-ui, sans-serif"
"""The page's own."""

_CONFIG: Final = {
    "displaylogo": False,
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
    "toImageButtonOptions": {"format": "svg"},
    "responsive": True,
}


def theme() -> Theme:
    """The theme that the browser shows."""
    return "dark" if st.context.theme.type == "dark" else "light"


def chart(
    name: str,
    results: Sequence[Result],
    options: Mapping[str, Any] = MappingProxyType({}),
    *,
    key: str = "",
    click: bool = False,
) -> Any:
    """The figure ``name`` of `replsim.plots`, and below it what this one shows.  Gives what was clicked in it."""
    said = plots.reading(name, results, **options)
    figure = getattr(plots, name)(results, theme=theme(), **options)
    return show_reading(figure, key or name, said, name=f"{results[0].scenario.name}-{name}", click=click)


def show_reading(figure: Figure, key: str, said: str, *, name: str = "replsim", click: bool = False) -> Any:
    """A figure, and below it the sentence that reads it."""
    chosen = show_figure(figure, key, said, name=name, click=click)
    st.html(f"<p class='reading'>{hovers(said)}</p>")
    return chosen


def show_figure(figure: Figure, key: str, said: str, *, name: str = "replsim", click: bool = False) -> Any:
    """A figure of `replsim.plots`; ``said`` tells those who cannot see it, ``name`` is that of a file saved from it."""
    figure.update_layout(font_family=_FONT)
    config = _CONFIG | {"toImageButtonOptions": {"format": "svg", "filename": name}}
    more: dict[str, Any] = {"on_select": "rerun", "selection_mode": "points"} if click else {}
    chosen = st.plotly_chart(figure, theme=None, key=f"chart {key}", config=config, alt=said, **more)
    return chosen if click else None


def clicked(chosen: Any) -> int | None:
    """The number that the clicked point carries, such as its commit's row."""
    points = chosen["selection"]["points"] if chosen else []
    data = next((point["customdata"] for point in points if point.get("customdata") is not None), None)
    while isinstance(data, list | tuple | dict):
        data = next(iter(data.values() if isinstance(data, dict) else data), None)
    return None if data is None else int(data)
