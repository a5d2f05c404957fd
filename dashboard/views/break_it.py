"""Break it: faults on a timeline, somebody who takes over, and what clients felt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from html import escape

import streamlit as st

from dashboard import state
from dashboard.breakage import BREAKAGES, MANAGERS, added, manager_changes, manager_of, removed, targets, told
from dashboard.cards import show_answers
from dashboard.charts import chart, show_figure, theme
from dashboard.frame import Shown, open_scenario, results_of
from dashboard.links import Setup
from dashboard.words import plain
from replsim import plots
from replsim.result import Result
from replsim.scenario import Scenario
from replsim.units import SECOND, format_duration

SEEDS = 20
LONG_ENOUGH = 60 * SECOND  # for every manager of the page to have a standby promoted, and clients led to it


def main() -> None:
    """The page."""
    setup, scenario = open_scenario()
    st.markdown("#### Break something, and see what clients feel")
    left, right = st.columns([3, 2], gap="large")
    with left:
        _add(setup, scenario)
    with right:
        _present(setup, scenario)
    if not scenario.faults:
        st.info("Nothing is broken yet. Add a fault above; until then this is the undisturbed run.")
    results = results_of([(scenario, setup.seeds)])[0]
    said = plots.felt(results)
    st.html(f"<p class='said'><b>{escape(said)}</b></p>")
    show_answers(Shown(setup, scenario, results))
    chart("primaries", results)
    show_figure(plots.service(results, theme=theme()), "service", said)
    if scenario.faults:
        _lost(results)
    left, right = st.columns(2, gap="medium")
    with left:
        chart("commit_latency", results, {"view": "time"}, key="broken latency")
        if scenario.readers or scenario.sessions:
            chart("stale_reads", results, key="broken reads")
    with right:
        chart("lag", results, {"kind": "seconds"}, key="broken lag")
        _seeds(setup, scenario, results)


def _lost(results: Sequence[Result]) -> None:
    """What became of the commits; over many seeds also how much was lost, and for how long nobody was served."""
    if len(results) == 1:
        chart("commit_fates", results)
        return
    left, right = st.columns(2, gap="medium")
    with left:
        chart("commit_fates", results)
        chart("recovery", results, {"of": "lost_commits"}, key="lost commits")
    with right:
        chart("recovery", results, {"of": "rto"}, key="rto")
        chart("recovery", results, {"of": "rpo.seconds"}, key="rpo")


def _seeds(setup: Setup, scenario: Scenario, results: Sequence[Result]) -> None:
    """One run is an anecdote: how long clients wait over many of them; and a short one may end before a promotion."""
    nobody_yet = all(len(result.record.branches) < 2 for result in results)
    if manager_of(scenario) != "none" and scenario.duration < LONG_ENOUGH and nobody_yet:
        st.markdown("A manager needs its time: this run may end before anybody has taken over.")
        longer = setup.changed({"duration": format_duration(LONG_ENOUGH)})
        st.button("Run it for a minute", icon=":material/timer:", on_click=state.put, args=(longer,))
    if len(results) > 1:
        if not scenario.faults:
            show_figure(plots.silences(results, theme=theme()), "silences", plots.felt(results))
        return
    st.markdown("One run is an anecdote: with other luck the same fault hurts more or less.")
    more = replace(setup, seeds=SEEDS)
    st.button(f"Run it on {SEEDS} seeds", icon=":material/casino:", on_click=state.put, args=(more,))


def _add(setup: Setup, scenario: Scenario) -> None:
    """What, to what, when and for how long."""
    offered = {verb: each for verb, each in BREAKAGES.items() if targets(scenario, each.target)}
    what, where = st.columns(2)
    verb = what.selectbox("What happens", list(offered), format_func=lambda verb: offered[verb].words, key="fault")
    target = where.selectbox("To what", targets(scenario, offered[verb].target), key=f"target of {verb}")
    length = scenario.duration / SECOND
    when, how_long = st.columns(2)
    at = when.slider("From (s)", 0.0, length, min(length * 0.3, length), step=length / 200, format="%.1f s", key="at")
    lasts = how_long.slider(
        "For (s)", 0.0, length, length * 0.15, step=length / 200, format="%.1f s", key="lasts",
        help="0: to the end of the run.", disabled=offered[verb].moment,
    )  # fmt: skip
    changes = added(scenario, offered[verb], target, round(at * SECOND), round(lasts * SECOND) or None)
    st.button("Add to the timeline", type="primary", icon=":material/bolt:", on_click=_put, args=(setup, changes))


def _present(setup: Setup, scenario: Scenario) -> None:
    """The faults that there are, each with a way to take it out; and who takes over."""
    manager = manager_of(scenario)
    words = MANAGERS if manager in MANAGERS else {**MANAGERS, manager: manager}
    st.session_state["manager"] = manager
    st.selectbox(
        "If the primary dies, who promotes a standby?", list(words), format_func=words.__getitem__, key="manager",
        on_change=_managed, args=(setup, scenario), disabled=not scenario.standbys,
        help="Patroni: a lease in a store, which others race for once it has run out. "
        "Quorum: a majority of the nodes elects one.",
    )  # fmt: skip
    for place, line in enumerate(told(scenario)):
        row = st.container(horizontal=True, vertical_alignment="center")
        row.markdown(plain(line))
        row.button(
            "", icon=":material/delete:", key=f"remove {place}", help="Take it out", on_click=_put,
            args=(setup, removed(scenario, place)),
        )  # fmt: skip


def _put(setup: Setup, changes: dict[str, str | None]) -> None:
    state.put(setup.changed(changes))


def _managed(setup: Setup, scenario: Scenario) -> None:
    state.put(setup.changed(manager_changes(scenario, st.session_state["manager"])))


main()
