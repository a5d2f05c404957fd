"""How figures look: colours that everybody can tell apart, units on every axis, few points, nothing over the data."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import replsim
from replsim import plots
from replsim.plots import palette
from replsim.plots.axes import log_axis, scale_for
from tests.plots.clockwork import clockwork


@pytest.fixture(scope="module")
def busy() -> replsim.Result:
    """More events than a screen has pixels."""
    return replsim.run("three-nodes")


def every(runs: Any, theme: palette.Theme = "light") -> Iterator[tuple[str, Any]]:
    """Every figure in every view."""
    yield from plots.every_figure(runs, theme=theme).items()
    yield "latency over time", plots.commit_latency(runs, view="time", theme=theme)
    yield "lag in bytes", plots.lag(runs, kind="bytes", measured=True, theme=theme)
    yield "lag in commits", plots.lag(runs, kind="commits", theme=theme)
    yield "parts by writer", plots.breakdown(runs, by="writer", theme=theme)
    yield "stale by row", plots.stale_reads(runs, own_row=True, by="reader", theme=theme)


def luminance(colour: str) -> float:
    """WCAG's relative luminance of a colour."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG's contrast ratio of two colours."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", palette.THEMES)
def test_every_colour_stands_out_from_its_background(theme: palette.Theme) -> None:
    """What is drawn has a contrast of at least 3 to 1 with the background, text one of at least 4.5 (WCAG 2.1)."""
    colours = palette.THEMES[theme]
    for colour in {*palette.SERIES, *palette.PARTS.values(), palette.BAD, palette.GOOD, palette.QUIET}:
        assert contrast(colour, colours["background"]) >= 3, colour
    assert contrast(colours["text"], colours["background"]) >= 7
    assert contrast(colours["soft"], colours["background"]) >= 4.5


# What people with each kind of colour blindness see, as linear maps of linear RGB.
# Source: G. Machado et al., "A Physiologically-based Model for Simulation of Color Vision Deficiency", 2009.
BLINDNESS = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


@pytest.mark.parametrize("kind", BLINDNESS)
def test_the_first_colours_can_be_told_apart_by_everybody(kind: str) -> None:
    """A primary and three standbys have colours apart for every kind of colour blindness (CIE Lab distance over 15)."""
    seen = [_lab(np.clip(np.array(BLINDNESS[kind]) @ _linear(colour), 0, 1)) for colour in palette.SERIES[:4]]
    for (a, one), (b, other) in combinations(enumerate(seen), 2):
        assert np.linalg.norm(one - other) > 15, (palette.SERIES[a], palette.SERIES[b])


def _linear(colour: str) -> np.ndarray:
    parts = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def _lab(linear: np.ndarray) -> np.ndarray:
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = to_xyz @ linear / np.array([0.9505, 1.0, 1.089])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def test_a_node_has_one_colour_in_every_figure(busy: replsim.Result) -> None:
    """s2 is drawn in the same colour wherever it is drawn."""
    for name, figure in every(busy):
        for trace in figure.data:
            if trace.name in ("s1", "s2"):
                assert trace.line.color == palette.node_colours(busy.scenario)[trace.name], name


def test_every_axis_says_its_unit(busy: replsim.Result) -> None:
    """An axis that can be seen has a title, and its numbers a unit: in brackets, in the ticks, or they are counts."""
    for name, figure in every(busy):
        for axis in (figure.layout.xaxis, figure.layout.yaxis):
            if (
                axis.visible is False
                or axis.type == "category"
                or (name.startswith(("break", "parts")) and not axis.title.text)
            ):
                continue
            if name.startswith("follow") and axis.side == "top":
                continue
            assert axis.title.text, name
            in_ticks = (axis.tickformat and "%" in axis.tickformat) or axis.ticktext
            counted = "commits" in axis.title.text
            assert in_ticks or counted or axis.title.text.endswith(("(s)", "(ms)", "(µs)", "(kB)", "(B)")), name


@pytest.mark.parametrize("seeds", [1, 3])
def test_figures_are_small(busy: replsim.Result, seeds: int) -> None:
    """No trace has more than 2,000 points, none is drawn by WebGL, and a figure's JSON is less than 200 kB."""
    runs = [busy] if seeds == 1 else [replsim.run(busy.scenario, seed=seed) for seed in range(seeds)]
    for name, figure in every(runs):
        for trace in figure.data:
            assert trace.type in ("scatter", "bar"), name
            assert len(trace.x) <= 2002, name
        assert len(figure.to_json()) < 200_000, name


@pytest.mark.parametrize("theme", palette.THEMES)
def test_titles_are_short_and_legends_below(busy: replsim.Result, theme: palette.Theme) -> None:
    """A title fits a narrow page, the legend stands below the plot, and the background is the theme's."""
    for name, figure in every(busy, theme):
        assert 3 < len(figure.layout.title.text) <= 40, name
        layout = figure.layout.template.layout
        assert (layout.legend.orientation, layout.legend.yanchor) == ("h", "top")
        assert figure.layout.legend.y < 0
        assert layout.paper_bgcolor == palette.THEMES[theme]["background"]
        assert figure.layout.width is None


def test_units_follow_the_values() -> None:
    """An axis takes the unit in which its largest value is a number of a comfortable size."""
    assert [scale_for("s", [[value]]).unit for value in (2e-9, 3e-5, 0.012, 1.5, 90, 300, 9000, 4e5)] == [
        "ns", "µs", "ms", "s", "s", "min", "h", "d",
    ]  # fmt: skip
    assert [scale_for("B", [[value]]).unit for value in (0, 900, 2048, 5e7, 3e9)] == ["B", "B", "kB", "MB", "GB"]
    assert scale_for("s", [[np.nan, np.inf, 0.5]]).unit == "ms"
    assert scale_for("s", []).unit == "ms"


@pytest.mark.parametrize(("low", "high"), [(1e-5, 10), (1e-3, 2e-3), (1.05e-2, 1.9e-2), (1e-6, 1e-5), (1e-9, 1e6)])
def test_logarithmic_ticks_are_few_and_within(low: float, high: float) -> None:
    """A logarithmic axis has two to five ticks, all of them on the axis, each with its unit."""
    axis = log_axis("s", low, high)
    assert 2 <= len(axis["tickvals"]) <= 5
    assert all(low * 0.99 <= tick <= high * 1.01 for tick in axis["tickvals"])
    assert all(text[-1] in "snhd" for text in axis["ticktext"])


def test_figures_are_saved_with_nothing_from_outside(tmp_path: Path) -> None:
    """Each figure becomes a page that loads nothing from the network."""
    files = clockwork().plot.save(tmp_path / "figures")
    assert {file.name for file in files} >= {"lag.html", "commit_latency.html", "follow.html", "topology.html"}
    text = files[0].read_text(encoding="utf-8")
    assert "<script src=" not in text
    assert "plotly" in text
