"""What drives a measure: indices whose truth is known, and knobs that are known to do something or nothing."""

from __future__ import annotations

import numpy as np
import pytest

import replsim
from replsim.errors import StudyError
from replsim.scenario import Scenario
from replsim.study.conduct import Findings
from replsim.study.design import Design, knobs_of
from replsim.study.measures import measure
from replsim.study.sensitivity import _indices, _shares
from replsim.study.settings import Setting
from replsim.study.sweep import Sweep

SPACE = {
    "links.p -> s1.latency": "0.5ms..4ms",
    "links.p -> s2.latency": "8ms..30ms",
    "standbys.s2.replay.per_record": "10us..100us",
}


def known(tiny: Scenario, by: str, samples: int) -> Sweep:
    """A 'sweep' of which the measure is 4a + b + 0c + ab over three knobs between 0 and 1."""
    design = Design(knobs_of(dict.fromkeys("abc", "0..1.0")), _shares(by, 3, samples, 1))  # type: ignore[arg-type]
    assert design.shares is not None
    a, b, _ = design.shares.T
    values = (4 * a + b + a * b)[:, None, None]
    findings = Findings(values, np.ones(values.shape[:2], dtype=bool))
    from pathlib import Path

    return Sweep(Setting(tiny, Path()), design, (1,), (measure("throughput"),), findings)


def test_morris_finds_the_size_of_each_effect(tiny: Scenario) -> None:
    """The mean effect of a on 4a + b + ab is 4.5, of b 1.5, of c nothing; only c has no spread."""
    indices = {index.knob: index for index in _indices("morris", known(tiny, "morris", 256), "throughput")}
    assert list(indices) == ["a", "b", "c"]
    assert indices["a"].total == pytest.approx(4.5, abs=0.1)
    assert indices["b"].total == pytest.approx(1.5, abs=0.1)
    assert (indices["c"].total, indices["c"].spread) == (0, 0)
    assert indices["a"].spread > 0.2


def test_sobol_finds_the_shares_of_the_variance(tiny: Scenario) -> None:
    """By the integrals: Var = 4.5²/12 + 1.5²/12 + 1/144; alone a has 20.25/12, b 2.25/12; c none."""
    indices = {index.knob: index for index in _indices("sobol", known(tiny, "sobol", 512), "throughput")}
    whole = 4.5**2 / 12 + 1.5**2 / 12 + 1 / 144
    assert indices["a"].first == pytest.approx(4.5**2 / 12 / whole, abs=0.02)
    assert indices["b"].first == pytest.approx(1.5**2 / 12 / whole, abs=0.02)
    assert indices["a"].total == pytest.approx((4.5**2 / 12 + 1 / 144) / whole, abs=0.02)
    assert indices["c"].total == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(("by", "samples"), [("morris", 6), ("sobol", 8)])
def test_the_link_that_is_waited_for_drives_the_latency(tiny: Scenario, by: str, samples: int) -> None:
    """Under ANY 1 with one standby always nearer, its link decides; the replay of the other does nothing at all."""
    found = replsim.sensitivity(
        tiny,
        SPACE,
        ["commit_latency.p50", "s2.lag.seconds.mean"],
        by=by,
        samples=samples,
        seeds=1,  # type: ignore[arg-type]
    )
    latency, lag = found.indices["commit_latency.p50"], found.indices["s2.lag.seconds.mean"]
    assert latency[0].knob == "links.p -> s1.latency"
    assert {index.knob for index in latency if index.total == 0} == {*SPACE} - {"links.p -> s1.latency"}
    assert lag[0].knob == "links.p -> s2.latency"
    assert len(found.table) == 6


def test_questions_without_an_answer_are_refused(tiny: Scenario) -> None:
    """One knob, a method that there is not, a number of samples that does not fit."""
    with pytest.raises(StudyError, match="at least two paths"):
        replsim.sensitivity(tiny, {"duration": "1s..2s"}, ["throughput"])
    with pytest.raises(StudyError, match="no method 'guess'"):
        replsim.sensitivity(tiny, SPACE, ["throughput"], by="guess")  # type: ignore[arg-type]
    with pytest.raises(StudyError, match="a power of two"):
        replsim.sensitivity(tiny, SPACE, ["throughput"], by="sobol", samples=10)
