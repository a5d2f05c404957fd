"""How every page looks, beyond what the theme says: a tighter frame, readings below charts, words that explain."""

from __future__ import annotations

from typing import Final

import streamlit as st

__all__ = ["apply_look"]

_CSS: Final = """<style>
.stMainBlockContainer { padding: 4.2rem 2rem 3rem; }
.said { font-size: 1.06rem; line-height: 1.55; margin: 0 0 .3rem; max-width: 62em; }
.reading { font-size: .9rem; opacity: .85; margin: -.6rem 0 .6rem; line-height: 1.45; }
abbr[title] { text-decoration: underline dotted; text-underline-offset: .2em; cursor: help; }
.st-key-answers { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.6rem, 1fr)); gap: .6rem; }
.st-key-answers > div { width: auto; min-width: 0; }
[data-testid="stMetricValue"] { font-size: 1.55rem; font-variant-numeric: tabular-nums; }
.st-key-answers [data-testid="stMetric"] { padding: .45rem .2rem .45rem .5rem; height: 100%; }
.st-key-answers [data-testid="stMetric"] > div { padding: 0 .2rem; }
.st-key-answers [data-testid="stMetricLabel"] p { font-size: .84rem; }
.wide { overflow-x: auto; }
table.compare { border-collapse: collapse; font-size: .95rem; width: 100%;
  min-width: calc(7rem + var(--settings, 4) * 7rem); }
table.compare th, table.compare td { text-align: left; padding: .4rem .7rem; vertical-align: top;
  border-bottom: 1px solid rgba(128, 128, 128, .3); font-variant-numeric: tabular-nums; }
table.compare th { font-weight: 600; }
table.compare td div { font-size: .82rem; }
.better { color: #009E73; } .worse { color: #D55E00; } .same { opacity: .65; }
@media (max-width: 640px) {
  .stMainBlockContainer { padding: 3.6rem .9rem 2rem; }
  [data-testid="stMetricValue"] { font-size: 1.3rem; }
  table.compare th, table.compare td { padding: .35rem .3rem; overflow-wrap: break-word; }
}
</style>"""


def apply_look() -> None:
    """Put the styles into the page."""
    st.html(_CSS)
