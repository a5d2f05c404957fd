"""Explore: turn a knob and see what becomes of commits, standbys and reads."""

from __future__ import annotations

import streamlit as st

from dashboard import state
from dashboard.cards import show_answers
from dashboard.charts import chart, clicked
from dashboard.frame import Shown, open_page
from dashboard.player import play, window
from dashboard.share import offer
from dashboard.words import plain

LAGS = {"seconds": "in time", "bytes": "in bytes", "commits": "in commits"}


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
    kind = st.segmented_control(
        "Lag", list(LAGS), format_func=LAGS.__getitem__, default="seconds", required=True, key="lag",
        bind="query-params", label_visibility="collapsed",
    )  # fmt: skip
    chart("lag", shown.results, {"kind": kind, "measured": kind == "seconds"})


def _stale(shown: Shown) -> None:
    by = st.segmented_control(
        "Stale reads", ["node", "reader"], format_func=lambda by: f"by {by}", default="node", required=True,
        key="stale", bind="query-params", label_visibility="collapsed",
    )  # fmt: skip
    chart("stale_reads", shown.results, {"by": by})


def _click_a_commit(shown: Shown) -> None:
    chosen = chart("commit_latency", shown.results, {"view": "time"}, key="latency over time", click=True)
    st.caption("Click a commit to follow it on its way.")
    row = clicked(chosen)
    if row is not None:
        state.goto("follow", commit=str(row))


def _film(shown: Shown) -> None:
    st.markdown("##### The cluster at work")
    words = {"slow": "slow motion, where it hurts", "whole": "the whole run"}
    pace = st.segmented_control(
        "Film", list(words), format_func=words.__getitem__, default="slow", required=True, key="film",
        bind="query-params", label_visibility="collapsed",
    )  # fmt: skip
    result = shown.results[0]
    play(result, window(result, slow=pace == "slow"), key="film player")


main()
