"""Validation: a real PostgreSQL beside its simulation – stored runs, and one on this machine."""

from __future__ import annotations

import math
from html import escape

import streamlit as st

from dashboard import state
from dashboard.charts import show_reading, theme
from dashboard.choices import choose, choose_from_list
from dashboard.errors import show_problems
from dashboard.frame import finished, results_of
from dashboard.look import apply_look
from dashboard.runs import Runs
from dashboard.sources import scenario_of
from dashboard.words import plain
from replsim import front
from replsim.analysis import find
from replsim.calibrate import Comparison, Live, compare, read, seen_in, validate_live
from replsim.calibrate.page import measured_runs
from replsim.errors import ScenarioError
from replsim.plots.palette import node_colours
from replsim.plots.validation import lag_overlay, lag_overlay_reading, quantiles, quantiles_reading
from replsim.scenario import Scenario
from replsim.summary import show_metric
from replsim.units import SECOND

LONGEST_LIVE_SECONDS = 60
FIRST = "q_c8_d2-10_any1_on"
AGAINST = {"stored": "runs that were measured", "live": "real servers, here and now"}


def main() -> None:
    """The page."""
    apply_look()
    st.markdown("#### How far is it from a real PostgreSQL?")
    if choose("Against", AGAINST, "against") == "live":
        _live()
    else:
        _stored()


def _stored() -> None:
    """A measured run, simulated now with the constants that all runs share."""
    files = {file.stem: file for file in sorted(measured_runs(), key=lambda file: (file.stem != FIRST, file.stem))}
    name = choose_from_list(
        "Measured run", {name: _words(name) for name in files}, "run",
        help="One primary and two standbys of PostgreSQL 15 behind delay proxies, driven by pgbench.",
    )  # fmt: skip
    scenario = front.load(files[name])
    ((result,),) = results_of([(scenario, 1)])
    measured = read(files[name].parent / "data", name=name)
    _show(compare(scenario, measured, seen_in(result, "simulated")))


def _words(name: str) -> str:
    """A run's name in words: its clients, the delays to its standbys, its rule and its level."""
    if name.count("_") < 4:
        return name
    disk, clients, delays, rule, *level = name.split("_")
    number = clients[1:]
    load = f"{number} commits a second" if clients[0] == "r" else "1 client" if number == "1" else f"{number} clients"
    words = f"{load}, standbys {delays[1:].replace('-', ' and ')} ms away, ANY {rule[3:]}, {'_'.join(level)}"
    return f"{words}, on a real disk" if disk == "qdisk" else words


@st.cache_resource
def _live_runs() -> Runs[Live]:
    def run(scenario: Scenario, *, seed: int, engine: str, progress: front.Progress) -> Live:  # noqa: ARG001
        return validate_live(scenario, seed, progress)

    return Runs(run, workers=1)


def _live() -> None:
    """The session's scenario on real servers of this machine, and simulated as this machine is."""
    try:
        scenario = scenario_of(state.current())
    except ScenarioError as error:
        show_problems(error, state.current())
        return
    seconds = scenario.duration / SECOND
    st.markdown(
        f"The scenario of the other pages, **{plain(scenario.name)}**, takes {seconds:.3g} s of real time. Servers are "
        "started on this machine alone, and removed afterwards."
    )
    if seconds > LONGEST_LIVE_SECONDS:
        st.warning(f"It is longer than {LONGEST_LIVE_SECONDS} s: shorten it in Explore (Run, Simulated time).")
        return
    asked = ("live", Runs.name(scenario))
    if st.session_state.get("live asked") != asked:
        if st.button("Run it", type="primary", icon=":material/play_arrow:"):
            st.session_state["live asked"] = asked
            st.rerun()
        return
    (live,) = finished(asked, lambda: [_live_runs().start(scenario, scenario.seed)])
    st.caption(plain(live.told))
    _show(live.comparison)


def _show(comparison: Comparison) -> None:
    """The comparison in a sentence, as a table and as pictures."""
    limited = [row for row in comparison.rows if row.limit]
    held = sum(row.held for row in limited)
    worst = max(limited, key=lambda row: abs(row.error) if row.error == row.error else 0.0, default=None)
    said = f"{held} of {len(limited)} numbers that have a limit are within it."
    if worst is not None and not math.isnan(worst.error):
        said += f" The largest difference is {worst.error:+.1%}, of {worst.metric}."
    st.html(f"<p class='said'>{escape(said)}</p>")
    left, right = st.columns(2, gap="medium")
    with left:
        family = comparison.latency
        both = [seen.latencies[family] for seen in (comparison.measured, comparison.simulated)]
        show_reading(quantiles(*both, theme=theme()), "quantiles", quantiles_reading(*both))
    with right:
        curves = [
            {name: (lag["replay"].time, lag["replay"].value) for name, lag in seen.lag.items() if "replay" in lag}
            for seen in (comparison.measured, comparison.simulated)
        ]
        colours = node_colours(comparison.scenario)
        show_reading(lag_overlay(*curves, colours=colours, theme=theme()), "overlay", lag_overlay_reading(*curves))
    _table(comparison)


def _table(comparison: Comparison) -> None:
    lines = []
    for row in comparison.rows:
        mark = "" if row.limit is None else "✓" if row.held else "✗"
        kind = "" if row.limit is None else "better" if row.held else "worse"
        error = "" if math.isnan(row.error) else f"{row.error:+.1%}"
        limit = "" if row.limit is None else f"{row.limit.share:.0%}"
        if row.limit is not None and row.limit.amount:
            limit += f" or {show_metric(row.metric, row.limit.amount)}"
        shown = "".join(f"<td>{show_metric(row.metric, value)}</td>" for value in (row.measured, row.simulated))
        about = escape(find(row.metric)[0].definition, quote=True)
        lines.append(
            f"<tr><th scope='row' title='{about}'>{escape(row.metric)}</th>{shown}"
            f"<td class='{kind}'>{mark} {error}</td><td>{limit}</td></tr>"
        )
    heads = ("metric", comparison.measured.source, comparison.simulated.source, "difference", "limit")
    head = "".join(f"<th scope='col'>{escape(name)}</th>" for name in heads)
    st.html(f"<div class='wide'><table class='compare'><tr>{head}</tr>{''.join(lines)}</table></div>")


main()
