"""Compare: two to four settings side by side, on the same luck."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import streamlit as st

from dashboard import state
from dashboard.charts import show_reading, theme
from dashboard.choices import choose, choose_from_list
from dashboard.comparison import (
    FEWEST_SEEDS,
    MOST_SETTINGS,
    choices,
    first_values,
    rows,
    scenarios,
    setups,
)
from dashboard.frame import open_scenario, results_of
from dashboard.knobs import Knob
from dashboard.links import Setup
from dashboard.words import hovers, plain
from replsim import plots
from replsim.result import Result

FIGURES = {
    "lag": "lag", "stale_reads": "stale reads", "breakdown": "where the time goes", "t_visibility": "visibility",
}  # fmt: skip


def main() -> None:
    """The page."""
    setup, scenario = open_scenario()
    st.markdown("#### The same load and the same luck, with one thing changed")
    offered = choices(scenario)
    left, right = st.columns([1, 2])
    with left:
        path = choose_from_list("What to vary", {path: _named(knob) for path, knob in offered.items()}, "vary")
    knob = offered[path]
    values = right.multiselect(
        f"Two to {MOST_SETTINGS} values", list(knob.options), default=first_values(knob), format_func=knob.show,
        max_selections=MOST_SETTINGS, key=f"values of {path}",
    )  # fmt: skip
    if len(values) < 2:
        st.info("Choose two values or more.")
        return
    every = setups(setup, knob, values)
    seeds = max(setup.seeds, FEWEST_SEEDS)
    results = results_of([(each, seeds) for each in scenarios(every)])
    named = dict(zip(every, results, strict=True))
    said = plots.compared(named)
    st.html(f"<p class='said'>{hovers(said)}</p>")
    _table(named, seeds)
    left, right = st.columns(2, gap="medium")
    with left:
        show_reading(plots.tradeoff(named, theme=theme()), "tradeoff", plots.tradeoff_reading(named))
        st.caption("Best is bottom left, and small: the larger a point, the more the primary's death would lose.")
    with right:
        figure = plots.compare_latency(named, theme=theme())
        show_reading(figure, "compare latency", plots.compare_latency_reading(named))
    _side_by_side(named)
    _open(every)


def _named(knob: Knob) -> str:
    return f"{knob.group}: {knob.label}"


def _table(named: Mapping[str, Sequence[Result]], seeds: int) -> None:
    """Each answer by setting, with its difference to the first: green where surely better, red where surely worse."""
    head = "".join(f"<th scope='col'>{escape(name)}</th>" for name in named)
    lines = []
    for row in rows(list(named.values())):
        cells = [f"<td>{row.values[0]}</td>"]
        for value, gap, sure in zip(row.values[1:], row.differences, row.sure, strict=True):
            kind = {1: "better", -1: "worse", 0: "same"}[sure]
            cells.append(f"<td>{value}<div class='{kind}'>{escape(gap)}</div></td>")
        lines.append(
            f"<tr><th scope='row' title='{escape(row.help, quote=True)}'>{escape(row.label)}</th>{''.join(cells)}</tr>"
        )
    lines.insert(0, f"<tr><th></th>{head}</tr>")
    style = f"style='--settings: {len(named)}'"
    st.html(f"<div class='wide'><table class='compare' {style}>{''.join(lines)}</table></div>")
    st.caption(
        f"Means over {seeds} seeds; below them the difference to the first column with its 95 % interval, from pairs "
        "of runs that saw the same luck. Grey: may be nothing."
    )


def _side_by_side(named: Mapping[str, Sequence[Result]]) -> None:
    """One figure of each setting, all with the same axes."""
    name = choose("Side by side", FIGURES, "beside")
    figures = plots.beside(name, named, theme=theme())
    for row in range(0, len(named), 2):
        columns = st.columns(2, gap="medium")
        for place, (label, results) in list(enumerate(named.items()))[row : row + 2]:
            with columns[place % 2]:
                st.markdown(f"**{plain(label)}**")
                show_reading(figures[label], f"{name} {place}", plots.reading(name, results))


def _open(every: Mapping[str, Setup]) -> None:
    with st.container(horizontal=True):
        for place, (label, setup) in enumerate(every.items()):
            if st.button(f"Open {label} in Explore", key=f"open {place}"):
                state.goto("explore", setup)


main()
