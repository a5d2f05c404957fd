"""Words in figures: none covers another or the data, and each sentence says what its figure shows."""

from __future__ import annotations

import numpy as np
import pytest

import replsim
from replsim import plots
from replsim.analysis.life import choose_commit
from replsim.analysis.readlife import choose_read, read_life
from replsim.plots.palette import node_colours
from replsim.plots.study import Axis
from replsim.plots.validation import lag_overlay, lag_overlay_reading, quantiles_reading
from replsim.units import NEVER
from tests.plots.clockwork import clockwork

DELAY = Axis("Delay", "s")
SIDES = {"across": "rate", "down": "disk", "columns": ["10/s", "20/s"], "rows": ["slow", "fast"]}


def test_a_map_s_ends_are_said_with_their_place() -> None:
    """The lowest and the highest cell are named by both knobs; a cell that is not known yet is neither."""
    value = np.array([[0.004, np.nan], [0.001, 0.002]])
    assert plots.map_reading(DELAY, value, **SIDES) == (
        "Delay: lowest, 1 ms, at rate = 10/s and disk = fast; highest, 4 ms, at rate = 10/s and disk = slow."
    )
    assert plots.map_reading(DELAY, np.full((2, 2), 0.5), **SIDES) == "Delay: 500 ms in every cell."
    assert plots.map_reading(DELAY, np.full((2, 2), np.nan), **SIDES) == "No cell has a value yet."


def test_a_map_with_words_in_its_cells_needs_no_bar_of_colours() -> None:
    """Cells that have room for their values say them; too many for that have the bar."""
    few = plots.clickable_map(DELAY, np.ones((2, 2)), **SIDES).data[0]
    assert (few.showscale, few.texttemplate) == (False, "%{text}")
    many = [str(number) for number in range(13)]
    large = plots.clickable_map(DELAY, np.ones((13, 13)), across="x", down="y", columns=many, rows=many).data[0]
    assert (large.showscale, large.texttemplate) == (True, None)


def test_measured_and_simulated_are_read_beside_each_other() -> None:
    """The sentences have the medians of both, and of lag only what was measured at the same time."""
    measured = np.linspace(0.001, 0.003, 201)
    assert quantiles_reading(measured, 2 * measured) == (
        "Half of the commits took up to 2 ms measured and 4 ms simulated, 99 in 100 up to 2.98 ms and 5.96 ms. On the "
        "dotted line the two agree."
    )
    assert quantiles_reading(measured, measured[:0]) == "One of the two has no commits."
    seen = {"s1": (np.array([0.0, 1.0]), np.array([0.01, np.nan]))}
    again = {"s1": (np.array([0.0, 1.0, 2.0]), np.array([0.02, 0.02, 9.0]))}
    assert lag_overlay_reading(seen, again) == "The median was 10 ms on s1 (20 ms simulated)."
    assert lag_overlay_reading({}, again) == "No standby's lag was measured."


def test_a_standby_has_its_colour_beside_real_servers_too() -> None:
    """What was measured on a node is drawn in the node's colour, as on every other page."""
    colours = node_colours(clockwork().scenario)
    curve = {"near": (np.array([0.0, 1.0]), np.array([0.01, 0.01]))}
    figure = lag_overlay(curve, curve, colours=colours)
    assert {trace.line.color or trace.marker.color for trace in figure.data} == {colours["near"]}


def test_a_word_at_a_fault_does_not_cover_the_warm_up_s() -> None:
    """The first word stands above the plot; one that begins near the warm-up's stands a line below it."""
    for start, level in (("0s", -14), ("1s", 0)):
        result = clockwork(faults=[{"at": start, "for": "500ms", "crash": "far"}])
        notes = {note.text: note for note in plots.lag(result).layout.annotations}
        assert (notes["warm-up"].yanchor, notes["warm-up"].yshift) == ("bottom", 0)
        assert notes["crash far"].yshift == level


def test_the_words_at_percentiles_stand_apart() -> None:
    """Where half and nearly all commits take the same time, one word is above the plot and one within."""
    marks = [note for note in plots.commit_latency(clockwork()).layout.annotations if note.text.startswith("p")]
    assert [note.yanchor for note in marks] == ["bottom", "top"]


def test_the_slowest_commit_is_said_with_its_moment() -> None:
    """Over time it matters when: the sentence has the slowest commit's number and when it was acknowledged."""
    result = clockwork(faults=[{"at": "1.15s", "for": "500ms", "slow": "p", "times": 100}])
    row = choose_commit(result.facts, "slowest")
    said = plots.reading("commit_latency", result, view="time")
    assert said.startswith(f"The slowest, commit {row}, took ")
    told = int(result.commits["acknowledged"][row]) / 1e9
    assert said.endswith(f"it was acknowledged at {replsim.summary.show(told, 's')}.")


def test_nothing_seen_is_not_nobody_there() -> None:
    """Standbys on which no commit was seen are there all the same."""
    result = clockwork(primary={"synchronous_standby_names": "ANY 3 (near, far)"})
    assert plots.reading("t_visibility", result) == "No commit was seen on a standby within the measured window."
    alone = clockwork(standbys={}, links={}, primary={}, readers={})
    assert plots.reading("t_visibility", alone) == "There is no standby on which a commit could be seen."


def test_a_read_shows_when_the_log_came_and_when_it_was_replayed() -> None:
    """The commit that a read missed was there long before it was applied: both moments are at the node."""
    result = clockwork()
    notes = {note.text: note for note in plots.follow_read(result).layout.annotations}
    assert notes["received"].y < notes["applied"].y


@pytest.fixture(scope="module")
def failover() -> replsim.Result:
    """A primary that dies with commits that no standby has, and readers who look for them afterwards."""
    readers = "{web: {rate: 200/s, route: round_robin}}"
    return replsim.run(replsim.load("tour/8-primary-dies", overrides={"readers": readers}))


def test_a_read_that_missed_a_lost_commit_says_so(failover: replsim.Result) -> None:
    """What the cluster went on without is applied nowhere, although the log goes beyond its place."""
    life = read_life(failover.facts, choose_read(failover.facts, "stalest"))
    assert life.lost
    assert life.applied == NEVER
    said = plots.reading("follow_read", failover)
    assert said.endswith(f"before the read was issued, and was lost: {life.node} went on without it.")
    assert "applied" not in {note.text for note in plots.follow_read(failover).layout.annotations}


def test_two_primaries_at_once_are_said() -> None:
    """In a split brain the sentence has for how long both took commits."""
    result = replsim.run("failures/split-brain")
    both = replsim.summary.show(result.metrics["split_brain"], "s")
    assert f"; for {both} two of them took commits at once." in plots.reading("primaries", result)
