"""Sweep: two knobs, one metric, every combination; a click on a cell opens it in Explore."""

from __future__ import annotations

import streamlit as st

from dashboard import state
from dashboard.answers import wanted
from dashboard.charts import Figure, clicked, show_figure, theme
from dashboard.choices import choose_from_list
from dashboard.errors import show_refusal
from dashboard.frame import open_scenario
from dashboard.knobs import Knob, knobs
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
    grid, metric, seeds = _asked(scenario)
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
        under_way = st.session_state[_SWEEPING] = asked, Sweeping(grid, metric, seeds).start(scenario)
    _show(under_way[1])


def _asked(scenario: Scenario) -> tuple[Grid, str, int]:
    """The knobs, their values, the metric and the number of seeds."""
    offered = sweepable(knobs(scenario))
    words = {path: f"{knob.group}: {knob.label}" for path, knob in offered.items()}
    across, down, what = st.columns(3)
    with across:
        x = offered[choose_from_list("Across", words, "x")]
    with down:
        others = {path: text for path, text in words.items() if offered[path].group != x.group}
        y = offered[choose_from_list("Down", others or words, "y")]
    with what:
        told = {answer.metric: answer.label for answer in wanted(scenario)}
        told = {name: told[name] for name in sorted(told, key=lambda name: "stale" not in name)}
        metric = choose_from_list("What to look at", told, "metric")
        seeds = int(choose_from_list("Seeds", {str(number): str(number) for number in (2, 1, 3, 5)}, "runs"))
    with across:
        columns = _values(x)
    with down:
        rows = _values(y)
    return Grid(x, y, columns, rows), metric, seeds


def _values(knob: Knob) -> tuple[object, ...]:
    chosen = st.multiselect(
        "Values", list(knob.options), default=some(knob.options, knob.value), format_func=knob.show,
        key=f"swept values of {knob.path}", label_visibility="collapsed",
    )  # fmt: skip
    return tuple(value for value in knob.options if value in chosen)


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
    chosen = show_figure(_map(sweeping), "heat map", "A heat map", click=True)
    st.caption(
        "Click a cell to open it in Explore. A cell is the mean over its seeds, which are the same in every cell."
    )
    cell = clicked(chosen)
    if cell is not None:
        state.goto("explore", state.current().changed(sweeping.grid.changes(cell)))


def _map(sweeping: Sweeping) -> Figure:
    grid, metric = sweeping.grid, find(sweeping.metric)[0]
    return plots.clickable_map(
        Axis(sweeping.metric, metric.unit, metric.kind == "proportion"), sweeping.means,
        across=f"{grid.x.group}: {grid.x.label}", columns=[grid.x.show(value) for value in grid.columns],
        down=f"{grid.y.group}: {grid.y.label}", rows=[grid.y.show(value) for value in grid.rows], theme=theme(),
    )  # fmt: skip


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
