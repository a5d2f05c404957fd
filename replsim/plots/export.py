"""Figures as files: HTML that needs no network, and SVG, PNG or PDF through a browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import plotly.graph_objects as go
import plotly.io
import plotly.offline

from replsim.errors import MissingExtra, NotInResult
from replsim.plots import cluster, commits, lives, parts, reads, standbys, visibility
from replsim.plots import runs as several
from replsim.plots.palette import Theme
from replsim.plots.runs import Runs

__all__ = ["every_figure", "fragment", "library", "save", "write_images"]

BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "chrome")


def every_figure(results: Runs, *, theme: Theme = "light") -> Mapping[str, go.Figure]:
    """All figures that the results have something for, by name, in the order in which they are read."""
    figures = {
        "commit_latency": commits.commit_latency(results, theme=theme),
        "breakdown": parts.breakdown(results, theme=theme),
        "topology": cluster.topology(results, theme=theme),
        "lag": standbys.lag(results, measured=True, theme=theme),
        "loss": standbys.loss(results, theme=theme),
        "t_visibility": visibility.t_visibility(results, theme=theme),
        "stale_reads": reads.stale_reads(results, theme=theme),
    }
    for name, figure in (("follow", lives.follow), ("follow_read", lives.follow_read)):
        try:
            figures[name] = figure(several.of(results)[0], theme=theme)
        except NotInResult:
            continue
    return figures


def save(
    results: Runs, folder: str | Path, *, formats: Sequence[str] = ("html",), theme: Theme = "light"
) -> list[Path]:
    """Write every figure into ``folder`` in each of ``formats`` (html, svg, png, pdf); gives the files."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    figures = every_figure(results, theme=theme)
    written = []
    for form in formats:
        files = [folder / f"{name}.{form}" for name in figures]
        if form == "html":
            for figure, file in zip(figures.values(), files, strict=True):
                figure.write_html(file, include_plotlyjs=True, full_html=True)
        else:
            write_images(list(figures.values()), files)
        written += files
    return written


def write_images(figures: Sequence[go.Figure], files: Sequence[Path], *, width: int = 900, scale: float = 2) -> None:
    """Write figures as images, all in one browser, whose start is nearly all that it costs.

    The browser is the one that ``BROWSER_PATH`` names, or a Chromium or Chrome that is installed.  Raises
    `MissingExtra` without kaleido or a browser.
    """
    if "BROWSER_PATH" not in os.environ:
        found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
        if found is None:
            raise MissingExtra("images need Chromium or Chrome: install one, or name it in BROWSER_PATH")
        os.environ["BROWSER_PATH"] = found
    try:
        import kaleido  # type: ignore[import-untyped]  # noqa: F401 - it has no stubs
    except ImportError as error:
        raise MissingExtra("kaleido is not installed: pip install 'replsim[report]'") from error
    heights = [figure.layout.height for figure in figures]
    plotly.io.write_images(list(figures), [str(file) for file in files], width=width, height=heights, scale=scale)


def library() -> str:
    """The JavaScript that draws figures, for a page that embeds it once."""
    return str(plotly.offline.get_plotlyjs())


def fragment(figure: go.Figure) -> str:
    """A figure as a piece of a page that has the `library`."""
    config = {"responsive": True, "displaylogo": False}
    return str(figure.to_html(full_html=False, include_plotlyjs=False, config=config))
