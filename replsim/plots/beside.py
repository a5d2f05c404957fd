"""The same figure of several settings, side by side: one unit and one range for all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go

from replsim.plots.palette import Theme
from replsim.plots.parts import breakdowns
from replsim.plots.reads import stale_reads
from replsim.plots.runs import Runs
from replsim.plots.standbys import lags
from replsim.plots.visibility import t_visibilities

__all__ = ["BESIDE", "beside"]


def _stale(settings: Sequence[Runs], **options: Any) -> list[go.Figure]:
    return [stale_reads(results, **options) for results in settings]


BESIDE: Final[Mapping[str, Callable[..., list[go.Figure]]]] = {
    "lag": lags,
    "stale_reads": _stale,
    "breakdown": breakdowns,
    "t_visibility": t_visibilities,
}
"""The figures that can stand side by side, by name."""
OPEN: Final = ("lag", "stale_reads")
"""Those whose upper end is as high as their data."""


def beside(name: str, settings: Mapping[str, Runs], *, theme: Theme = "light", **options: Any) -> dict[str, go.Figure]:
    """A figure (``lag``, ``stale_reads``, ``breakdown`` or ``t_visibility``) of each setting, by its name, all with the
    same axes: what is higher is more.  ``options`` are the figure's own.
    """
    if name not in BESIDE:
        raise ValueError(f"{name!r} is no figure to compare side by side; there are {', '.join(BESIDE)}")
    figures = BESIDE[name](list(settings.values()), theme=theme, **options)
    if name in OPEN:
        values = [np.asarray(trace.y, dtype=float) for each in figures for trace in each.data if trace.y is not None]
        top = float(np.nanmax(np.concatenate([[0.0], *values])))
        for each in figures:
            each.update_yaxes(range=[0, 1.05 * top or 1.0])
    return dict(zip(settings, figures, strict=True))
