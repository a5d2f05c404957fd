"""What is wrong, where, and how to mend it; and what would take too long."""

from __future__ import annotations

import streamlit as st

from dashboard import state
from dashboard.links import Setup
from dashboard.runs import LONGEST_SECONDS, MOST_BYTES, Refusal
from dashboard.words import plain
from replsim.errors import ScenarioError, dotted
from replsim.summary import show

__all__ = ["show_problems", "show_refusal"]

MOST_SHOWN = 20


def show_problems(error: ScenarioError, setup: Setup) -> None:
    """Every problem of a scenario, each with its line as it stands in the file."""
    number = len(error.problems)
    st.error(f"**This scenario cannot run.** {'One thing is' if number == 1 else f'{number} things are'} to be mended:")
    for problem in error.problems[:MOST_SHOWN]:
        place = f"line {problem.line}" if problem.line else plain(problem.file)
        where = f" · {plain(dotted(problem.path))}" if problem.path else ""
        st.markdown(f"**{place}**{where}: {plain(problem.message)}")
        if problem.snippet:
            st.code(f"{problem.snippet}\n{' ' * (problem.column - 1)}^", language=None)
    if number > MOST_SHOWN:
        st.markdown(f"… and {number - MOST_SHOWN} more.")
    if setup.changes:
        st.button("Take all changes back", on_click=state.put, args=(Setup(setup.base, text=setup.text),))
    st.button("Back to the first scenario", on_click=state.put, args=(Setup(),))


def show_refusal(refused: Refusal) -> None:
    """What the run would take, and what to do instead."""
    expected, seeds = refused.estimate, refused.seeds
    st.warning(
        f"**Not started: this would take too long, or too much memory, for a page.** The run is {plain(str(expected))}"
        + (f", {seeds} times over" if seeds > 1 else "")
        + f". Here a page computes for {LONGEST_SECONDS:.0f} s at most, in {show(MOST_BYTES, 'B')}."
    )
    if refused.duration is not None:
        shorter = state.current().changed({"duration": refused.duration})
        st.button(f"Simulate {refused.duration} instead", on_click=state.put, args=(shorter,), type="primary")
        st.caption("Or turn the write rate or the number of seeds down, or run it on the command line:")
    else:
        st.caption("Turn the write or read rate down, or run it on the command line:")
    st.code(state.current().command, language="console")
