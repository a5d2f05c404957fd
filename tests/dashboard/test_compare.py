"""Compare: settings side by side, on the same luck."""

from __future__ import annotations

import json
import re

import pytest

from dashboard.comparison import FEWEST_SEEDS, choices, first_values, rows, setups
from dashboard.links import Setup
from dashboard.sources import scenario_of
from replsim import front
from replsim.result import Result
from tests.dashboard.pages import figure, open_page, settled

THREE = Setup("quickstart/three-nodes").changed({"duration": "4s"})
RULE = "primary.synchronous_standby_names"


def runs(path: str, *values: object, seeds: int = 5) -> list[list[Result]]:
    """The results of a knob at some values, on the same seeds."""
    knob = choices(scenario_of(THREE))[path]
    every = setups(THREE, knob, values)
    assert len(every) == len(values)
    return [[front.run(scenario_of(setup), seed=seed) for seed in range(seeds)] for setup in every.values()]


def test_a_difference_is_of_pairs_that_saw_the_same_luck() -> None:
    """Waiting for the far standby costs about its way there and back; the interval is narrow, and surely worse."""
    every = rows(runs(RULE, "", "FIRST 1 (s1, s2)"))
    (row,) = (row for row in every if row.label == "Commit p50")
    gap, low, high = (float(text) for text in re.findall(r"[+-]([\d.]+) ms", row.differences[0]))
    assert low <= gap <= high
    assert high - low < gap / 2
    assert row.sure == (-1,)


def test_what_a_knob_does_not_touch_does_not_differ() -> None:
    """The same setting twice has no difference at all, since both see the same luck."""
    results = runs(RULE, "")
    for row in rows([results[0], results[0]]):
        assert set(row.differences) <= {"no difference", "–"}
        assert row.sure == (0,)


def test_every_knob_has_values_to_begin_with() -> None:
    """Whatever is varied, two to four values are chosen, the scenario's own among them."""
    for knob in choices(scenario_of(Setup())).values():
        assert 2 <= len(first_values(knob)) <= 4
        assert knob.value in first_values(knob)


def test_the_page_compares_at_once() -> None:
    """Without a click it varies who must confirm, on several seeds, as a table and as a trade-off."""
    at = open_page("compare", "duration=4s")
    assert figure(at, "What each setting costs")
    assert f"Means over {FEWEST_SEEDS} seeds" in " ".join(caption.value for caption in at.caption)
    table = next(html.proto.body for html in at.get("html") if "class='compare'" in html.proto.body)
    assert "nobody (asynchronous)" in table
    assert "worse" in table


def test_another_knob_is_varied() -> None:
    """A distance is varied as well as a rule, and each setting opens in Explore."""
    at = open_page("compare", "duration=4s", vary="links.p -> s1.latency")
    assert at.multiselect[0].value[0] != at.multiselect[0].value[-1]
    next(button for button in at.button if button.label.startswith("Open 1 ms")).click()
    settled(at.run())
    assert len(at.metric) > 3


@pytest.mark.parametrize("name", ["lag", "stale_reads", "breakdown", "t_visibility"])
def test_figures_side_by_side_have_the_same_axes(name: str) -> None:
    """A near and a far standby: one unit and one range on both axes, which hold all that is drawn."""
    at = open_page("compare", "duration=4s", vary="links.p -> s1.latency", beside=name)
    first, *others = [
        json.loads(chart.proto.spec) for chart in at.get("plotly_chart") if f"chart {name} " in chart.proto.id
    ]
    assert others
    for other in others:
        for axis in ("xaxis", "yaxis"):
            assert other["layout"][axis].get("range") == first["layout"][axis].get("range")
            assert other["layout"][axis].get("title") == first["layout"][axis].get("title")
