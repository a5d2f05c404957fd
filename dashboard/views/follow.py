"""Follow one commit: why did it take so long, why was it stale there, why was it lost?"""

from __future__ import annotations

import streamlit as st

from dashboard.charts import chart
from dashboard.choices import choose_from_list
from dashboard.frame import Shown, open_page
from dashboard.share import offer
from dashboard.words import plain
from replsim.errors import ReplsimError

COMMITS = {
    "median": "the median one",
    "slowest": "the slowest",
    "lost": "a lost one",
    "pending": "one that still waits",
}
READS = {"stalest": "the stalest", "median": "a typical stale one"}


def main() -> None:
    """The page."""
    shown = open_page()
    title, way_out = st.columns([4, 1], vertical_alignment="top")
    title.markdown("#### Follow one commit from its client to every standby")
    with way_out:
        offer(shown)
    commits, reads = st.columns(2, gap="large")
    with commits:
        _commit(shown)
    with reads:
        _read(shown)


def _commit(shown: Shown) -> None:
    """The commit that was picked: by what it is, or by its number (from a click, or typed)."""
    rows = len(shown.results[0].commits)
    pick = _pick("Commit", COMMITS, "commit", rows)
    _diagram("follow", shown, {"commit": pick})


def _read(shown: Shown) -> None:
    rows = len(shown.results[0].reads)
    pick = _pick("Read", READS, "read", rows)
    _diagram("follow_read", shown, {"read": pick})


def _pick(label: str, words: dict[str, str], key: str, rows: int) -> str | int:
    """By what it is, or by its number."""
    pick = choose_from_list(
        f"{label} to follow", words, key, accept_new_options=True,
        help=f"Or type its number, from 0 to {rows - 1}: they are counted in the order of the log.",
    )  # fmt: skip
    return int(pick) if pick.isdecimal() else pick


def _diagram(name: str, shown: Shown, pick: dict[str, str | int]) -> None:
    try:
        chart(name, shown.results, pick)
    except ReplsimError as error:
        st.info(f"{plain(str(error)).capitalize()}. Pick another one.")


main()
