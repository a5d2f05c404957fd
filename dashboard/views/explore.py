"""Explore: turn a knob and see what becomes of commits, standbys and reads."""

from __future__ import annotations

import streamlit as st

from dashboard.cards import show_answers
from dashboard.frame import open_page
from dashboard.words import plain

shown = open_page()
st.markdown(f"#### {plain(shown.scenario.question or shown.scenario.name)}")
show_answers(shown)
