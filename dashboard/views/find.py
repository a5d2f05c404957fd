"""Find: the settings that keep what must hold, and that nothing betters in both goals."""

from __future__ import annotations

import math
from collections.abc import Mapping

import streamlit as st

from dashboard import state
from dashboard.answers import Answer, wanted
from dashboard.charts import show_reading, theme
from dashboard.choices import choose_from_list
from dashboard.errors import show_refusal
from dashboard.finds import MOST_SETTINGS, Finding
from dashboard.frame import open_scenario
from dashboard.knobs import LEVEL, knobs
from dashboard.runs import refusal
from dashboard.sweeps import some, sweepable, texts
from dashboard.words import plain
from replsim.errors import ReplsimError, RunCancelled
from replsim.scenario import Scenario
from replsim.study.search import Candidate, Search
from replsim.summary import show_metric

_FINDING = "finding"
SEEDS = 3
RULE = "primary.synchronous_standby_names"


def main() -> None:
    """The page."""
    setup, scenario = open_scenario()
    st.markdown("#### The best settings that keep what must hold")
    space = _space(scenario)
    where, goals, told = _wishes(scenario)
    settings = math.prod(map(len, space.values())) if space else 0
    if not 2 <= settings <= MOST_SETTINGS:
        st.info(f"Choose knobs and values: from 2 to {MOST_SETTINGS} settings; these are {settings}.")
        return
    refused = refusal(scenario, settings * SEEDS, kept=1)
    if refused is not None:
        show_refusal(refused)
        return
    asked = (setup, tuple(space), tuple(map(tuple, space.values())), tuple(where), goals)
    under_way = st.session_state.get(_FINDING)
    if st.button(f"Search {settings} settings", type="primary", icon=":material/search:"):
        if under_way is not None:
            under_way[1].cancel()
        under_way = st.session_state[_FINDING] = asked, Finding().start(scenario, space, where, goals, SEEDS)
    if under_way is not None and under_way[0] == asked:
        _show(under_way[1], told)


def _space(scenario: Scenario) -> dict[str, list[str]]:
    """The knobs that may change, and the values that each may take."""
    offered = sweepable(knobs(scenario))
    first = [path for path in (LEVEL, RULE) if path in offered]
    chosen = st.multiselect(
        "What may change", list(offered), default=first or list(offered)[:2], max_selections=3,
        format_func=lambda path: f"{offered[path].group}: {offered[path].label}",
    )  # fmt: skip
    found = {}
    for path in chosen:
        knob = offered[path]
        # What a level means depends on the rule: where that may change too, its name is all that can be said.
        words = str if path == LEVEL and RULE in chosen else knob.show
        values = st.multiselect(
            f"{knob.group}: {knob.label}", list(knob.options), default=some(knob.options, knob.value),
            format_func=words, key=f"found values of {path}",
        )  # fmt: skip
        if values:
            found[path] = texts(knob, values)
    return found


def _wishes(scenario: Scenario) -> tuple[list[str], tuple[str, ...], dict[str, Answer]]:
    """What must hold, what is to be as small as can be, and how a page words such answers."""
    told = {answer.metric: answer for answer in wanted(scenario) if answer.better < 0}
    words = {name: answer.label for name, answer in told.items()}
    left, right, both = st.columns(3)
    with left:
        first = choose_from_list("As small as can be", words, "small")
    with right:
        others = {name: words[name] for name in sorted(words, key=lambda name: "loss" not in name) if name != first}
        second = choose_from_list("And this", others or words, "also")
    with both:
        text = st.text_input(
            "What must hold", "commit_latency.p99 < 20ms", key="must hold",
            help="A metric and its bound, as in a scenario's expectations; several with commas. Empty: nothing.",
        )  # fmt: skip
    return [each.strip() for each in text.split(",") if each.strip()], (first, second), told


def _show(finding: Finding, told: Mapping[str, Answer]) -> None:
    if not finding.future.done():
        _watch()
        return
    error = finding.future.exception()
    if isinstance(error, RunCancelled):
        st.info("Cancelled.")
    elif isinstance(error, ReplsimError):
        st.error(plain(str(error)))
    elif error is not None:
        st.exception(error)
    else:
        _tell(finding.future.result(), told)


def _tell(found: Search, answers: Mapping[str, Answer]) -> None:
    """The front as a figure, and the settings on it as a table, each with a way into Explore."""
    for warning in found.warnings:
        st.caption(plain(warning))
    told = f"{len(found.front)} of {len(found.candidates)} settings: no other betters them in both."
    words = {name: answer.label for name, answer in answers.items()}
    show_reading(found.plot.front(words=words, theme=theme()), "front", told)
    shown = found.best or tuple(one for one in [found.nearest] if one is not None)
    for place, candidate in enumerate(shown):
        row = st.container(horizontal=True, vertical_alignment="center", border=True)
        row.markdown(_words(candidate, answers))
        changes = candidate.sample.setting.changes
        if row.button("Open in Explore", key=f"open found {place}"):
            state.goto("explore", state.current().changed(dict(changes)))


def _words(candidate: Candidate, known: Mapping[str, Answer]) -> str:
    setting = ", ".join(
        f"{path.rpartition('.')[2]} = {_bare(text)}" for path, text in candidate.sample.setting.changes.items()
    )
    values = ", ".join(
        f"{known[name].label} {known[name].said(value)}" if name in known else f"{name} {show_metric(name, value)}"
        for name, value in candidate.values.items()
    )
    return f"**{plain(setting)}**  \n{plain(values)}"


def _bare(text: str) -> str:
    """A value without the quotes that YAML wants."""
    return text.strip('"') or "nobody"


@st.fragment(run_every=0.5)
def _watch() -> None:
    finding: Finding = st.session_state[_FINDING][1]
    if finding.future.done():
        st.rerun()
    st.progress(min(finding.share, 1.0), text=f"Searching: {finding.share:.0%}")
    if st.button("Cancel", icon=":material/close:"):
        finding.cancel()


main()
