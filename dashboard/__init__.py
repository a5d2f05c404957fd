"""The dashboard: controls → scenario → cached run → plots.  ``replsim dashboard`` starts it, ``app.py`` is its entry.

============== ======================================================================================
links.py       the `Setup` of a page (base scenario, changes, number of seeds) and its URL
sources.py     a `Setup` → a checked `Scenario`; what comes from a stranger can read no file
knobs/         one table of knobs: what each changes, between which bounds, in which words
controls.py    knobs → widgets, in the sidebar
state.py       the session: its setup, its pinned baseline
runs.py        runs in threads, cached by scenario and seed, with progress and cancel
charts.py      a figure with its reading, in the page's theme
views/         one short page each
============== ======================================================================================
"""
