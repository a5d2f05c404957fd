"""A failover: who was primary when, what became of the commits, and how that differs from seed to seed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, Literal

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from replsim.analysis.reigns import FATES, absences, fates, milestones, reigns
from replsim.plots import runs as several
from replsim.plots.palette import BAD, GOOD, QUIET, Theme, node_colours, written_on
from replsim.plots.phrases import listed
from replsim.plots.runs import Run, Runs
from replsim.plots.seeds import shares_of_seeds
from replsim.plots.style import canvas, nothing
from replsim.plots.timeline import shade, time_axis, time_scale
from replsim.summary import show
from replsim.units import SECOND

__all__ = ["commit_fates", "fates_reading", "primaries", "primaries_reading", "recovery", "recovery_reading"]

Measure = Literal["lost_commits", "rpo.seconds", "rto"]

MEASURES: Final[dict[Measure, tuple[str, str, str]]] = {
    "lost_commits": ("count", "Commits lost", "acknowledged commits lost"),
    "rpo.seconds": ("s", "Recovery point (RPO)", "time of acknowledged commits lost"),
    "rto": ("s", "Recovery time (RTO)", "longest outage of a client"),
}
"""Unit, title and axis of what a failover is judged by."""
FATE_WORDS: Final = {
    "kept": "acknowledged, kept", "lost": "acknowledged, lost", "unknown": "unknown to its client", "failed": "failed",
}  # fmt: skip
FATE_COLOURS: Final = {"kept": GOOD, "lost": BAD, "unknown": "#A08F00", "failed": QUIET}
NONE: Final = 0.5
"""Where the logarithmic axis of counts begins: a bar of nothing has no length."""
UNBROKEN: Final = "nothing was broken"


def primaries(results: Runs, *, theme: Theme = "light") -> go.Figure:
    """A row for each node: bars while it took writes as the primary and while it was down, points where something
    happened to it.  Of several results the first."""
    runs = several.of(results)
    run = runs[0]
    scale, names = time_scale(run), list(run.scenario.nodes)
    rows = {"categoryorder": "array", "categoryarray": names[::-1], "ticks": "", "ticklabelstandoff": 8}
    title = "Who was primary" + (f": the first of {len(runs)} seeds" if len(runs) > 1 else "")
    figure = canvas(
        title, time_axis(run), rows, theme=theme, height=180 + 34 * len(names), barmode="overlay", showlegend=False,
        uniformtext={"mode": "hide", "minsize": 11},
    )  # fmt: skip
    shade(figure, run)
    colours = node_colours(run.scenario)
    for each in reigns(run.facts):
        words = f"primary, timeline {each.timeline}"
        _add_bar(figure, scale.factor, each.node, each.start, each.end, colours[each.node], words)
    for each in absences(run.facts):
        _add_bar(figure, scale.factor, each.node, each.start, each.end, BAD, "down")
    happened = milestones(run.facts)
    background = figure.layout.template.layout.paper_bgcolor
    figure.add_scatter(
        x=scale([each.time / SECOND for each in happened]),
        y=[each.node for each in happened],
        mode="markers",
        marker={
            "symbol": "diamond",
            "size": 9,
            "color": [colours[each.node] for each in happened],
            "line": {"width": 1.5, "color": background},
        },
        text=[each.what for each in happened],
        hovertemplate=f"<b>%{{y}}</b> %{{text}} at %{{x:.4~g}}{scale.suffix}<extra></extra>",
        name="what happened",
    )
    # A node that neither reigned nor fell has a row as well.
    figure.add_scatter(x=[None] * len(names), y=names, mode="markers", hoverinfo="skip")
    return figure


def _add_bar(figure: go.Figure, factor: float, node: str, start: int, end: int, colour: str, words: str) -> None:
    low, high = (time / SECOND / factor for time in (start, end))
    span = f"{show(start / SECOND, 's')} to {show(end / SECOND, 's')}"
    figure.add_bar(
        x=[high - low],
        base=[low],
        y=[node],
        orientation="h",
        width=0.5,
        marker={"color": colour, "line": {"width": 0}},
        name=words,
        text=words,
        textposition="inside",
        insidetextanchor="end",
        insidetextfont={"color": written_on(colour)},
        textangle=0,
        hovertemplate=f"<b>{node}</b> {words}<br>{span}<extra></extra>",
    )


def primaries_reading(runs: Sequence[Run], **_: Any) -> str:
    """Who was primary in the first of the runs, in a sentence."""
    run = runs[0]
    every = reigns(run.facts)
    first = every[0].node
    if len(every) == 1 and every[0].end >= run.scenario.duration:
        return f"{first} was the primary all the time."
    words = [f"{first} was the primary until {show(every[0].end / SECOND, 's')}"]
    for each in every[1:]:
        again = "again " if each.node == first else ""
        words.append(f"{each.node} {again}from {show(each.start / SECOND, 's')} on")
    text = listed(words)
    served = next((each for each in milestones(run.facts) if each.what == "serves the clients"), None)
    both = run.metrics.get("split_brain", 0.0)
    if len(every) == 1:
        text += ", and nobody took its place"
    elif both:
        text += f"; for {show(both, 's')} two of them took commits at once"
    elif served is not None and served.node != first:
        text += f"; clients reached {served.node} at {show(served.time / SECOND, 's')}"
    return f"{text}."


def commit_fates(results: Runs, *, theme: Theme = "light") -> go.Figure:
    """How many commits were kept, lost, unknown to their clients, or failed, on a logarithmic axis.

    Several results give the mean.
    """
    runs = several.of(results)
    counts = _fates(runs)
    most = max(*counts.values(), 10.0)
    x = {"title": "commits (log)", "type": "log", "range": [math.log10(NONE), math.log10(most * 30)], "dtick": 1}
    y = {"autorange": "reversed", "ticks": "", "ticklabelstandoff": 6}
    title = "What became of commits" + (f": mean over {len(runs)} seeds" if len(runs) > 1 else "")
    figure = canvas(title, x, y, theme=theme, height=290, showlegend=False)
    figure.add_bar(
        x=[max(counts[name], NONE) for name in FATES],
        customdata=[counts[name] for name in FATES],
        y=[FATE_WORDS[name] for name in FATES],
        orientation="h",
        width=0.6,
        marker={"color": [FATE_COLOURS[name] for name in FATES]},
        text=[f"{counts[name]:,.4g}" if counts[name] < 1e4 else f"{counts[name]:,.0f}" for name in FATES],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y}: %{customdata:,.4~g}<extra></extra>",
    )
    return figure


def fates_reading(runs: Sequence[Run], **_: Any) -> str:
    """What was lost, in a sentence; of several runs the means."""
    counts = _fates(runs)
    told = counts["kept"] + counts["lost"]
    if not told:
        return "No commit was acknowledged."
    over = f" (Means over {len(runs)} seeds.)" if len(runs) > 1 else ""
    text = "No acknowledged commit was lost"
    if counts["lost"]:
        were = "was" if counts["lost"] == 1 else "were"
        text = f"{_count(counts['lost'])} of {_count(told)} acknowledged commits {were} lost"
        wal, span = (float(np.mean([run.metrics[f"rpo.{unit}"] for run in runs])) for unit in ("bytes", "seconds"))
        text += f": {show(wal, 'B')} of WAL" + (f", acknowledged within {show(span, 's')}" if span else "")
    more = []
    if counts["unknown"]:
        whose = "is unknown to its client" if counts["unknown"] == 1 else "are unknown to their clients"
        more.append(f"{_count(counts['unknown'])} {whose}")
    if counts["failed"]:
        more.append(f"{_count(counts['failed'])} found no primary")
    return f"{'; '.join([text, *([listed(more)] if more else [])])}.{over}"


def _fates(runs: Sequence[Run]) -> dict[str, float]:
    every = [fates(run.facts) for run in runs]
    return {name: float(np.mean([each[name] for each in every])) for name in FATES}


def _count(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == round(value) else f"{value:.2g}"


def recovery(results: Runs, *, of: Measure = "rto", theme: Theme = "light") -> go.Figure:
    """Over seeds the share in which ``of`` (``lost_commits``, ``rpo.seconds`` or ``rto``) was no larger."""
    unit, title, what = MEASURES[of]
    values = _values(several.of(results), of)
    if not len(values):
        return nothing(title, UNBROKEN, theme=theme)
    return shares_of_seeds(title, what, unit, values, theme=theme)


def recovery_reading(runs: Sequence[Run], *, of: Measure = "rto", **_: Any) -> str:
    """The least, the median and the most over the seeds, in a sentence."""
    values, (unit, _title, what) = _values(runs, of), MEASURES[of]
    if not len(values):
        return f"{UNBROKEN.capitalize()}."
    least, middle, most = (show(float(value), unit) for value in (values[0], np.median(values), values[-1]))
    if len(values) == 1:
        return f"In this run: {least} ({what})."
    if least == most:
        return f"In each of {len(values)} seeds: {least} ({what})."
    return f"Over {len(values)} seeds: from {least} to {most}, half of them up to {middle} ({what})."


def _values(runs: Sequence[Run], name: str) -> NDArray[np.float64]:
    """A metric of each run that has it, in order."""
    return np.sort(np.array([run.metrics[name] for run in runs if name in run.metrics], dtype=np.float64))
