"""The dashboard's entry: its pages, and how one goes from one to another."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import streamlit as st

from dashboard import state

PAGES: Final = {
    "explore": "Explore",
    "follow": "Follow one commit",
    "break_it": "Break it",
    "compare": "Compare",
    "sweep": "Sweep",
    "find": "Find",
    "validation": "Validation",
    "learn": "Learn",
}
ABOUT: Final = """\
**replsim** simulates a primary and its standbys: what commit latency, replication lag, stale reads and data loss
to expect, before you touch production. Everything is computed on this machine, and nothing leaves it.
"""

# No ":material/…" icon here or on a page: browsers fetch those for the tab from elsewhere.
ICON: Final = Path(__file__).with_name("icon.png")

st.set_page_config(page_title="replsim", page_icon=ICON, layout="wide", menu_items={"About": ABOUT})
pages = {
    name: st.Page(f"views/{name}.py", title=title, url_path=name, default=name == "explore")
    for name, title in PAGES.items()
}
state.keep_pages(pages)
st.navigation(list(pages.values()), position="top").run()
