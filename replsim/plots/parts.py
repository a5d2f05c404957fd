"""Where each millisecond of a commit goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import plotly.graph_objects as go

from replsim.analysis.breakdown import PARTS, Slice, by_rank, by_writer
from replsim.analysis.breakdown import breakdown as broken_down
from replsim.plots import runs as several
from replsim.plots.axes import scale_for
from replsim.plots.palette import PARTS as COLOURS
from replsim.plots.palette import Theme
from replsim.plots.runs import Run, Runs
from replsim.plots.style import canvas, nothing
from replsim.summary import show
from replsim.units import SECOND

__all__ = ["BreakdownBy", "breakdown", "breakdowns"]

BreakdownBy = Literal["rank", "writer"]
TITLE: Final = "Where a commit's time goes"


def breakdown(results: Runs, *, by: BreakdownBy = "rank", theme: Theme = "light") -> go.Figure:
    """The mean time that commits spend in each part of their way, which adds up to their mean latency: for all commits
    and by ``rank`` (the fastest half … the slowest 1 %), or by ``writer``.

    Several results: the mean over all their commits.
    """
    return breakdowns([results], by=by, theme=theme)[0]


def breakdowns(settings: Sequence[Runs], *, by: BreakdownBy = "rank", theme: Theme = "light") -> list[go.Figure]:
    """As `breakdown`, a figure for each of several settings, on one axis."""
    every = [_slices(several.of(results), by) for results in settings]
    most = max((_total(each) for slices in every for each in slices), default=0.0)
    return [_drawn(slices, most, theme) for slices in every]


def _slices(runs: Sequence[Run], by: BreakdownBy) -> list[Slice]:
    every = []
    for run in runs:
        found = broken_down(run.facts)
        every.append(by_rank(found) if by == "rank" else by_writer(run.facts, found))
    return _together(every)


def _total(each: Slice) -> float:
    """The mean latency of a slice's commits, in seconds."""
    return sum(each.parts.values()) / SECOND


def _drawn(slices: Sequence[Slice], most: float, theme: Theme) -> go.Figure:
    """The slices as bars, on an axis that reaches to ``most`` (seconds)."""
    if not slices:
        return nothing(TITLE, "no commit was acknowledged within the measured window", theme=theme)
    totals, scale = [_total(each) for each in slices], scale_for("s", [[most]])
    rows = [f"{each.name}  " for each in slices]
    figure = canvas(
        TITLE,
        {"title": scale.title("mean time"), "range": [0, most / scale.factor * 1.28]},
        {"autorange": "reversed", "showgrid": False, "ticks": ""},
        theme=theme,
        height=190 + 44 * len(rows),
        barmode="stack",
        bargap=0.35,
        legend={"traceorder": "normal"},
    )
    for part, what in PARTS.items():
        times = [each.parts[part] / SECOND for each in slices]
        if not any(times):
            continue
        words = [
            f"{show(time, 's')}, {time / total:.0%}" if total else "" for time, total in zip(times, totals, strict=True)
        ]
        figure.add_bar(
            y=rows,
            x=scale(times),
            orientation="h",
            name=part,
            marker={"color": COLOURS[part]},
            customdata=words,
            hovertemplate=f"<b>{part}</b>: {what}<br>%{{customdata}}<extra>%{{y}}</extra>",
        )
    for row, total in zip(rows, totals, strict=True):
        figure.add_annotation(x=total / scale.factor, y=row, text=f" {show(total, 's')}", xanchor="left")
    return figure


def _together(every: Sequence[Sequence[Slice]]) -> list[Slice]:
    """The slices of several runs, those of one name as one: means weighted by their commits."""
    found: dict[str, list[Slice]] = {}
    for slices in every:
        for each in slices:
            found.setdefault(each.name, []).append(each)
    together = []
    for name, many in found.items():
        count = sum(each.count for each in many)
        parts = {part: sum(each.parts[part] * each.count for each in many) / count for part in PARTS}
        together.append(Slice(name, count, parts))
    return together
