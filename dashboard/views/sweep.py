"""Sweep: two knobs, one metric, every combination; a click on a cell opens it in Explore."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from dashboard import state
from dashboard.answers import wanted
from dashboard.charts import Figure, clicked, show_figure, show_reading, theme
from dashboard.choices import choose_from_list
from dashboard.errors import show_refusal
from dashboard.frame import open_scenario
from dashboard.knobs import LEVEL, Knob, knobs
from dashboard.runs import refusal
from dashboard.sweeps import MOST_CELLS, Grid, Sweeping, some, sweepable
from dashboard.words import plain
from replsim import plots
from replsim.analysis import find
from replsim.errors import ReplsimError, RunCancelled
from replsim.plots.study import Axis
from replsim.scenario import Scenario

_SWEEPING = "sweeping"


def main() -> None:
    """The page."""
    setup, scenario = open_scenario()
    st.markdown("#### Every combination of two knobs")
    grid, metric, label, seeds = _asked(scenario)
    if not grid.columns or not grid.rows or grid.cells > MOST_CELLS:
        st.info(f"Choose values of both knobs: up to {MOST_CELLS} combinations.")
        return
    refused = refusal(scenario, grid.cells * seeds, kept=1)
    if refused is not None:
        show_refusal(refused)
        return
    asked = (setup, metric, seeds, grid.x.path, grid.y.path, grid.columns, grid.rows)
    under_way = st.session_state.get(_SWEEPING)
    if under_way is None or under_way[0] != asked:
        if under_way is not None:
            under_way[1].cancel()
        under_way = st.session_state[_SWEEPING] = asked, Sweeping(grid, metric, label, seeds).start(scenario)
    _show(under_way[1])


def _asked(scenario: Scenario) -> tuple[Grid, str, str, int]:
    """The knobs, their values, the metric and its words, and the number of seeds."""
    offered = sweepable(knobs(scenario))
    words = {path: f"{knob.group}: {knob.label}" for path, knob in offered.items()}
    across, down = st.columns(2, gap="medium")
    with across:
        x = offered[choose_from_list("Across", words, "x")]
    with down:
        others = sorted((path for path in words if path != x.path), key=lambda path: offered[path].group == x.group)
        y = offered[choose_from_list("Down", {path: words[path] for path in others}, "y")]
    what, often = st.columns(2, gap="medium")
    with what:
        told = {answer.metric: answer.label for answer in wanted(scenario)}
        told = {name: told[name] for name in sorted(told, key=lambda name: "stale" not in name)}
        metric = choose_from_list("What to look at", told, "metric")
    with often:
        seeds = int(choose_from_list("Seeds", {str(number): str(number) for number in (2, 1, 3, 5)}, "runs"))
    with across:
        columns = _values(x)
    with down:
        rows = _values(y)
    return Grid(x, y, columns, rows), metric, told[metric], seeds


def _values(knob: Knob) -> tuple[object, ...]:
    chosen = st.multiselect(
        "Values", list(knob.options), default=some(knob.options, knob.value), format_func=_said(knob),
        key=f"swept values of {knob.path}", label_visibility="collapsed",
    )  # fmt: skip
    return tuple(value for value in knob.options if value in chosen)


def _said(knob: Knob) -> Callable[[object], str]:
    """A knob's value in words; of a level its name, as what it means depends on who must confirm."""
    return str if knob.path == LEVEL else knob.show


def _show(sweeping: Sweeping) -> None:
    """The map as far as it is; while it fills, it is drawn again and again."""
    if not sweeping.future.done():
        _watch()
        return
    error = sweeping.future.exception()
    if isinstance(error, RunCancelled):
        st.info("Cancelled: these runs were finished by then.")
    elif isinstance(error, ReplsimError):
        st.error(plain(str(error)))
    elif error is not None:
        st.exception(error)
    chosen = show_reading(_map(sweeping), "heat map", _reading(sweeping), click=True)
    st.caption(
        "Click a cell to open it in Explore. A cell is the mean over its seeds, which are the same in every cell."
    )
    cell = clicked(chosen)
    if cell is not None:
        state.goto("explore", state.current().changed(sweeping.grid.changes(cell)))


def _map(sweeping: Sweeping) -> Figure:
    return plots.clickable_map(*_measured(sweeping), **_sides(sweeping.grid), theme=theme())


def _reading(sweeping: Sweeping) -> str:
    return plots.map_reading(*_measured(sweeping), **_sides(sweeping.grid))


def _measured(sweeping: Sweeping) -> tuple[Axis, NDArray[np.float64]]:
    """What is measured, in a page's words, and its means as far as they are known."""
    metric = find(sweeping.metric)[0]
    return Axis(sweeping.label, metric.unit, metric.kind == "proportion"), sweeping.means


def _sides(grid: Grid) -> dict[str, Any]:
    """Both knobs and their values, in words."""
    return {
        "across": f"{grid.x.label} ({grid.x.group})",
        "columns": [_said(grid.x)(value) for value in grid.columns],
        "down": f"{grid.y.label} ({grid.y.group})",
        "rows": [_said(grid.y)(value) for value in grid.rows],
    }


@st.fragment(run_every=0.5)
def _watch() -> None:
    sweeping: Sweeping = st.session_state[_SWEEPING][1]
    if sweeping.future.done():
        st.rerun()
    st.progress(min(sweeping.share, 1.0), text=f"{sweeping.share:.0%} of {sweeping.grid.cells * sweeping.seeds} runs")
    if st.button("Cancel", icon=":material/close:"):
        sweeping.cancel()
    show_figure(_map(sweeping), "heat map so far", "A heat map that fills")


main()
