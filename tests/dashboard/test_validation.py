"""Validation: a measured run beside its simulation."""

from __future__ import annotations

from tests.dashboard.pages import figure, open_page


def test_a_measured_run_is_compared_at_once() -> None:
    """A run of a real server stands beside its simulation: a sentence, a QQ plot, lag over time, and each number."""
    at = open_page("validation")
    said = " ".join(html.proto.body for html in at.get("html"))
    assert "numbers that have a limit are within it" in said
    assert "commit_latency.p50</th>" in said
    assert "✓" in said
    assert len(figure(at, "Commit latency")["data"]) == 2
    assert figure(at, "replay_lag")


def test_another_run_has_an_address() -> None:
    """Each stored run is opened by its name."""
    at = open_page("validation", run="q_c1_d2-10_any1_local")
    (chosen,) = (each for each in at.selectbox if each.label == "Measured run")
    assert chosen.value == "q_c1_d2-10_any1_local"


def test_a_long_scenario_is_not_run_on_real_servers() -> None:
    """A real run takes real time: what is too long is said before anything starts."""
    at = open_page("validation", "duration=5min", against="live")
    assert "longer than 60 s" in at.warning[0].value
    assert not any(button.label == "Run it" for button in at.button)
