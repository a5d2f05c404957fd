"""What a session remembers: the setup that its pages share, and its URL."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

import streamlit as st

from dashboard.links import UPLOAD, Setup

__all__ = ["current", "goto", "keep_pages", "put"]

_SETUP: Final = "setup"
_WRITTEN: Final = "written query"
_CHANGED: Final = "changed at"
_SETTLED_SECONDS: Final = 2.0
"""A browser that is told of a new address may still send the old one for a moment."""
_PAGES: Final = "pages"


def current() -> Setup:
    """The session's setup.  A URL that somebody opened, or went back to, comes before what is remembered."""
    query = st.query_params.to_dict()
    known: Setup | None = st.session_state.get(_SETUP)
    settled = time.monotonic() - st.session_state.get(_CHANGED, 0.0) > _SETTLED_SECONDS
    opened = settled and Setup.speaks_of_it(query) and query != st.session_state.get(_WRITTEN)
    if known is None or (opened and not (known.base == UPLOAD and "scenario" not in query)):
        known = st.session_state[_SETUP] = Setup.from_query(query)
    _write(known)
    return known


def put(setup: Setup) -> None:
    """Make it the session's setup: the next run of the page shows it."""
    st.session_state[_SETUP] = setup
    st.session_state[_CHANGED] = time.monotonic()
    _write(setup)


def keep_pages(pages: Mapping[str, object]) -> None:
    """Remember the pages by name, for `goto`."""
    st.session_state[_PAGES] = dict(pages)


def goto(page: str, setup: Setup | None = None, **parameters: str) -> None:
    """Show another page, with ``parameters`` of its own in its URL."""
    st.session_state[_CHANGED] = time.monotonic()
    if setup is not None:
        st.session_state[_SETUP] = setup
    setup = st.session_state[_SETUP]
    query = parameters if not setup.fits else setup.query | parameters
    st.session_state[_WRITTEN] = query
    st.switch_page(st.session_state[_PAGES][page], query_params=query)


def _write(setup: Setup) -> None:
    """The setup into the browser's address, beside what belongs to the page."""
    wanted = setup.query if setup.fits else {}
    there = st.query_params.to_dict()
    for name in there:
        if name not in wanted and Setup.speaks_of_it([name]):
            del st.query_params[name]
    for name, text in wanted.items():
        if there.get(name) != text:
            st.query_params[name] = text
    st.session_state[_WRITTEN] = st.query_params.to_dict()
