"""Explore: the answers follow the knobs."""

from __future__ import annotations

import pytest

from dashboard.links import DEFAULT
from tests.dashboard.pages import figure, metric, open_page, settled, words


def test_a_first_visit_shows_something_at_once() -> None:
    """The default scenario has run, its answers stand on top, and reads are stale."""
    at = open_page()
    assert at.query_params["scenario"] == DEFAULT
    assert float(metric(at, "Stale reads").split()[0]) > 40
    assert "s1 is" in at.get("html")[0].proto.body


def test_a_turn_of_a_knob_changes_answer_url_and_arrow() -> None:
    """A cheaper replay makes reads fresher: the figure, its change against the run before, and the URL say so."""
    at = open_page()
    before = metric(at, "Stale reads")
    at.select_slider(key="knob standbys.s1.replay.per_record").set_value(20_000)
    settled(at.run())
    assert float(metric(at, "Stale reads").split()[0]) < float(before.split()[0])
    assert at.query_params["set"] == "standbys.s1.replay.per_record=20us"
    (stale,) = (each for each in at.metric if each.label == "Stale reads")
    assert stale.delta.startswith("-")
    assert stale.delta.endswith("points")


def test_a_url_opens_the_state_that_it_tells() -> None:
    """A link with a scenario and a change shows that scenario, so changed."""
    at = open_page("explore", "primary.synchronous_commit=off", scenario="quickstart/three-nodes")
    assert at.selectbox(key="knob primary.synchronous_commit").value == "off"
    assert metric(at, "Commit p50") == "100 µs"


def test_a_link_that_cannot_run_says_what_to_mend() -> None:
    """A misspelt value in a URL is named, with what was perhaps meant, and the way back works."""
    at = open_page("explore", "primary.synchronous_commit=offf")
    assert "cannot run" in at.error[0].value
    assert "did you mean" in at.markdown[0].value
    (back,) = (button for button in at.button if button.label == "Take all changes back")
    back.click()
    settled(at.run())
    assert not at.error
    assert "set" not in at.query_params


def test_a_pinned_run_stays_the_baseline() -> None:
    """Once pinned, every later run is compared with the pinned one, until it is let go."""
    at = open_page()
    next(button for button in at.button if button.label == "Pin as baseline").click()
    at.run()
    for cost in (20_000, 1_200_000):
        at.select_slider(key="knob standbys.s1.replay.per_record").set_value(cost)
        settled(at.run())
    assert all(each.delta == "" for each in at.metric), "back where the pin is, nothing differs"
    assert any("pinned" in caption.value for caption in at.caption)


def test_a_run_that_takes_too_long_is_refused_with_a_way_out() -> None:
    """A day of traffic is not started: the page says what it would take, and offers a length that works."""
    at = open_page("explore", "duration=1d", "writers.app.rate=5000/s")
    assert "too long" in at.warning[0].value
    assert not at.metric
    (shorter,) = (button for button in at.button if button.label.startswith("Simulate"))
    shorter.click()
    at.run()
    assert not at.warning


def test_the_primary_dies_at_the_turn_of_a_knob() -> None:
    """The faults knob kills the primary: the answers say what was lost and for how long nobody was served."""
    at = open_page("explore", scenario="quickstart/three-nodes")
    assert "Lost if p died" in {each.label for each in at.metric}
    at.selectbox(key="knob faults").set_value("failover")
    settled(at.run())
    assert metric(at, "Commits lost") == "0"
    assert metric(at, "Outage").endswith(" s")
    assert "Lost if p died" not in {each.label for each in at.metric}
    assert any("No acknowledged commit was lost" in words(html) for html in at.get("html"))
    assert [note["text"] for note in figure(at, "Lag")["layout"]["annotations"]] == ["warm-up", "crash p"]
    at.selectbox(key="knob faults").set_value("none")
    settled(at.run())
    assert "set" not in at.query_params


def test_a_standby_s_fault_is_placed_and_moved() -> None:
    """A crash of one standby makes it lag; where there are two, a second knob moves it to the other."""
    at = open_page("explore", scenario="quickstart/three-nodes")
    at.selectbox(key="knob faults").set_value("crash")
    settled(at.run())
    assert float(metric(at, "Lag s1 p99").split()[0]) > 1
    at.selectbox(key="knob faults.where").set_value("s2")
    settled(at.run())
    assert float(metric(at, "Lag s2 p99").split()[0]) > 1
    assert metric(at, "Lag s1 p99").endswith("ms")


@pytest.mark.parametrize(("kind", "axis"), [("seconds", "ms"), ("bytes", "kB"), ("commits", "commits missing")])
def test_lag_is_shown_in_three_units_true_and_as_measured(kind: str, axis: str) -> None:
    """In time, bytes and commits there are two lines for a standby: what is true, and what the primary knows."""
    at = open_page(lag=kind)
    drawn = figure(at, "Lag")
    assert axis in drawn["layout"]["yaxis"]["title"]["text"]
    lines = [each["name"] for each in drawn["data"] if each.get("showlegend") is not False]
    assert lines == ["s1", "s1 as the primary knows it"]


def test_several_seeds_give_bands() -> None:
    """With three seeds the lag is a median and a range, and the answers are means over them."""
    one, three = open_page("explore", "duration=6s"), open_page("explore", "duration=6s", seeds="3")
    drawn = figure(three, "Lag: median and range over 3 seeds")
    assert [each.get("fill") for each in drawn["data"]].count("tonexty") == 1
    assert metric(three, "Commit p50") != metric(one, "Commit p50")


def test_a_profile_is_a_place_to_start_from() -> None:
    """A profile runs as it is, and each of its three nodes has knobs."""
    at = open_page(scenario="profile/postgresql")
    assert {"Lag s1 p99", "Lag s2 p99"} <= {each.label for each in at.metric}
    assert "knob primary.synchronous_commit" in {each.key for each in at.selectbox}
