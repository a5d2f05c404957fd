"""Several settings in one figure, and their difference in words."""

from __future__ import annotations

import numpy as np
import pytest

import replsim
from replsim import plots
from replsim.result import Result

SCENARIO = """\
name: one-near
duration: 3s
primary: {synchronous_standby_names: ANY 1 (s1)}
standbys: {s1: {}}
links:
  p -> s1: {latency: 20ms}
writers:
  app: {rate: 200/s, connections: 60}
readers:
  web: {rate: 200/s, route: s1}
"""


@pytest.fixture(scope="module")
def settings() -> dict[str, list[Result]]:
    """Nobody or the standby must confirm; two seeds each."""
    names = {"nobody": '""', "s1": "ANY 1 (s1)"}
    return {
        label: [
            replsim.run(
                replsim.loads(SCENARIO, overrides={"primary.synchronous_standby_names": rule, "seed": str(seed)})
            )
            for seed in (1, 2)
        ]
        for label, rule in names.items()
    }


def test_each_setting_is_a_curve_from_none_to_all(settings: dict[str, list[Result]]) -> None:
    """A curve rises from 0 to 1, and crosses a half where the setting's median latency is."""
    figure = plots.compare_latency(settings)
    assert [trace.name for trace in figure.data] == list(settings)
    for trace, results in zip(figure.data, settings.values(), strict=True):
        assert (trace.y[0], trace.y[-1]) == (0, 1)
        assert (np.diff(trace.y) >= -1e-6).all()
        median = np.mean([result.metrics["commit_latency.p50"] for result in results])
        half = trace.x[np.searchsorted(trace.y, 0.5)]
        assert half == pytest.approx(median, rel=0.15), "bins are 6 % wide"


def test_the_words_name_the_quickest_and_the_safest(settings: dict[str, list[Result]]) -> None:
    """Where nobody confirms commits are quickest; where the standby does, nothing would be lost."""
    said = plots.compared(settings)
    assert said.startswith("Commits are quickest with nobody (")
    assert said.endswith("the primary's death would lose nothing with s1.")


def test_without_commits_it_says_so() -> None:
    """Settings of which no commit was acknowledged give an empty figure and a sentence, not an error."""
    waits = replsim.loads(SCENARIO, overrides={"primary.synchronous_standby_names": "ANY 2 (s1)"})
    settings = {"waits": replsim.run(waits)}
    assert plots.compared(settings) == "No commit was acknowledged within the measured window."
    assert not plots.compare_latency(settings).data


def test_how_long_half_of_the_commits_take_is_said(settings: dict[str, list[Result]]) -> None:
    """The sentence below the curves has each setting's median: without a wait far below the way there and back."""
    said = plots.compare_latency_reading(settings)
    times = dict(reversed(part.split(" with ")) for part in said.partition("within ")[2].rstrip(".").split(" and "))
    assert times["s1"].endswith(" ms")
    assert 40 < float(times["s1"].split()[0]) < 45
    assert "µs" in times["nobody"]
