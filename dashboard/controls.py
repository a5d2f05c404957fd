"""The sidebar: which scenario, and the knobs that matter, as widgets."""

from __future__ import annotations

from itertools import groupby
from typing import Any, Final

import streamlit as st

from dashboard import state
from dashboard.knobs import Knob, knobs
from dashboard.links import UPLOAD, Setup
from dashboard.sources import base_scenario, gallery
from dashboard.turns import turned
from dashboard.words import plain
from replsim.scenario import Scenario
from replsim.scenario.dialect import LARGEST_BYTES

__all__ = ["choose_scenario", "turn_knobs"]

_OPEN: Final = ("Commit", "Writers", "Standby", "Faults")
_CHOICE: Final = "choice of a scenario"
_FILE: Final = "file"


def choose_scenario(setup: Setup) -> None:
    """The gallery, and the way to bring a file of one's own."""
    names = list(gallery())
    st.session_state[_CHOICE] = setup.base if setup.base in names else None
    st.selectbox(
        "Scenario", names, key=_CHOICE, on_change=_chosen, placeholder="your own file" if setup.text else "choose one",
        help="All of them come with replsim; the gallery has the question that each asks.",
    )  # fmt: skip
    if st.button("Gallery", icon=":material/grid_view:", width="stretch"):
        _show_gallery()
    with st.expander("Your own file", expanded=setup.base == UPLOAD):
        st.file_uploader(
            "A scenario in YAML, up to 1 MB", type=["yaml", "yml"], key=_FILE, on_change=_uploaded, max_upload_size=1,
            help="It stays in this process; it can read no file and run no code.",
        )  # fmt: skip


@st.dialog("Scenarios, and what they ask", width="large")
def _show_gallery() -> None:
    for folder, names in groupby(gallery(), key=lambda name: name.partition("/")[0]):
        st.markdown(f"##### {folder}")
        for name in names:
            left, right = st.columns([3, 1], vertical_alignment="center")
            left.markdown(f"**{plain(name.partition('/')[2])}**  \n{plain(gallery()[name])}")
            if right.button("Open", key=f"open {name}", width="stretch"):
                state.put(Setup(name))
                st.rerun()


def turn_knobs(setup: Setup, scenario: Scenario) -> None:
    """Every knob of the scenario, in groups; and the way back."""
    if setup.changes or setup.seeds > 1:
        st.button("Back to the scenario as it was", on_click=_reset, icon=":material/undo:", width="stretch")
    base = base_scenario(setup)
    own = {knob.path: knob.value for knob in knobs(base)}
    for group, every in groupby(knobs(scenario, base), key=lambda knob: knob.group):
        mine = list(every)
        moved = any(own.get(knob.path) != knob.value for knob in mine)
        with st.expander(f"{group} ·  changed" if moved else group, expanded=group.startswith(_OPEN) or moved):
            for knob in mine:
                _widget(knob)
            if group == "Run":
                st.session_state["seeds"] = setup.seeds
                st.select_slider(
                    "Seeds at once", sorted({1, 2, 3, 5, 8, 12, 20, setup.seeds}), key="seeds", on_change=_reseeded,
                    help="One run is an anecdote: several seeds show the band in which results fall.",
                )  # fmt: skip


def _widget(knob: Knob) -> None:
    key = f"knob {knob.path}"
    st.session_state[key] = knob.value
    more: dict[str, Any] = {"key": key, "on_change": _turned, "args": (knob, key), "help": plain(knob.help)}
    if knob.ordered:
        st.select_slider(knob.label, knob.options, format_func=knob.show, **more)
    else:
        st.selectbox(knob.label, knob.options, format_func=knob.show, **more)


def _turned(knob: Knob, key: str) -> None:
    state.put(turned(state.current(), knob, st.session_state[key]))


def _reseeded() -> None:
    setup = state.current()
    state.put(Setup(setup.base, setup.changes, st.session_state["seeds"], setup.text))


def _reset() -> None:
    setup = state.current()
    state.put(Setup(setup.base, text=setup.text))


def _chosen() -> None:
    name = st.session_state[_CHOICE]
    if name is not None:
        state.put(Setup(name))


def _uploaded() -> None:
    file: Any = st.session_state[_FILE]
    if file is not None:
        state.put(Setup(UPLOAD, text=file.getvalue()[: LARGEST_BYTES + 1].decode("utf-8-sig", errors="replace")))
