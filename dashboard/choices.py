"""A page's own choices – which chart, which commit – kept in its address under short names.

Streamlit's own binding of a widget to a query parameter would write the option's label there; a link should outlive a
rewording.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

__all__ = ["choose", "choose_from_list"]


def choose(label: str, words: Mapping[str, str], key: str) -> str:
    """One of a few, as buttons in a row; the first unless the address says otherwise."""
    st.segmented_control(
        label, list(words), format_func=words.__getitem__, required=True, label_visibility="collapsed",
        **_kept(key, list(words)),
    )  # fmt: skip
    return str(st.session_state[_widget(key)])


def choose_from_list(label: str, words: Mapping[str, str], key: str, **more: Any) -> str:
    """One of many, as a list; with ``accept_new_options`` also a number that is typed or stands in the address."""
    asked = st.query_params.get(key, "")
    numbers = [asked] if more.get("accept_new_options") and asked.isdecimal() else []
    options = [*words, *numbers]
    st.selectbox(
        label, options, format_func=lambda name: words.get(name, f"number {name}"), **_kept(key, options), **more
    )
    return str(st.session_state[_widget(key)])


def _widget(key: str) -> str:
    return f"choice of {key}"


def _kept(key: str, options: list[str]) -> dict[str, Any]:
    """What ties a widget to the address."""
    asked = st.query_params.get(key, "")
    st.session_state[_widget(key)] = asked if asked in options else options[0]
    return {"key": _widget(key), "on_change": _chosen, "args": (key, options[0])}


def _chosen(key: str, usual: str) -> None:
    chosen = st.session_state[_widget(key)]
    if chosen != usual:
        st.query_params[key] = chosen
    elif key in st.query_params:
        del st.query_params[key]
