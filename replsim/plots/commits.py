"""How long commits take: how their latencies are spread, and each one over time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, Literal

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from replsim.analysis.histogram import Histogram, latencies, latency_histogram, latency_rows, together
from replsim.analysis.series import POINTS, band, extremes
from replsim.plots import runs as several
from replsim.plots.axes import log_axis, percent_axis, scale_for
from replsim.plots.palette import Theme, named, see_through
from replsim.plots.runs import Run, Runs
from replsim.plots.style import canvas, nothing
from replsim.plots.timeline import add_area, shade, time_axis, time_scale
from replsim.summary import show
from replsim.units import SECOND

__all__ = ["LatencyView", "commit_latency"]

Floats = NDArray[np.float64]

LatencyView = Literal["spread", "time"]
TITLE: Final = "Commit latency"
WORDS: Final = 0.32
"""What the words at a percentile take of a small figure's width."""
TALL: Final = 0.5
"""A bin with a larger share may leave the figure at the top, where others have none as tall."""
NONE: Final = "no commit was acknowledged within the measured window"


def commit_latency(results: Runs, *, view: LatencyView = "spread", theme: Theme = "light") -> go.Figure:
    """The ``spread`` of commit latencies by writer, with their median and 99th percentile, on a logarithmic axis; or
    over ``time``, a point a commit (the row of the commit is its ``customdata``).

    Several results give a band of the spread; over time the first is shown.
    """
    runs = several.of(results)
    if not any(len(latency_rows(run.facts)) for run in runs):
        return nothing(TITLE, NONE, theme=theme)
    return _spread(runs, theme) if view == "spread" else _over_time(runs[0], theme)


def _writers(run: Run) -> tuple[str, ...]:
    return (*run.scenario.writers, *run.scenario.sessions)


def _spread(runs: Sequence[Run], theme: Theme) -> go.Figure:
    writers = _writers(runs[0])
    found = {name: [latency_histogram(run.facts, name) for run in runs] for name in writers}
    some = [each for many in found.values() for each in many if each.count]
    low, high = min(each.edges[0] for each in some), max(each.edges[-1] for each in some)
    axis = {"title": "commit latency (log)", **log_axis("s", float(low), float(high))}
    # A writer whose commits all take the same time has one tall bin, which would flatten the others.
    peaks = sorted(float(each.share.max()) for each in some)
    top = max([peak for peak in peaks if peak <= TALL] or peaks)
    share = percent_axis(title="share of commits per bin of 6 %", range=[0, 1.15 * top])
    figure = canvas(TITLE, axis, share, theme=theme)
    colours = named(writers)
    for name, many in found.items():
        if any(each.count for each in many):
            _add_histogram(figure, name, many, colours[name])
    _mark(figure, runs, math.log10(low), math.log10(high))
    return figure


def _mark(figure: go.Figure, runs: Sequence[Run], low: float, high: float) -> None:
    """The median and the 99th percentile; their words stand apart, and within the axis's ends (given as logarithms)."""
    last = -math.inf
    for statistic in ("p50", "p99"):
        value = float(np.nanmedian([run.metrics[f"commit_latency.{statistic}"] for run in runs]))
        figure.add_vline(x=value, line={"width": 1, "dash": "dash"})
        # On a logarithmic axis an annotation, unlike a line, stands at the logarithm of its place.
        place = math.log10(value)
        share = (place - low) / (high - low)
        figure.add_annotation(
            x=place, y=1, yref="paper", yanchor="bottom" if share - last > WORDS else "top",
            xanchor="left" if share < WORDS / 2 else "right" if share > 1 - WORDS / 2 else "center",
            text=f"{statistic} {show(value, 's')}",
        )  # fmt: skip
        last = share


def _add_histogram(figure: go.Figure, name: str, many: Sequence[Histogram], colour: str) -> None:
    edges, shares = together(many)
    found = band(shares)
    middle = np.sqrt(edges[:-1] * edges[1:])
    if len(shares) > 1:
        add_area(figure, _single(middle), _single(found.low), _single(found.high), colour, name, shape="hvh")
    # From the ground at the first edge, over the bins, to the ground at the last.
    figure.add_scatter(
        x=_single(np.concatenate([edges[:1], edges])),
        y=_single(np.concatenate([[0.0], found.middle, [0.0]])),
        mode="lines",
        name=name,
        legendgroup=name,
        line={"color": colour, "width": 1.5, "shape": "hv"},
        fill="tozeroy" if len(shares) == 1 else None,
        fillcolor=see_through(colour, 0.18),
        text=[show(float(value), "s") for value in np.concatenate([edges[:1], middle, edges[-1:]])],
        hovertemplate=f"<b>{name}</b><br>%{{y:.2~%}} of commits took about %{{text}}<extra></extra>",
        showlegend=True,
    )


def _single(values: Floats) -> NDArray[np.float32]:
    return values.astype(np.float32)


def _over_time(run: Run, theme: Theme) -> go.Figure:
    commits = run.record.commits
    x = time_scale(run)
    rows = {name: latency_rows(run.facts, name) for name in _writers(run)}
    every = np.concatenate([latencies(run.facts, each) for each in rows.values()]) / SECOND
    y = scale_for("s", [every])
    figure = canvas(
        f"{TITLE} over time", time_axis(run), {"title": y.title("commit latency"), "rangemode": "tozero"}, theme=theme
    )
    shade(figure, run)
    for name, colour in named(list(rows)).items():
        if not len(rows[name]):
            continue
        order = rows[name][np.argsort(commits["acknowledged"][rows[name]], kind="stable")]
        time, value = commits["acknowledged"][order] / SECOND, latencies(run.facts, order) / SECOND
        kept = extremes(time, value, POINTS)
        figure.add_scatter(
            x=x(time[kept]),
            y=y(value[kept]),
            customdata=order[kept].astype(np.int32),
            mode="markers",
            name=name,
            marker={"color": colour, "size": 4, "opacity": 0.7},
            hovertemplate=(
                f"<b>{name}</b>, commit %{{customdata}}<br>%{{y:.3~g}}{y.suffix}, acknowledged at %{{x:.4~g}}{x.suffix}"
                "<extra></extra>"
            ),
            showlegend=True,
        )
    return figure
