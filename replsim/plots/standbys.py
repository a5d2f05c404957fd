"""How far each standby is behind, over time."""

from __future__ import annotations

from typing import Final

import numpy as np
import plotly.graph_objects as go

from replsim.analysis import series
from replsim.analysis.lag import LagKind
from replsim.plots import runs as several
from replsim.plots.axes import scale_for
from replsim.plots.palette import Theme, node_colours
from replsim.plots.runs import Runs
from replsim.plots.style import canvas, nothing
from replsim.plots.timeline import add_band, add_line, edges_of, shade, time_axis

__all__ = ["lag"]

AXES: Final[dict[LagKind, tuple[str, str]]] = {
    "seconds": ("s", "age of the oldest commit not applied"),
    "bytes": ("B", "WAL not applied"),
    "commits": ("count", "commits not applied"),
}
TITLE: Final = "Replication lag"


def lag(results: Runs, *, kind: LagKind = "seconds", measured: bool = False, theme: Theme = "light") -> go.Figure:
    """Each standby's lag in ``seconds``, ``bytes`` or ``commits``; ``measured`` adds what the primary knows of it.

    Several results give bands: in each of equal stretches of time the median of their means, and their range.
    """
    runs = several.of(results)
    first = runs[0]
    unit, what = AXES[kind]
    colours, standbys = node_colours(first.scenario), list(first.scenario.standbys)
    if not standbys:
        return nothing(TITLE, "there is no standby", theme=theme)
    true = {name: [series.lag(run.facts, name, kind) for run in runs] for name in standbys}
    scale = scale_for(unit, (each.value for many in true.values() for each in many))
    figure = canvas(TITLE, time_axis(first), {"title": scale.title(what), "rangemode": "tozero"}, theme=theme)
    shade(figure, first)
    for name, many in true.items():
        if len(runs) == 1:
            add_line(figure, first, many[0], scale, name=name, colour=colours[name])
            if measured:
                known = series.measured(first.facts, name, kind)
                add_line(
                    figure,
                    first,
                    known,
                    scale,
                    name=f"{name} as the primary knows it",
                    colour=colours[name],
                    dash="dot",
                )
        else:
            edges = edges_of(first)
            means = [each.means(edges) for each in many]
            add_band(figure, first, means, scale, name=name, colour=colours[name])
    if not np.any([len(each.time) for many in true.values() for each in many]):
        figure.add_annotation(text="nothing was written", x=0.5, y=0.5, xref="paper", yref="paper")
    return figure
