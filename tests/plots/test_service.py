"""What clients felt: a disk that stands still is a silence of that length, and a band over seeds."""

from __future__ import annotations

import numpy as np
import pytest

import replsim
from replsim import plots
from replsim.analysis.service import answered, longest_silence

SCENARIO = """\
name: stands-still
duration: 10s
writers:
  app: {arrivals: deterministic, rate: 100/s}
faults:
  - {at: 4s, for: 2s, stall: p}
"""


@pytest.fixture(scope="module")
def result() -> replsim.Result:
    """A primary whose disk stands still from 4 s to 6 s."""
    return replsim.run(replsim.loads(SCENARIO))


def test_a_disk_that_stands_still_answers_nobody(result: replsim.Result) -> None:
    """From the fault on no commit is answered for as long as the disk stands still."""
    silence = longest_silence(result.facts)
    assert silence.start == pytest.approx(4, abs=0.02)
    assert silence.seconds == pytest.approx(2, abs=0.02)
    rates = answered(result.facts, 10)
    assert rates[:4] == pytest.approx(np.full(4, 100), abs=2)
    assert rates[4] < 5
    assert rates.sum() == pytest.approx(len(result.commits["acknowledged"][result.commits["outcome"] == 0]))


def test_without_a_fault_the_longest_silence_is_a_commit() -> None:
    """Evenly spaced commits on an idle disk: nobody waits longer than one of them takes."""
    calm = replsim.run(replsim.loads(SCENARIO, overrides={"faults": "null"}))
    assert longest_silence(calm.facts).seconds <= calm.metrics["commit_latency.max"] + 1e-9


def test_nobody_waits_where_nobody_works() -> None:
    """Without a commit there is no silence, and the sentence says so."""
    idle = replsim.run(replsim.loads(SCENARIO, overrides={"writers.app.rate": "0.001/s"}))
    assert longest_silence(idle.facts).seconds == 0
    assert plots.felt(idle) == "Nobody waited for an answer."


def test_the_figure_shows_the_gap_and_the_fault(result: replsim.Result) -> None:
    """The line falls to nothing where the fault is shaded; the sentence has the length and the moment."""
    figure = plots.service(result)
    line = figure.data[0]
    dead = (np.asarray(line.x) > 4.2) & (np.asarray(line.x) < 5.8)
    assert not np.asarray(line.y)[dead].any()
    assert any(shape.x0 == pytest.approx(4) for shape in figure.layout.shapes)
    assert plots.felt(result).startswith("The longest time without an answer was 2")


def test_many_seeds_give_a_band_and_a_distribution() -> None:
    """Over seeds there is a band, and the share of seeds rises to one."""
    results = [replsim.run(replsim.loads(SCENARIO), seed=seed) for seed in range(4)]
    assert len(plots.service(results).data) > 1
    curve = plots.silences(results).data[0]
    assert list(curve.y) == [0.25, 0.5, 0.75, 1.0]
    assert (np.diff(curve.x) >= 0).all()
    assert "over 4 seeds" in plots.felt(results)
