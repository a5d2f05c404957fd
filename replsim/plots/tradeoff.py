"""Several settings side by side: what each costs in latency, staleness and durability."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go

from replsim.analysis.registry import find
from replsim.plots import runs as several
from replsim.plots.axes import log_axis, percent_axis
from replsim.plots.palette import Theme, named, see_through
from replsim.plots.phrases import listed
from replsim.plots.runs import Run, Runs
from replsim.plots.style import canvas, nothing
from replsim.summary import show_metric

__all__ = ["tradeoff", "tradeoff_reading"]

TITLE: Final = "What each setting costs"
SMALLEST, LARGEST = 14, 46
"""Sizes of the smallest and the largest loss, in pixels."""
LATENCY: Final = "commit_latency.p99"
STALENESS: Final = ("stale_reads.fraction", "t_visibility.p99")
"""The first of these that there is: the second where nobody reads."""
LOSS: Final = "loss_if_primary_dies.commits.mean"


def tradeoff(
    settings: Mapping[str, Runs],
    *,
    latency: str = LATENCY,
    staleness: str | None = None,
    loss: str = LOSS,
    theme: Theme = "light",
) -> go.Figure:
    """Each setting by name as a point: its commit latency to the right, its staleness upwards, and as its size what is
    lost when the primary dies.  The nearer to the corner at the bottom left, and the smaller, the better.

    A setting is a result, or several with other seeds: then it stands at their median, with their range as a cross.
    Other metrics can be named.
    """
    staleness, shown = _points(settings, latency, staleness, loss)
    if not shown:
        return nothing(TITLE, "no setting has both a latency and a staleness", theme=theme)
    axes = [
        _axis(metric, [point[place] for point in shown.values()]) for place, metric in enumerate((latency, staleness))
    ]
    figure = canvas(TITLE, axes[0], axes[1], theme=theme, height=440)
    most = max((float(np.median(point[2])) for point in shown.values() if len(point[2])), default=0.0)
    for (name, (right, up, size)), colour in zip(shown.items(), named(list(shown)).values(), strict=True):
        lost = float(np.median(size)) if len(size) else 0.0
        words = f"loses {_lost(loss, lost)}" if len(size) else ""
        figure.add_scatter(
            x=[np.median(right)],
            y=[np.median(up)],
            error_x=_range(right, colour),
            error_y=_range(up, colour),
            mode="markers",
            name=f"{name}: {words}" if words else name,
            marker={
                "size": SMALLEST + (LARGEST - SMALLEST) * np.sqrt(lost / most if most else 0.0),
                "color": see_through(colour, 0.55),
                "line": {"color": colour, "width": 2},
            },
            hovertemplate=(
                f"<b>{name}</b><br>{latency} {show_metric(latency, float(np.median(right)))}<br>"
                f"{staleness} {show_metric(staleness, float(np.median(up)))}<br>{words}<extra></extra>"
            ),
            showlegend=True,
        )
    return figure


def tradeoff_reading(
    settings: Mapping[str, Runs], *, latency: str = LATENCY, staleness: str | None = None, loss: str = LOSS
) -> str:
    """Which settings another one betters in all three, in a sentence."""
    _, shown = _points(settings, latency, staleness, loss)
    at = {name: [float(np.median(axis)) if axis else 0.0 for axis in point] for name, point in shown.items()}
    worse = [
        f"{other} is as good as {name} in everything, and better in something"
        for name, mine in at.items()
        for other, theirs in at.items()
        if theirs != mine and all(one <= two for one, two in zip(theirs, mine, strict=True))
    ]
    if worse:
        return f"{listed(worse)}."
    return "None of them is better than another in everything: each pays for one thing with another."


def _points(
    settings: Mapping[str, Runs], latency: str, staleness: str | None, loss: str
) -> tuple[str, dict[str, list[list[float]]]]:
    """What staleness is judged by, and the values of each setting that has a latency and a staleness."""
    runs = {name: several.of(results) for name, results in settings.items()}
    staleness = staleness or next((each for each in STALENESS if _known(runs, each)), STALENESS[-1])
    points = {name: [_values(many, metric) for metric in (latency, staleness, loss)] for name, many in runs.items()}
    return staleness, {name: point for name, point in points.items() if all(len(axis) for axis in point[:2])}


def _lost(loss: str, value: float) -> str:
    """What a setting loses, in words: a mean over all moments is not what the death at a bad one takes."""
    commits = (" commit" if value == 1 else " commits") if ".commits." in loss else ""
    return f"{show_metric(loss, value)}{commits}{' on average' if loss.endswith('.mean') and value else ''}"


def _known(runs: Mapping[str, tuple[Run, ...]], metric: str) -> bool:
    return any(len(_values(many, metric)) for many in runs.values())


def _values(many: tuple[Run, ...], metric: str) -> list[float]:
    """A metric's finite values in several runs."""
    values = [run.metrics[metric] for run in many if metric in run.metrics]
    return [value for value in values if np.isfinite(value)]


def _axis(metric: str, values: list[list[float]]) -> dict[str, Any]:
    """Times on a logarithmic axis, shares in percent, all else as it is."""
    found, _ = find(metric)
    words = metric.replace("_", " ").replace(".", " ")
    every = [value for many in values for value in many]
    if found.unit == "s" and min(every) > 0:
        return {"title": f"{words} (log)", **log_axis("s", min(every) / 1.6, max(every) * 1.6)}
    if found.kind == "proportion":
        return percent_axis(title=words, range=[-0.06 * max(max(every), 0.01), 1.15 * max(max(every), 0.01)])
    return {"title": words, "rangemode": "tozero"}


def _range(values: list[float], colour: str) -> dict[str, Any] | None:
    """From the smallest to the largest of several values, around their median."""
    if len(values) < 2:
        return None
    middle = float(np.median(values))
    return {"array": [max(values) - middle], "arrayminus": [middle - min(values)], "color": colour, "thickness": 1}
