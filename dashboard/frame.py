"""What every page that shows a run begins with: its scenario, its knobs and its results – or why there are none."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import streamlit as st

from dashboard import state, warmup
from dashboard.controls import choose_scenario, turn_knobs
from dashboard.errors import show_problems, show_refusal
from dashboard.links import UPLOAD, Setup
from dashboard.look import apply_look
from dashboard.runs import Job, R, Runs, refusal, settle
from dashboard.sources import scenario_of
from dashboard.words import plain
from replsim import front
from replsim.errors import ReplsimError, ScenarioError
from replsim.result import Result
from replsim.scenario import Scenario

__all__ = ["Shown", "finished", "open_page", "open_scenario", "results_of", "runs"]

AT_ONCE_SECONDS: Final = 0.6
"""A run that ends so soon shows no progress bar."""
_WATCHED: Final = "watched jobs"
_CANCELLED: Final = "cancelled runs"


@dataclass(frozen=True)
class Shown:
    """What a page shows."""

    setup: Setup
    scenario: Scenario
    results: Sequence[Result]


@st.cache_resource
def runs() -> Runs[Result]:
    """The process's one cache of runs."""
    return Runs(front.run)


def open_scenario() -> tuple[Setup, Scenario]:
    """The sidebar, and the scenario that it stands for; ends the page where there is an error to mend."""
    setup = state.current()
    apply_look()
    with st.sidebar:
        choose_scenario(setup)
    if setup.base == UPLOAD and not setup.text:
        st.info("Choose a scenario file in the sidebar. `replsim new mine.yaml` writes one to start from.")
        st.stop()
    try:
        scenario = scenario_of(setup)
    except ScenarioError as error:
        show_problems(error, setup)
        st.stop()
    with st.sidebar:
        turn_knobs(setup, scenario)
    return setup, scenario


def open_page() -> Shown:
    """The sidebar and the results; ends the page where there is nothing to show yet."""
    setup, scenario = open_scenario()
    return Shown(setup, scenario, results_of([(scenario, setup.seeds)])[0])


def results_of(wanted: Sequence[tuple[Scenario, int]]) -> list[list[Result]]:
    """The results of several scenarios, each on so many seeds; where they are not there yet it shows why, and stops."""
    for scenario, seeds in wanted:
        refused = refusal(scenario, seeds * len(wanted))
        if refused is not None:
            _release([])
            show_refusal(refused)
            st.stop()
    asked = [(runs().name(scenario), seeds) for scenario, seeds in wanted]
    engine = warmup.engine()
    flat = finished(
        asked,
        lambda: [
            runs().start(scenario, scenario.seed + nth, engine) for scenario, seeds in wanted for nth in range(seeds)
        ],
    )
    results = iter(flat)
    return [list(itertools.islice(results, seeds)) for _, seeds in wanted]


def finished(asked: object, start: Callable[[], list[Job[R]]]) -> list[R]:
    """What the jobs give that ``start`` starts; where they have not all ended it shows their way, and stops.

    ``asked`` tells what is asked for: who cancels it is not asked again until it wants it.
    """
    if st.session_state.get(_CANCELLED) == asked:
        st.info("Cancelled: nothing was kept of this run.")
        st.button("Run it again", icon=":material/play_arrow:", on_click=st.session_state.pop, args=(_CANCELLED,))
        st.stop()
    jobs = start()
    _release(jobs)
    if not settle(jobs, AT_ONCE_SECONDS):
        _watch(asked)
        st.stop()
    failed = next((error for job in jobs if (error := job.future.exception())), None)
    if failed is not None:
        if isinstance(failed, ReplsimError):
            st.error(plain(str(failed)))
        else:
            st.error("This is a mistake of replsim's, not of yours. Please report it, with the scenario.")
            st.exception(failed)
        st.stop()
    return [job.future.result() for job in jobs]


def _release(jobs: Sequence[Job[Any]]) -> None:
    """Cancel what this session watched and wants no longer."""
    for job in st.session_state.get(_WATCHED, []):
        if all(job is not each for each in jobs) and not job.done:
            job.cancel()
    st.session_state[_WATCHED] = jobs


@st.fragment(run_every=0.25)
def _watch(asked: object) -> None:
    """How far the session's runs are; a way to end them; the page again when all have ended."""
    jobs: list[Job[Any]] = st.session_state[_WATCHED]
    if all(job.done for job in jobs):
        st.rerun()
    share = sum(1.0 if job.done else job.fraction for job in jobs) / len(jobs)
    many = f" {sum(job.done for job in jobs)} of {len(jobs)} runs are done." if len(jobs) > 1 else ""
    st.progress(min(share, 1.0), text=f"Running: {share:.0%}.{many}")
    if st.button("Cancel", icon=":material/close:"):
        _release([])
        st.session_state[_CANCELLED] = asked
        st.rerun()
