"""``result.plot``: the figures of one result, for notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import plotly.graph_objects as go

from replsim.analysis.lag import LagKind
from replsim.plots import cluster, commits, export, lives, parts, readings, reads, standbys, visibility
from replsim.plots.commits import LatencyView
from replsim.plots.palette import Theme
from replsim.plots.parts import BreakdownBy
from replsim.plots.reads import StaleBy
from replsim.plots.runs import Run

__all__ = ["Plot"]


class Plot:
    """The figures of a result.  Each takes ``theme="dark"`` too, and `reading` says in a sentence what one shows."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def lag(self, kind: LagKind = "seconds", *, measured: bool = False, theme: Theme = "light") -> go.Figure:
        """Each standby's lag over time: `replsim.plots.lag`."""
        return standbys.lag(self._run, kind=kind, measured=measured, theme=theme)

    def loss(self, *, theme: Theme = "light") -> go.Figure:
        """What would be lost if the primary died, over time: `replsim.plots.loss`."""
        return standbys.loss(self._run, theme=theme)

    def commit_latency(self, view: LatencyView = "spread", *, theme: Theme = "light") -> go.Figure:
        """How long commits take: `replsim.plots.commit_latency`."""
        return commits.commit_latency(self._run, view=view, theme=theme)

    def breakdown(self, by: BreakdownBy = "rank", *, theme: Theme = "light") -> go.Figure:
        """Where a commit's time goes: `replsim.plots.breakdown`."""
        return parts.breakdown(self._run, by=by, theme=theme)

    def stale_reads(self, by: StaleBy = "node", *, own_row: bool = False, theme: Theme = "light") -> go.Figure:
        """Stale reads over time: `replsim.plots.stale_reads`."""
        return reads.stale_reads(self._run, by=by, own_row=own_row, theme=theme)

    def t_visibility(self, *, theme: Theme = "light") -> go.Figure:
        """How soon a commit can be seen: `replsim.plots.t_visibility`."""
        return visibility.t_visibility(self._run, theme=theme)

    def topology(self, at: float | None = None, *, theme: Theme = "light") -> go.Figure:
        """The cluster at a moment (seconds): `replsim.plots.topology`."""
        return cluster.topology(self._run, at=at, theme=theme)

    def follow(self, commit: str | int = "median", *, theme: Theme = "light") -> go.Figure:
        """One commit's way: `replsim.plots.follow`."""
        return lives.follow(self._run, commit, theme=theme)

    def follow_read(self, read: str | int = "stalest", *, theme: Theme = "light") -> go.Figure:
        """One read: `replsim.plots.follow_read`."""
        return lives.follow_read(self._run, read, theme=theme)

    def reading(self, figure: str, **options: Any) -> str:
        """What a figure shows, in a sentence: `replsim.plots.reading`."""
        return readings.reading(figure, self._run, **options)

    def save(self, folder: str | Path, *, formats: Sequence[str] = ("html",), theme: Theme = "light") -> list[Path]:
        """Write every figure into a folder: `replsim.plots.save`."""
        return export.save(self._run, folder, formats=formats, theme=theme)
