"""What a session remembers: the setup that its pages share, and its URL."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

import streamlit as st

from dashboard.links import Setup

__all__ = ["current", "goto", "keep_pages", "put"]

_SETUP: Final = "setup"
_WRITTEN: Final = "written query"
_CHANGED: Final = "changed at"
_SETTLED_SECONDS: Final = 2.0
"""A browser that is told of a new address may still send the old one for a moment."""
_PAGES: Final = "pages"


def current() -> Setup:
    """The session's setup.  A URL that somebody opened, or went back to, comes before what is remembered."""
    known: Setup | None = st.session_state.get(_SETUP)
    asked = {name: st.query_params.get_all(name) for name in Setup().query}
    settled = time.monotonic() - st.session_state.get(_CHANGED, 0.0) > _SETTLED_SECONDS
    opened = settled and any(asked.values()) and asked != st.session_state.get(_WRITTEN)
    if known is None or opened:
        known = st.session_state[_SETUP] = Setup.from_query(asked)
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
    st.session_state[_WRITTEN] = _shown(setup)
    query = _shown(setup) | {name: [text] for name, text in parameters.items()}
    st.switch_page(st.session_state[_PAGES][page], query_params=query)


def _shown(setup: Setup) -> dict[str, list[str]]:
    """What the address says of a setup: nothing, where it cannot say all."""
    return setup.query if setup.fits else {name: [] for name in setup.query}


def _write(setup: Setup) -> None:
    """The setup into the browser's address, in one step of its history, beside what belongs to the page."""
    wanted = _shown(setup)
    if any(st.query_params.get_all(name) != values for name, values in wanted.items()):
        st.query_params.update(wanted)
    st.session_state[_WRITTEN] = wanted
