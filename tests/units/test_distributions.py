"""Distributions: each family against scipy.stats, mixtures, samples, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy import stats

from replsim.errors import UnitError
from replsim.randomness import Distribution, DurationDistribution, SizeDistribution
from replsim.randomness.families import Z99

MS = 1e6
U = np.array([1e-12, 1e-6, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 1 - 1e-9])

SIGMA = np.log(4.0 / 0.6) / Z99

FAMILIES: dict[str, tuple[Any, Any]] = {
    "uniform": ({"uniform": {"low": "1ms", "high": "3ms"}}, stats.uniform(1 * MS, 2 * MS)),
    "exponential": ({"exponential": {"mean": "2ms"}}, stats.expon(scale=2 * MS)),
    "normal": ({"normal": {"mean": "1ms", "sd": "2ms"}}, stats.truncnorm(-0.5, np.inf, loc=1 * MS, scale=2 * MS)),
    "lognormal": ({"lognormal": {"median": "0.6ms", "p99": "4ms"}}, stats.lognorm(SIGMA, scale=0.6 * MS)),
    "gamma": ({"gamma": {"mean": "4ms", "shape": 2.5}}, stats.gamma(2.5, scale=4 * MS / 2.5)),
    "weibull": ({"weibull": {"scale": "1ms", "shape": 0.7}}, stats.weibull_min(0.7, scale=1 * MS)),
    "pareto": ({"pareto": {"minimum": "1ms", "shape": 2.5}}, stats.pareto(2.5, scale=1 * MS)),
    "scipy": ({"scipy": {"name": "invgauss", "args": {"mu": 0.5}, "unit": "ms"}}, stats.invgauss(0.5, scale=MS)),
}


def made(value: Any) -> Distribution[int]:
    """A distribution of durations as a file gives it."""
    return DurationDistribution.model_validate(value)


def test_an_exponential_one_has_a_short_name() -> None:
    """``exponential 2ms`` is the one of that mean; what is no duration after it is said so."""
    assert made("exponential 2ms") == made({"exponential": {"mean": "2ms"}})
    with pytest.raises(ValueError, match="bananas"):
        made("exponential 2 bananas")


@pytest.mark.parametrize("family", FAMILIES)
def test_quantiles_are_those_of_scipy(family: str) -> None:
    """The inverse cdf of each family agrees with an implementation that is not ours."""
    written, reference = FAMILIES[family]
    np.testing.assert_allclose(made(written).values(U), reference.ppf(U), rtol=1e-7, atol=1e-3)


@pytest.mark.parametrize("family", FAMILIES)
def test_means_are_those_of_scipy(family: str) -> None:
    """So does the mean."""
    written, reference = FAMILIES[family]
    assert made(written).mean == pytest.approx(reference.mean(), rel=1e-9)


def test_every_family_has_a_reference() -> None:
    """No family is without its comparison; constants, samples and mixtures have tests of their own."""
    assert set(DurationDistribution.model_fields) == {*FAMILIES, "constant", "empirical", "mixture"}


def test_a_bare_quantity_is_constant() -> None:
    """``5ms`` is short for ``{constant: 5ms}``, and is written so again."""
    assert made("5ms") == made({"constant": "5ms"})
    assert made("5ms").model_dump() == "5ms"
    assert made("5ms").values(U).tolist() == [5 * MS] * len(U)


def test_a_lognormal_has_its_median_and_p99() -> None:
    """The parameters are the percentiles that they say."""
    values = made({"lognormal": {"median": "1ms", "p99": "7ms"}}).values(np.array([0.5, 0.99]))
    np.testing.assert_allclose(values, [1 * MS, 7 * MS])


def test_a_pareto_of_shape_one_has_no_mean() -> None:
    """The mean is infinite, not a number that depends on luck."""
    assert made({"pareto": {"minimum": "1ms", "shape": 1}}).mean == float("inf")


def test_a_mixture_draws_its_parts_by_weight() -> None:
    """One uniform chooses the part, and what is left of it draws from there."""
    mixture = made(
        {"mixture": [{"weight": 3, "of": {"uniform": {"low": "0ms", "high": "3ms"}}}, {"weight": 1, "of": "9ms"}]}
    )
    np.testing.assert_allclose(mixture.values(np.array([0.25, 0.5, 0.76, 0.99])), [1 * MS, 2 * MS, 9 * MS, 9 * MS])
    assert mixture.mean == pytest.approx((3 * 1.5 + 9) / 4 * MS)


def test_a_mixture_within_a_mixture() -> None:
    """Parts are distributions again."""
    inner = {"mixture": [{"weight": 1, "of": "1ms"}, {"weight": 1, "of": "2ms"}]}
    outer = made({"mixture": [{"weight": 1, "of": inner}, {"weight": 1, "of": "3ms"}]})
    assert outer.values(np.array([0.1, 0.3, 0.6])).tolist() == [1 * MS, 2 * MS, 3 * MS]


def test_the_ends_of_a_mixture_are_finite() -> None:
    """The uniforms nearest to 0 and 1 still give a number from each unbounded part."""
    mixture = made({"mixture": [{"weight": 1, "of": {"exponential": {"mean": "1ms"}}}] * 3})
    assert np.isfinite(mixture.values(np.array([2.0**-54, 1 / 3, 2 / 3, 1 - 2.0**-53]))).all()


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.sampled_from(sorted(FAMILIES)), st.lists(st.floats(1e-9, 1 - 1e-9), min_size=2, max_size=20))
def test_quantiles_rise(family: str, uniforms: list[float]) -> None:
    """Inverse transform: a larger uniform never draws a smaller value, so runs with one seed share their luck."""
    drawn = made(FAMILIES[family][0]).values(np.sort(np.array(uniforms)))
    assert (np.diff(drawn) >= 0).all()
    assert (drawn >= 0).all()


def test_samples_at_random_have_their_frequencies() -> None:
    """Each sample has an equal share of the uniforms, in order of size."""
    samples = made({"empirical": {"samples": ["4ms", "1ms", "2ms", "3ms"]}})
    assert samples.values(np.array([0.1, 0.3, 0.6, 0.9])).tolist() == [1 * MS, 2 * MS, 3 * MS, 4 * MS]
    assert samples.mean == 2.5 * MS


def test_samples_in_sequence_follow_each_other() -> None:
    """A sequence starts where its phase says, goes on from draw to draw, and begins again at the end."""
    samples = made({"empirical": {"samples": ["4ms", "1ms", "2ms", "3ms"], "order": "sequence"}})
    drawn = samples.values(np.full(6, 0.5), first=1, phase=0.25)
    assert drawn.tolist() == [2 * MS, 3 * MS, 4 * MS, 1 * MS, 2 * MS, 3 * MS]


def test_a_frozen_scipy_distribution_is_taken_with_its_unit() -> None:
    """From Python, any frozen continuous distribution of scipy.stats will do."""
    frozen = stats.gamma(2.0, scale=3.0)
    distribution = DurationDistribution.of(frozen, unit="ms")
    np.testing.assert_allclose(distribution.values(U), frozen.ppf(U) * MS)
    assert made(distribution.model_dump()) == distribution


def test_a_frozen_scipy_distribution_without_a_unit_is_refused() -> None:
    """Its numbers could be anything."""
    with pytest.raises(ValidationError, match="distribution needs a unit"):
        made(stats.gamma(2.0))


def test_what_is_not_a_frozen_distribution_is_refused() -> None:
    """`of` takes frozen distributions only."""
    with pytest.raises(UnitError, match="distribution, got 5"):
        DurationDistribution.of(5, unit="ms")


def test_sizes_are_drawn_in_bytes() -> None:
    """A distribution of sizes reads sizes, and refuses durations."""
    assert SizeDistribution.model_validate({"exponential": {"mean": "8 kB"}}).mean == 8000
    with pytest.raises(ValidationError, match="'ms' is not a unit of size"):
        SizeDistribution.model_validate("8ms")


def test_equal_distributions_are_equal_values() -> None:
    """Distributions compare by what they say, samples included."""
    one, other = (made({"empirical": {"samples": samples}}) for samples in (["1ms", "2ms"], ["1ms", "3ms"]))
    assert one == made({"empirical": {"samples": ["1ms", "2ms"]}})
    assert one != other
