"""The way out of a page: its URL, its scenario, its figures and its data."""

from __future__ import annotations

import importlib.util
from functools import partial

import streamlit as st

from dashboard.exports import csv_zip, figures_html, figures_zip, parquet_zip, scenario_file
from dashboard.frame import Shown

__all__ = ["offer"]


def offer(shown: Shown) -> None:
    """A popover with all that can be taken away."""
    with st.popover("Share and export", icon=":material/download:", width="stretch"):
        if shown.setup.fits:
            st.caption("The address in your browser opens this very state. So does, without a browser:")
        else:
            st.caption("This state does not fit into a link: the scenario below is it. On the command line:")
        st.code(shown.setup.command, language="console", wrap_lines=True)
        name, data = scenario_file(shown.setup, shown.scenario)
        st.download_button("Scenario", data, name, icon=":material/description:", width="stretch")
        stem, results = shown.scenario.name, shown.results
        _later("Figures, HTML", partial(figures_html, results), f"{stem}-figures.html")
        if importlib.util.find_spec("kaleido") is not None:
            _later("Figures, SVG", partial(figures_zip, results, "svg"), f"{stem}-figures-svg.zip")
            _later("Figures, PNG", partial(figures_zip, results, "png"), f"{stem}-figures-png.zip")
        _later("Data, CSV", partial(csv_zip, results), f"{stem}-data-csv.zip")
        _later("Data, Parquet", partial(parquet_zip, results), f"{stem}-data-parquet.zip")


def _later(label: str, make: partial[bytes], name: str) -> None:
    """A button whose file is made when it is clicked."""
    st.download_button(label, make, name, on_click="ignore", width="stretch")
