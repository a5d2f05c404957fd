"""How stale reads are over time."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
import plotly.graph_objects as go

from replsim.analysis.series import stale_shares
from replsim.plots import runs as several
from replsim.plots.axes import percent_axis, scale_for
from replsim.plots.palette import Theme, named, node_colours
from replsim.plots.runs import Run, Runs
from replsim.plots.style import canvas, nothing
from replsim.plots.timeline import add_band, shade, time_axis, time_scale

__all__ = ["StaleBy", "stale_reads"]

StaleBy = Literal["node", "reader"]
STALE: Final = "Stale reads"


def stale_reads(
    results: Runs, *, by: StaleBy = "node", own_row: bool = False, theme: Theme = "light", stretches: int = 60
) -> go.Figure:
    """The share of reads that were stale, in each of equal stretches of time, by the ``node`` that they went to or by
    their ``reader``; with ``own_row``, stale against the very row that they read.

    Several results give bands.
    """
    runs = several.of(results)
    first = runs[0]
    every = [stale_shares(run.facts, by, own_row=own_row, stretches=stretches) for run in runs]
    names = [name for name in _entities(first, by) if any(name in found for found in every)]
    if not names:
        return nothing(STALE, "nobody read a row of their own" if own_row else "nobody read", theme=theme)
    title = "Reads that missed a commit to their row" if own_row else STALE
    figure = canvas(title, time_axis(first), percent_axis(title="share of reads"), theme=theme)
    shade(figure, first)
    colours = node_colours(first.scenario) if by == "node" else named(_entities(first, by))
    x = time_scale(first)
    unit = scale_for("count", [])
    for name in names:
        shares = [found[name].stale for found in every if name in found]
        if len(runs) > 1:
            add_band(figure, first, shares, unit, name=name, colour=colours[name], form=".1~%")
            continue
        one = every[0][name]
        figure.add_scatter(
            x=x((one.edges[1:] + one.edges[:-1]) / 2),
            y=one.stale.astype(np.float32),
            customdata=one.count.astype(np.int32),
            mode="lines+markers",
            name=name,
            line={"color": colours[name], "width": 1.5},
            marker={"size": 4},
            hovertemplate=(
                f"<b>{name}</b><br>%{{y:.1~%}} of %{{customdata}} reads around %{{x:.4~g}}{x.suffix}<extra></extra>"
            ),
            showlegend=True,
        )
    return figure


def _entities(run: Run, by: StaleBy) -> tuple[str, ...]:
    return run.scenario.nodes if by == "node" else (*run.scenario.readers, *run.scenario.sessions)
