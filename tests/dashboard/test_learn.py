"""Learn: a prediction first, then what the runs say."""

from __future__ import annotations

import json

import pytest

import replsim
from dashboard.sources import scenario_of
from dashboard.tour import STEPS, Step
from tests.dashboard.pages import figure, open_page, settled, words

RIGHT = {
    "tour/1-one-node": "More than four times",
    "tour/2-group-commit": "Several thousand",
    "tour/3-async-replica": "Nothing",
    "tour/4-own-writes": "Two times in three",
    "tour/5-levels": "Yes, now and then",
    "tour/6-quorum": "Cuts it to a quarter or less",
    "tour/7-replay-lag": "About twelve seconds",
    "tour/8-primary-dies": "About ten",
}


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.scenario)
def test_the_runs_bear_out_what_a_step_teaches(step: Step) -> None:
    """Each step's runs, on two seeds, give the answer that its lesson explains, and the lesson has its numbers."""
    for seed in (1, 2):
        own = replsim.run(scenario_of(step.setup), seed=seed).metrics
        other = replsim.run(scenario_of(step.setup.changed(dict(step.variant))), seed=seed).metrics
        assert step.options[step.right(own, other)] == RIGHT[step.scenario]
        told = step.told(own, other)
        assert not set("{}[]–") & set(told), told


def test_a_step_shows_no_answer_before_a_prediction() -> None:
    """The button waits for a choice; only then is something run and told."""
    at = open_page("learn")
    (button,) = (each for each in at.button if each.label == "Run it and see")
    assert button.disabled
    assert not at.get("plotly_chart")
    at.radio[0].set_value(at.radio[0].options[0])
    at.run()
    next(each for each in at.button if each.label == "Run it and see").click()
    settled(at.run())
    assert at.warning[0].value.startswith("It is not so: more than four times")
    assert len(at.get("plotly_chart")) == 2, "the scenario and its variant stand side by side"


def test_a_prediction_is_in_the_address() -> None:
    """An answered step can be shared; what an address says that is no prediction is passed over."""
    at = open_page("learn", step="7", predicted="7.1,9.0,2.99,nonsense")
    assert len(at.warning) + len(at.success) == 1
    assert at.query_params["predicted"] == "7.1"
    next(each for each in at.button if each.label == "Predict again").click()
    settled(at.run())
    assert not at.warning
    assert not at.success
    assert "predicted" not in at.query_params


def test_a_step_opens_in_explore() -> None:
    """What a step shows can be turned further: its scenario is a state of Explore."""
    at = open_page("learn", step="7")
    assert at.markdown[0].value == "#### When replay cannot keep up"
    at.radio[0].set_value("About twelve seconds")
    at.run()
    next(each for each in at.button if each.label == "Run it and see").click()
    settled(at.run())
    assert at.success[0].value.startswith("Right")
    next(each for each in at.button if each.label == "Open in Explore").click()
    settled(at.run())
    assert at.query_params["scenario"] == "tour/7-replay-lag"
    assert {each.label for each in at.metric} >= {"Lag s1 p99"}


def test_the_last_step_is_a_failover() -> None:
    """Its run has a death and a promotion: who was primary is drawn, with what was lost, for it and its variant."""
    at = open_page("learn", step="8")
    at.radio[0].set_value("About ten")
    at.run()
    next(each for each in at.button if each.label == "Run it and see").click()
    settled(at.run())
    assert at.success[0].value == "Right: about ten."
    titles = [json.loads(chart.proto.spec)["layout"]["title"]["text"] for chart in at.get("plotly_chart")]
    assert titles == ["Who was primary"] * 2 + ["What became of commits"] * 2
    said = [words(html) for html in at.get("html")]
    assert sum("; clients reached s" in each for each in said) == 2
    assert any("No acknowledged commit was lost" in each for each in said)
    next(each for each in at.button if each.label == "Open in Explore").click()
    settled(at.run())
    assert at.query_params["scenario"] == "tour/8-primary-dies"
    assert figure(at, "Lag")["layout"]["shapes"], "the fault is shaded"
