"""The animated topology: WAL on its way, positions that fill, reads that land on old ones."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import streamlit as st

from dashboard.charts import theme
from replsim import plots
from replsim.analysis.readlife import choose_read, read_life
from replsim.analysis.reigns import reigns
from replsim.errors import ReplsimError
from replsim.result import Result
from replsim.scenario.topology import link_between
from replsim.units import SECOND

__all__ = ["moment_of", "play", "window"]

FRAMES: Final = 240
SLOW_FLIGHTS: Final = 25.0
"""In slow motion the film covers so many of the longest link's latencies."""

_HERE: Final = Path(__file__).parent
_player = st.components.v2.component(
    "replsim.player",
    html="<div class='player'></div>",
    css=(_HERE / "player.css").read_text(encoding="utf-8"),
    js=(_HERE / "player.js").read_text(encoding="utf-8"),
)


def play(result: Result, times: np.ndarray, key: str) -> None:
    """A film of the cluster at these moments (seconds), with a slider and a button that plays."""
    _player(data=plots.topology_frames(result, times, theme=theme()), key=key)


def moment_of(result: Result) -> float:
    """A moment (seconds) at which there is something to see: a primary's death, or the last commit before the stalest
    read."""
    scenario, inserted = result.scenario, np.sort(result.commits["inserted"])
    ends = [each.end for each in reigns(result.facts) if each.end < scenario.duration]
    if ends:
        return min(ends) / SECOND
    try:
        latest = read_life(result.facts, choose_read(result.facts, "stalest")).arrived
    except ReplsimError:
        latest = (scenario.warmup + scenario.duration) // 2
    before = np.searchsorted(inserted, latest, side="right")
    return float(inserted[before - 1] if before else latest) / SECOND


def window(result: Result, *, slow: bool) -> np.ndarray:
    """The moments of the film: all of the run, or slow motion around `moment_of`."""
    end = result.scenario.duration / SECOND
    if not slow:
        return np.linspace(0, end, FRAMES)
    length = min(SLOW_FLIGHTS * _longest_flight(result), end)
    start = min(max(moment_of(result) - 0.8 * length, 0.0), end - length)
    return np.linspace(start, start + length, FRAMES)


def _longest_flight(result: Result) -> float:
    """The mean latency of the longest link in seconds, or a millisecond."""
    scenario = result.scenario
    links = [link_between(scenario, scenario.upstream(name), name) for name in scenario.standbys]
    return max((link.latency.mean / SECOND for link in links if link is not None), default=0.0) or 1e-3
