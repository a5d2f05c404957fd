"""The figures of a study, such as ``sweep.plot.heat_map()``, ``sweep.plot.lines()`` and ``search.plot.front()``.

Plotly is loaded when a figure is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from replsim.errors import StudyError
from replsim.study.goals import COST, Goal
from replsim.study.knobs import amounts
from replsim.study.measures import Measure

if TYPE_CHECKING:
    from replsim.plots import study as figures
    from replsim.study.search import Search
    from replsim.study.sensitivity import Sensitivity
    from replsim.study.sweep import Sweep

__all__ = ["SearchPlot", "SensitivityPlot", "SweepPlot", "write"]

Theme = Literal["light", "dark"]


@dataclass(frozen=True)
class SweepPlot:
    """The figures of a sweep."""

    sweep: Sweep

    def __call__(self) -> figures.Figure:
        """The first measure: along the one knob, or over the first two."""
        return self.lines() if len(self.sweep.knobs) == 1 else self.heat_map()

    def heat_map(
        self, measure: str | None = None, x: str | None = None, y: str | None = None, *, theme: Theme = "light"
    ) -> figures.Figure:
        """A measure over two knobs of a grid (the first measure and the first two knobs); others at their first value.

        Raises `StudyError` where there are not two.
        """
        from replsim.plots.study import heat_map

        knobs = self.sweep.knobs
        if len(knobs) < 2:
            raise StudyError("a heat map is over two knobs, and this sweep has one: `plot.lines()` shows it")
        x = x or next(knob for knob in knobs if knob != y)
        y = y or next(knob for knob in knobs if knob != x)
        found = self.sweep.matrix(measure or self.sweep.measures[0].name, x, y)
        return heat_map(_axis(found.measure), x, y, found.columns, found.rows, found.value, theme=theme)

    def lines(
        self, measure: str | None = None, x: str | None = None, by: str | None = None, *, theme: Theme = "light"
    ) -> figures.Figure:
        """A measure along a knob, with its interval as a band: a line for each value of the knob ``by``."""
        from replsim.plots.study import Axis, Line, lines

        knobs = self.sweep.knobs
        x = x or next(knob for knob in knobs if knob != by)
        by = by or next((knob for knob in knobs if knob != x), x)
        found = self.sweep.matrix(measure or self.sweep.measures[0].name, x, by)
        every = [Line(name, found.value[row], found.low[row], found.high[row]) for row, name in enumerate(found.rows)]
        if by == x:
            diagonal = [np.diagonal(each) for each in (found.value, found.low, found.high)]
            every = [Line(found.measure.name, *diagonal)]
        numbers = amounts(found.columns)
        if numbers is None:
            return lines(_axis(found.measure), x, found.columns, every, theme=theme)
        unit, at = numbers
        along = Axis(x, unit, unit == "share")
        return lines(_axis(found.measure), x, np.array(at), every, along=along, theme=theme)


@dataclass(frozen=True)
class SearchPlot:
    """The figures of a search."""

    search: Search

    def __call__(self) -> figures.Figure:
        """The front."""
        return self.front()

    def front(self, *, words: Mapping[str, str] | None = None, theme: Theme = "light") -> figures.Figure:
        """Every setting by the first two goals, those on the front joined; ``words`` are for metrics in place of names.

        Raises `StudyError` for a single goal.
        """
        from replsim.plots.study import front

        if len(self.search.goals) < 2:
            raise StudyError("a front is drawn over two goals, and this search has one")
        x, y = self.search.goals[:2]
        every = self.search.candidates
        names = [_short(one.sample.setting.changes, self.search.knobs) for one in every]
        points = {name: (one.values[x.name], one.values[y.name]) for name, one in zip(names, every, strict=True)}
        across, upwards = (replace(_goal(goal), name=(words or {}).get(goal.name, goal.name)) for goal in (x, y))
        return front(across, upwards, points, [names[place] for place in self.search.front], theme=theme)


@dataclass(frozen=True)
class SensitivityPlot:
    """The figures of a sensitivity study."""

    sensitivity: Sensitivity

    def __call__(self) -> figures.Figure:
        """The bars of the first measure."""
        return self.bars()

    def bars(self, measure: str | None = None, *, theme: Theme = "light") -> figures.Figure:
        """How much each knob matters to a measure."""
        from replsim.plots.study import bars

        found = self.sensitivity
        name = measure or found.measures[0].name
        one = next((each for each in found.measures if each.name == name), None)
        if one is None:
            raise StudyError(f"this study did not measure {name!r}; it has {', '.join(found.indices)}")
        indices = found.indices[name]
        total, error = (np.array([getattr(index, key) for index in indices]) for key in ("total", "error"))
        knobs = [index.knob for index in indices]
        return bars(_axis(one), knobs, total, error, share=found.method == "sobol", theme=theme)


def write(figure: figures.Figure, path: Path) -> None:
    """Write a figure by its file's ending: html, svg, png or pdf.  Raises `StudyError` for another one."""
    from replsim.plots import write_images

    if path.suffix == ".html":
        figure.write_html(path, include_plotlyjs=True, full_html=True)
    elif path.suffix in (".svg", ".png", ".pdf"):
        write_images([figure], [path])
    else:
        raise StudyError(f"{path}: a figure is written as .html, .svg, .png or .pdf")


def _axis(measure: Measure) -> figures.Axis:
    from replsim.plots.study import Axis

    return Axis(measure.name, measure.unit, measure.kind == "proportion")


def _goal(goal: Goal) -> figures.Axis:
    from replsim.plots.study import Axis

    return _axis(goal.measure) if goal.measure else Axis(COST, "1")


def _short(changes: object, knobs: tuple[str, ...]) -> str:
    assert isinstance(changes, dict)
    return ", ".join(f"{knob}={changes[knob]}" for knob in knobs)
