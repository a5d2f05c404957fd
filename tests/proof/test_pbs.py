"""The model of a paper through the ordinary engine."""

from __future__ import annotations

import numpy as np
import pytest

import replsim
from replsim.errors import UnsupportedScenario
from replsim.proof import wars
from replsim.proof.pbs import looks, probability, survival
from replsim.randomness import DurationDistribution


def test_reads_in_the_result_are_as_stale_as_the_looks_say() -> None:
    """A read at a random moment is stale with the chance that it falls into the time before its commit is seen."""
    result = replsim.run(replsim.load("pbs/exponential", overrides={"duration": "100000s"}))
    for quorum in (1, 2, 3):
        late = np.maximum(looks(result.record, f"r{quorum}").late, 0).mean(axis=1) / 10_000  # commits are 10 s apart
        stale = result.metrics[f"r{quorum}.stale_reads.fraction"]
        error = np.hypot(late.std() / len(late) ** 0.5, (stale / result.metrics[f"r{quorum}.reads.count"]) ** 0.5)
        assert abs(stale - late.mean()) <= 4 * error
    assert looks(result.record, "r3").late.max() <= 0, "R + W > N is never stale"


@pytest.mark.parametrize(
    "law",
    [
        {"pareto": {"minimum": "0.235ms", "shape": 10}},
        {"exponential": {"mean": "0.6ms"}},
        {"mixture": [{"weight": 3, "of": {"pareto": {"minimum": "1ms", "shape": 1.5}}}, {"weight": 1, "of": "2ms"}]},
    ],
)
@pytest.mark.parametrize("at", [0.1, 0.3, 1.7, 2.5])
def test_survival_is_the_share_of_draws_above(law: dict[str, object], at: float) -> None:
    """The chance that a draw is above a value is what the distribution's own quantiles say."""
    distribution = DurationDistribution.model_validate(law)
    u = (np.arange(100_000) + 0.5) / 100_000
    chance = survival(distribution, at)
    assert chance == pytest.approx(float(np.mean(distribution.values(u) > at * 1e6)), abs=2e-5)


def test_a_law_that_is_not_worked_out_has_no_survival() -> None:
    """Other families give no control, and the estimate stands on its own."""
    assert survival(DurationDistribution.model_validate({"gamma": {"mean": "1ms", "shape": 2}}), 1.0) is None


def test_commits_that_meet_are_refused() -> None:
    """Where a write holds up the next one, the model does not hold, and the looks say so."""
    record = replsim.run(
        replsim.load("pbs/exponential", overrides={"duration": "50s", "writers.app.rate": "50/s"})
    ).record
    with pytest.raises(UnsupportedScenario, match="make them sparser"):
        looks(record, "r1")


def test_replicas_in_other_places_are_a_constant_farther() -> None:
    """Links with a constant part and readers with ways of their own: the paper's wide-area case can be written."""
    far = "{scipy: {name: expon, args: {loc: 75, scale: 1}, unit: ms}}"
    changes = {
        "duration": "20000s",
        "readers.r1.ways": f"{{s2: {{network: {far}}}, s3: {{network: {far}}}}}",
        **{
            f'links."{here} -> {there}"': "{latency: 75ms, jitter: {exponential: {mean: 1ms}}}"
            for node in ("s2", "s3")
            for here, there in (("p", node), (node, "p"))
        },
    }
    seen = looks(replsim.run(replsim.load("pbs/exponential", overrides=changes)).record, "r1")
    assert seen.delays[:, 1].min() >= 75
    assert seen.read.max() < 75, "the near replica answers first"
    chance = probability(seen, 80.0)
    assert chance.value == pytest.approx(float((seen.late <= 80).mean()), abs=4 * chance.error + 1e-3)


@pytest.mark.slow
def test_exponential_delays_are_as_stale_as_theory_says() -> None:
    """For each rate of the writes, the share fresh at once and the time until 99.9% are."""
    wrong = [finding for finding in wars.exponential() if not finding.held]
    assert not wrong
