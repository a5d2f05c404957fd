"""Follow one commit: why did it take so long, why was it stale there, why was it lost?"""

from __future__ import annotations

import streamlit as st

from dashboard import state
from dashboard.charts import chart
from dashboard.choices import choose_from_list
from dashboard.frame import Shown, open_page
from dashboard.knobs import knobs
from dashboard.share import offer
from dashboard.turns import turned
from dashboard.words import plain
from replsim.errors import ReplsimError

COMMITS = {
    "median": "the median one",
    "slowest": "the slowest",
    "lost": "a lost one",
    "acknowledged_locally": "one whose wait was cancelled",
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
    _commit(shown)
    _read(shown)


def _commit(shown: Shown) -> None:
    """The commit that was picked: by what it is, or by its number (from a click, or typed)."""
    pick = _pick("Commit", COMMITS, "commit", len(shown.results[0].commits))
    if not _drawn("follow", shown, {"commit": pick}) and pick == "lost":
        _offer_a_death(shown)


def _read(shown: Shown) -> None:
    reads = len(shown.results[0].reads)
    if not reads:
        st.info("Nobody reads in this scenario.")
        return
    _drawn("follow_read", shown, {"read": _pick("Read", READS, "read", reads)})


def _pick(label: str, words: dict[str, str], key: str, rows: int) -> str | int:
    """By what it is, or by its number."""
    pick = choose_from_list(
        f"{label} to follow", words, key, accept_new_options=True,
        help=f"Or type its number, from 0 to {rows - 1}: they are counted in the order of the log.",
    )  # fmt: skip
    return int(pick) if pick.isdecimal() else pick


def _drawn(name: str, shown: Shown, pick: dict[str, str | int]) -> bool:
    """The diagram; or why there is none."""
    try:
        chart(name, shown.results, pick)
    except ReplsimError as error:
        st.info(f"{plain(str(error)).capitalize()}.")
        return False
    return True


def _offer_a_death(shown: Shown) -> None:
    """Commits are lost where a primary dies: one click away, where the scenario has somebody to take over."""
    knob = next((each for each in knobs(shown.scenario) if each.path == "faults"), None)
    if knob is not None and knob.value == "none" and "failover" in knob.options:
        st.button(
            "Let the primary die in this run", icon=":material/bolt:",
            on_click=state.put, args=(turned(shown.setup, knob, "failover"),),
        )  # fmt: skip


main()
