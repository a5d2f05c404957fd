"""What clients felt: answers over time, and over many seeds the longest time without one."""

from __future__ import annotations

from typing import Final

import numpy as np
import plotly.graph_objects as go

from replsim.analysis.service import answered, longest_silence
from replsim.plots import runs as several
from replsim.plots.axes import Scale
from replsim.plots.palette import SERIES, Theme, see_through
from replsim.plots.runs import Runs
from replsim.plots.seeds import shares_of_seeds
from replsim.plots.style import canvas
from replsim.plots.timeline import add_band, edges_of, shade, time_axis, time_scale
from replsim.summary import show

__all__ = ["felt", "service", "silences"]

STRETCHES: Final = 120


def service(results: Runs, *, theme: Theme = "light") -> go.Figure:
    """Commits answered a second over the run, with the faults shaded.  Several results give a band."""
    runs = several.of(results)
    rates = [answered(run.facts, STRETCHES) for run in runs]
    y = {"title": "commits answered a second", "rangemode": "tozero"}
    figure = canvas("What clients felt", time_axis(runs[0]), y, theme=theme, showlegend=False)
    shade(figure, runs[0])
    if len(runs) > 1:
        add_band(figure, runs[0], rates, Scale(1.0, "/s"), name="answers", colour=SERIES[0])
        return figure
    edges = time_scale(runs[0])(edges_of(runs[0], STRETCHES))
    figure.add_scatter(
        x=edges,
        y=np.append(rates[0], rates[0][-1]).astype(np.float32),
        mode="lines",
        line={"color": SERIES[0], "width": 1.5, "shape": "hv"},
        fill="tozeroy",
        fillcolor=see_through(SERIES[0], 0.18),
        name="answers",
        hovertemplate="%{y:.4~g} answers a second<extra></extra>",
    )
    return figure


def silences(results: Runs, *, theme: Theme = "light") -> go.Figure:
    """Of each seed's run the longest time without an answer: the share of seeds in which it was no longer."""
    runs = several.of(results)
    longest = np.array([longest_silence(run.facts).seconds for run in runs])
    return shares_of_seeds("Downtime", "longest time without an answer", "s", longest, theme=theme)


def felt(results: Runs) -> str:
    """The longest time that clients got no answer, and when, in a sentence; of several results the range."""
    runs = several.of(results)
    every = [longest_silence(run.facts) for run in runs]
    worst = max(every, key=lambda each: each.seconds)
    if not worst.seconds:
        return "Nobody waited for an answer."
    if len(runs) == 1:
        return f"The longest time without an answer was {show(worst.seconds, 's')}, from {show(worst.start, 's')} on."
    least = min(each.seconds for each in every)
    middle = float(np.median([each.seconds for each in every]))
    return (
        f"The longest time without an answer was {show(least, 's')} to {show(worst.seconds, 's')} over {len(runs)} "
        f"seeds, in half of them up to {show(middle, 's')}; the worst began at {show(worst.start, 's')}."
    )
