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
from replsim.plots.timeline import add_band, add_series, edges_of, is_dense, shade, time_axis
from replsim.summary import show

__all__ = ["lag"]

AXES: Final[dict[LagKind, tuple[str, str]]] = {
    "seconds": ("s", "oldest commit missing"),
    "bytes": ("B", "WAL missing"),
    "commits": ("count", "commits missing"),
}
TITLE: Final = "Lag"


def lag(results: Runs, *, kind: LagKind = "seconds", measured: bool = False, theme: Theme = "light") -> go.Figure:
    """Each standby's lag in ``seconds``, ``bytes`` or ``commits``; ``measured`` adds what the primary knows of it.

    Where it changes too often to be seen, a line gives its mean over equal stretches of time, and an area its smallest
    and largest value in each.  Several results give bands: the median of their means, and the range of these.
    """
    runs = several.of(results)
    first = runs[0]
    unit, what = AXES[kind]
    colours, standbys = node_colours(first.scenario), list(first.scenario.standbys)
    if not standbys:
        return nothing(TITLE, "there is no standby", theme=theme)
    true = {name: [series.lag(run.facts, name, kind) for run in runs] for name in standbys}
    scale = scale_for(unit, (each.value for many in true.values() for each in many))
    title = TITLE
    if len(runs) > 1 or any(is_dense(each) for many in true.values() for each in many):
        kind_of = f"over {len(runs)} seeds" if len(runs) > 1 else f"per {show(float(edges_of(first)[1]), 's')}"
        title = f"{TITLE}: {'median' if len(runs) > 1 else 'mean'} and range {kind_of}"
    figure = canvas(title, time_axis(first), {"title": scale.title(what), "rangemode": "tozero"}, theme=theme)
    shade(figure, first)
    for name, many in true.items():
        if len(runs) == 1:
            add_series(figure, first, many[0], scale, name=name, colour=colours[name])
            if measured:
                known = series.measured(first.facts, name, kind)
                words = f"{name} as the primary knows it"
                add_series(figure, first, known, scale, name=words, colour=colours[name], dash="dot")
        else:
            edges = edges_of(first)
            means = [each.means(edges) for each in many]
            add_band(figure, first, means, scale, name=name, colour=colours[name])
    if not np.any([len(each.time) for many in true.values() for each in many]):
        figure.add_annotation(text="nothing was written", x=0.5, y=0.5, xref="paper", yref="paper")
    return figure
