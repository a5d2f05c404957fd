"""Explore: turn a knob and see what becomes of commits, standbys and reads."""

from __future__ import annotations

import streamlit as st

from dashboard import state
from dashboard.cards import show_answers
from dashboard.charts import chart, clicked
from dashboard.choices import choose
from dashboard.frame import Shown, open_page
from dashboard.player import play, window
from dashboard.share import offer
from dashboard.words import plain

LAGS = {"seconds": "in time", "bytes": "in bytes", "commits": "in commits"}
STALE = {"node": "by node", "reader": "by reader"}
FILMS = {"slow": "slow motion, where it hurts", "whole": "the whole run"}


def main() -> None:
    """The page."""
    shown = open_page()
    title, way_out = st.columns([4, 1], vertical_alignment="top")
    title.markdown(f"#### {plain(shown.scenario.question or shown.scenario.name)}")
    with way_out:
        offer(shown)
    show_answers(shown)
    left, right = st.columns(2, gap="medium")
    with left:
        _lag(shown)
    with right:
        _stale(shown)
    if shown.scenario.standbys:
        _film(shown)
    left, right = st.columns(2, gap="medium")
    with left:
        chart("commit_latency", shown.results)
        chart("t_visibility", shown.results)
    with right:
        chart("breakdown", shown.results)
        _click_a_commit(shown)


def _lag(shown: Shown) -> None:
    kind = choose("Lag", LAGS, "lag")
    chart("lag", shown.results, {"kind": kind, "measured": True})


def _stale(shown: Shown) -> None:
    chart("stale_reads", shown.results, {"by": choose("Stale reads", STALE, "stale")})


def _click_a_commit(shown: Shown) -> None:
    chosen = chart("commit_latency", shown.results, {"view": "time"}, key="latency over time", click=True)
    st.caption("Click a commit to follow it on its way.")
    row = clicked(chosen)
    if row is not None:
        state.goto("follow", commit=str(row))


def _film(shown: Shown) -> None:
    st.markdown("##### The cluster at work")
    pace = choose("Film", FILMS, "film")
    result = shown.results[0]
    play(result, window(result, slow=pace == "slow"), key="film player")


main()
