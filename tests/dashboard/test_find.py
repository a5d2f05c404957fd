"""Find: the front of a search, and each setting on it as a state of Explore."""

from __future__ import annotations

from dashboard.finds import Finding
from dashboard.links import Setup
from dashboard.sources import scenario_of
from replsim import front
from tests.dashboard.pages import open_page

SHORT = Setup("quickstart/three-nodes").changed({"duration": "3s", "warmup": "0s"})
SPACE = {"primary.synchronous_standby_names": ['""', "ANY 1 (s1, s2)", "FIRST 1 (s2)"]}
GOALS = ("commit_latency.p99", "loss_if_primary_dies.commits.mean")


def test_nothing_on_the_front_is_bettered_in_both_goals() -> None:
    """Of waiting for nobody, for the near standby and for the far one, the last costs most and saves nothing more."""
    finding = Finding().start(scenario_of(SHORT), SPACE, [], GOALS, 2)
    found = finding.future.result(120)
    rules = [candidate.sample.setting.changes["primary.synchronous_standby_names"] for candidate in found.best]
    assert rules == ['""', "ANY 1 (s1, s2)"]
    assert finding.share == 1
    best = found.best[0]
    alone = scenario_of(SHORT.changed(dict(best.sample.setting.changes)))
    runs = [front.run(alone, seed=alone.seed + nth).metrics[GOALS[0]] for nth in range(2)]
    assert abs(best.values[GOALS[0]] - sum(runs) / 2) < 1e-12


def test_a_condition_narrows_what_is_found() -> None:
    """A bound that only waiting for nobody keeps leaves that one setting."""
    found = Finding().start(scenario_of(SHORT), SPACE, ["commit_latency.p50 < 2ms"], GOALS, 2).future.result(120)
    assert [one.sample.setting.changes["primary.synchronous_standby_names"] for one in found.best] == ['""']


def test_the_page_waits_for_the_button() -> None:
    """Nothing is searched before it is asked for; the button says how many settings it tries."""
    at = open_page("find", "duration=2s", "warmup=0s")
    (button,) = (each for each in at.button if each.label.startswith("Search "))
    assert int(button.label.split()[1]) >= 2
    assert not at.get("plotly_chart")
