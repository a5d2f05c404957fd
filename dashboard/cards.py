"""The answers on top of a page: words, then figures with their change against the run before or a pinned one."""

from __future__ import annotations

import math
from typing import Final

import streamlit as st

from dashboard.answers import answers, change, sentences
from dashboard.frame import Shown
from dashboard.links import Setup
from dashboard.words import hovers, plain

__all__ = ["show_answers"]

_PINNED: Final = "pinned baseline"
_LAST: Final = "last run"
_BEFORE: Final = "run before"
Values = dict[str, float]


def show_answers(shown: Shown) -> None:
    """The answers in words, then in figures."""
    st.html(f"<p class='said'>{hovers(' '.join(sentences(shown.results)))}</p>")
    every = answers(shown.results)
    title, before = _baseline(shown.setup, {answer.metric: value for answer, value in every})
    with st.container(key="answers"):
        for answer, value in every:
            delta = change(answer.metric, value, before.get(answer.metric, math.nan))
            st.metric(
                answer.label, answer.said(value), delta, help=plain(answer.help), border=True,
                delta_color="normal" if answer.better > 0 else "inverse",
            )  # fmt: skip
    _pin(shown.setup, {answer.metric: value for answer, value in every}, title)


def _baseline(setup: Setup, values: Values) -> tuple[str, Values]:
    """What to compare with, and its name: the pinned run, else the one that was shown before this one."""
    last = st.session_state.get(_LAST)
    if last is not None and last[0] != setup:
        st.session_state[_BEFORE] = last
    st.session_state[_LAST] = (setup, values)
    if _PINNED in st.session_state:
        return "the pinned run", st.session_state[_PINNED][1]
    before = st.session_state.get(_BEFORE)
    if before is None or before[0].base != setup.base:
        return "the run before", {}
    return "the run before", before[1]


def _pin(setup: Setup, values: Values, title: str) -> None:
    left, right = st.columns([3, 1], vertical_alignment="center")
    pinned = st.session_state.get(_PINNED)
    if pinned is None:
        left.caption(f"Changes are against {title}.")
        right.button(
            "Pin as baseline", icon=":material/keep:", on_click=_keep, args=((setup, values),), width="stretch"
        )
    else:
        left.caption(f"Changes are against the pinned run: {plain(pinned[0].command)}")
        right.button("Unpin", icon=":material/keep_off:", on_click=_keep, args=(None,), width="stretch")


def _keep(pinned: tuple[Setup, Values] | None) -> None:
    if pinned is None:
        st.session_state.pop(_PINNED, None)
    else:
        st.session_state[_PINNED] = pinned
