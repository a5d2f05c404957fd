"""Every knob of Explore, turned on the page, moves the data of the figure that it is about, and the right way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.knobs import knobs
from dashboard.links import Setup
from dashboard.sources import scenario_of
from replsim.units import SECOND
from tests.dashboard.pages import figure, numbers, open_page, settled

MS = SECOND // 1000
BASE = "quickstart/three-nodes"
SHORT = ("duration=6s", "warmup=1s")
LATE = ('faults=[{"at": "2s", "for": "2s", "pause_replay": "s2"}]',)
BREAKDOWN = "Where a commit's time goes"

Read = Callable[[AppTest], float]


def part(*names: str) -> Read:
    """What all commits spent on some parts on average; on all parts where none is named."""

    def read(at: AppTest) -> float:
        traces = figure(at, BREAKDOWN)["data"]
        return float(sum(numbers(each, "x")[-1] for each in traces if not names or each["name"] in names))

    return read


def line(title: str, name: str) -> Read:
    """The mean of a line; 0 where there is none."""

    def read(at: AppTest) -> float:
        found = [each for each in figure(at, title)["data"] if each.get("name") == name]
        return float(np.nanmean(numbers(found[-1], "y"))) if found else 0.0

    return read


def lag(at: AppTest) -> float:
    """How far the far standby is behind on average, in milliseconds."""
    drawn = figure(at, "Lag")
    (mine,) = (each for each in drawn["data"] if each.get("name") == "s2" and each.get("showlegend"))
    factor = {"(µs)": 1e-3, "(ms)": 1, "(s)": 1e3}[drawn["layout"]["yaxis"]["title"]["text"].rpartition(" ")[2]]
    return float(np.nanmean(numbers(mine, "y"))) * factor


def bytes_behind(at: AppTest) -> float:
    """The mean of the far standby's lag in bytes, in the axis's unit times its size."""
    drawn = figure(at, "Lag")
    (mine,) = (each for each in drawn["data"] if each.get("name") == "s2" and each.get("showlegend"))
    factor = {"(B)": 1, "(kB)": 1e3, "(MB)": 1e6}[drawn["layout"]["yaxis"]["title"]["text"].rpartition(" ")[2]]
    return float(np.nanmean(numbers(mine, "y"))) * factor


def standbys(at: AppTest) -> float:
    """How many standbys have a lag of their own."""
    names = {each.get("name", "") for each in figure(at, "Lag")["data"]}
    return float(len({name for name in names if " " not in name}))


def commits(at: AppTest) -> float:
    """How many commits are drawn over time."""
    return float(sum(len(numbers(each, "x")) for each in figure(at, "Commit latency over time")["data"]))


def length(at: AppTest) -> float:
    """Where the time axis ends."""
    return float(figure(at, "Lag")["layout"]["xaxis"]["range"][1])


def troubles(at: AppTest) -> float:
    """How many stretches are shaded."""
    return float(len(figure(at, "Lag")["layout"]["shapes"]))


@dataclass(frozen=True)
class Turn:
    """A knob at another value, what is read from the page, and whether that becomes more (1), less (-1) or other (0).

    ``page`` and ``sets`` are what the page begins with, if it is not the scenario as it is.
    """

    value: Any
    read: Read
    becomes: int
    page: tuple[tuple[str, str], ...] = ()
    sets: tuple[str, ...] = ()


TURNS = {
    "primary.synchronous_commit": Turn("local", part("network out"), -1),
    "primary.synchronous_standby_names": Turn("ANY 2 (s1, s2)", part(), 1),
    "standbys": Turn(3, standbys, 1),
    "primary.wal_device.flush": Turn(5 * MS, part("flush"), 1),
    "links.p -> s1.latency": Turn(2 * MS, part("network out", "network back"), 1),
    "standbys.s1.wal_device.flush": Turn(3 * MS, part("remote flush"), 1),
    "standbys.s1.replay.per_record": Turn(2 * MS, line("Stale reads", "s1"), 1),
    "standbys.s1.recovery_min_apply_delay": Turn(20 * MS, line("Stale reads", "s1"), 1),
    "links.p -> s2.latency": Turn(50 * MS, lag, 1),
    "standbys.s2.wal_device.flush": Turn(20 * MS, lag, 1),
    "standbys.s2.replay.per_record": Turn(5 * MS, lag, 1),
    "standbys.s2.recovery_min_apply_delay": Turn(100 * MS, lag, 1),
    "writers.app.rate": Turn(100.0, commits, -1),
    "writers.app.record": Turn(10_000, bytes_behind, 1, (("lag", "bytes"),)),
    "readers.web.rate": Turn(100.0, line("Stale reads", "s2"), 0),
    "readers.web.route": Turn("s1", line("Stale reads", "s2"), -1),
    "readers.web.guarantee": Turn("bounded_staleness", line("Stale reads", "s2"), 0, sets=LATE),
    "faults": Turn("crash", troubles, 1),
    "duration": Turn(10 * SECOND, length, 1),
    "seed": Turn(7, part(), 0),
}
"""Of the scenario with two standbys, each knob."""
OTHERS = (
    ("postgresql/three-zones", "standbys.s1.zone", Turn("c", part("network out", "network back"), 0)),
    ("tour/2-group-commit", "writers.app.clients", Turn(1, part("flush"), -1)),
    ("tour/4-own-writes", "sessions.user.count", Turn(5, commits, -1)),
    ("tour/4-own-writes", "sessions.user.guarantee", Turn("read_your_writes", line("Stale reads", "s1"), -1)),
)
"""Knobs that other scenarios have."""


def test_the_table_has_every_knob() -> None:
    """No knob of the scenario is left out."""
    assert list(TURNS) == [knob.path for knob in knobs(scenario_of(Setup(BASE)))]


@pytest.mark.parametrize("path", TURNS)
def test_a_knob_moves_its_figure(path: str) -> None:
    """The widget is set as a user sets it; the figure's data follow."""
    _turn(open_page("explore", *SHORT, *TURNS[path].sets, scenario=BASE, **dict(TURNS[path].page)), path, TURNS[path])


@pytest.mark.parametrize(("base", "path", "turn"), OTHERS, ids=[path for _, path, _ in OTHERS])
def test_a_knob_of_another_scenario_moves_its_figure(base: str, path: str, turn: Turn) -> None:
    """Zones, clients that wait and users have knobs too."""
    _turn(open_page("explore", *SHORT, scenario=base), path, turn)


def _turn(at: AppTest, path: str, turn: Turn) -> None:
    before = turn.read(at)
    every = [*at.select_slider, *at.selectbox]
    (widget,) = (each for each in every if each.key == f"knob {path}")
    widget.set_value(turn.value)
    after = turn.read(settled(at.run()))
    assert after != before if not turn.becomes else (after - before) * turn.becomes > 0
