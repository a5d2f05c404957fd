"""Several settings side by side: how long their commits take, and what the difference is in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import plotly.graph_objects as go

from replsim.analysis.histogram import latency_histogram, together
from replsim.plots import runs as several
from replsim.plots.axes import log_axis, percent_axis
from replsim.plots.palette import DASHES, Theme, named
from replsim.plots.phrases import listed
from replsim.plots.runs import Run, Runs
from replsim.plots.style import canvas, nothing
from replsim.summary import show, show_metric

__all__ = ["compare_latency", "compare_latency_reading", "compared"]

COST: Final = "commit_latency.p99"
STALE: Final = "stale_reads.fraction"
LAG: Final = "lag.seconds.p99"
LOST: Final = "loss_if_primary_dies.commits.p99"
NONE: Final = "no commit was acknowledged within the measured window"


def compare_latency(settings: Mapping[str, Runs], *, theme: Theme = "light") -> go.Figure:
    """For each setting: the share of commits that take no longer than a time, which is on a logarithmic axis."""
    every = {name: several.of(runs) for name, runs in settings.items()}
    spreads = {name: [latency_histogram(run.facts) for run in runs] for name, runs in every.items()}
    spreads = {name: many for name, many in spreads.items() if any(each.count for each in many)}
    title = "How long commits take"
    if not spreads:
        return nothing(title, NONE, theme=theme)
    edges = [together(many)[0] for many in spreads.values()]
    low, high = min(float(each[0]) for each in edges), max(float(each[-1]) for each in edges)
    axis = {"title": "commit latency (log)", **log_axis("s", low, high)}
    figure = canvas(title, axis, percent_axis(title="share of commits done", range=[0, 1.03]), theme=theme)
    for place, (name, colour) in enumerate(named(list(every)).items()):
        if name not in spreads:
            continue
        bounds, shares = together(spreads[name])
        done = np.concatenate([[0.0], np.mean(shares, axis=0).cumsum()])
        figure.add_scatter(
            x=np.concatenate([[low], bounds, [high]]).astype(np.float32),
            y=np.concatenate([[0.0], done, [1.0]]).astype(np.float32),
            mode="lines",
            name=name,
            line={"color": colour, "width": 2, "dash": DASHES[place % len(DASHES)]},
            text=[show(float(time), "s") for time in (low, *bounds, high)],
            hovertemplate=f"<b>{name}</b><br>%{{y:.1~%}} of commits take at most %{{text}}<extra></extra>",
            showlegend=True,
        )
    return figure


def compare_latency_reading(settings: Mapping[str, Runs]) -> str:
    """How long half of the commits take with each setting, in a sentence."""
    half = {name: _mean(several.of(runs), "commit_latency.p50") for name, runs in settings.items()}
    told = [f"{show(value, 's')} with {name}" for name, value in half.items() if not math.isnan(value)]
    return f"Half of the commits are done within {listed(told)}." if told else f"{NONE.capitalize()}."


def compared(settings: Mapping[str, Runs]) -> str:
    """Which setting is quickest, which freshest, and which lose nothing, in a sentence."""
    every = {name: several.of(runs) for name, runs in settings.items()}
    stale = _stale(every)
    cost = {name: value for name, runs in every.items() if not math.isnan(value := _mean(runs, COST))}
    if not cost:
        return f"{NONE.capitalize()}."
    fresh = {name: value for name, runs in every.items() if not math.isnan(value := _mean(runs, stale))}
    quick = min(cost, key=cost.__getitem__)
    text = f"Commits are quickest with {quick} ({show_metric(COST, cost[quick])} at p99)"
    if fresh:
        best = min(fresh, key=fresh.__getitem__)
        what = "stale" if stale == STALE else "of lag (p99)"
        text += f"; reads are freshest with {best} ({show_metric(stale, fresh[best])} {what})"
    safe = [name for name, runs in every.items() if _mean(runs, LOST) == 0]
    if safe:
        text += f"; the primary's death would lose nothing with {' and '.join(safe)}"
    return f"{text}."


def _stale(every: Mapping[str, Sequence[Run]]) -> str:
    """What staleness is judged by: reads where all settings have them, else lag."""
    return STALE if all(not math.isnan(_mean(runs, STALE)) for runs in every.values()) else LAG


def _values(runs: Sequence[Run], metric: str) -> list[float]:
    return [run.metrics.get(metric, math.nan) for run in runs]


def _mean(runs: Sequence[Run], metric: str) -> float:
    values = [value for value in _values(runs, metric) if not math.isnan(value)]
    return sum(values) / len(values) if values else math.nan
