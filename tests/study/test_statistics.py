"""Intervals that cover what they say they cover, and pairs that see what independent runs miss."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from replsim.analysis.registry import Kind
from replsim.study.statistics import difference, estimate, variance_ratio

TRIALS = 2_000
Draw = Callable[[np.random.Generator, int], np.ndarray]


def means(random: np.random.Generator, runs: int) -> np.ndarray:
    """Each run's mean of 200 skewed latencies, of mean 1."""
    return random.exponential(1.0, (runs, 200)).mean(axis=1)


def percentiles(random: np.random.Generator, runs: int) -> np.ndarray:
    """Each run's median of 201 normal values around 5."""
    return np.median(random.normal(5.0, 1.0, (runs, 201)), axis=1)


def shares(random: np.random.Generator, runs: int) -> np.ndarray:
    """Each run's share of stale reads, which varies from run to run more than its 500 reads alone would."""
    return random.binomial(500, random.beta(4.0, 36.0, runs)) / 500


def events(random: np.random.Generator, runs: int) -> np.ndarray:
    """Whether each run lost something, with a chance of 0.3."""
    return (random.random(runs) < 0.3).astype(float)


def counts(random: np.random.Generator, runs: int) -> np.ndarray:
    """Each run's number of lost commits, 4 on average."""
    return random.poisson(4.0, runs).astype(float)


def extremes(random: np.random.Generator, runs: int) -> np.ndarray:
    """Each run's largest of 100 exponential latencies."""
    return random.exponential(1.0, (runs, 100)).max(axis=1)


MEDIAN_OF_MAXIMA = -math.log(1 - 0.5 ** (1 / 100))


@pytest.mark.parametrize("runs", [10, 20])
@pytest.mark.parametrize(
    ("kind", "draw", "truth"),
    [
        ("mean", means, 1.0),
        ("percentile", percentiles, 5.0),
        ("proportion", shares, 0.1),
        ("count", counts, 4.0),
        ("extreme", extremes, MEDIAN_OF_MAXIMA),
    ],
)
def test_an_interval_covers_the_truth_as_often_as_it_says(kind: Kind, draw: Draw, truth: float, runs: int) -> None:
    """Of 2,000 nominal 95% intervals of a known quantity, 93 to 97% cover it, for every kind of metric."""
    random = np.random.default_rng(20_261_124)
    covered = 0
    for _ in range(TRIALS):
        found = estimate(draw(random, runs), kind)
        covered += found.low <= truth <= found.high
    assert 0.93 <= covered / TRIALS <= 0.97


@pytest.mark.parametrize("runs", [30, 50, 200])
def test_the_chance_of_an_event_is_covered(runs: int) -> None:
    """Wilson's interval of a chance that is neither rare nor sure covers it 93 to 97% of the time."""
    random = np.random.default_rng(5)
    covered = 0
    for _ in range(TRIALS):
        found = estimate(events(random, runs), "proportion")
        covered += found.low <= 0.3 <= found.high
    assert 0.93 <= covered / TRIALS <= 0.97


def test_none_seen_bounds_the_chance_from_above() -> None:
    """None in n runs: the chance is below 1 - 0.05^(1/n), the largest that shows none with 5%; all in n: above."""
    for runs in (1, 20, 299):
        none, every = estimate(np.zeros(runs), "proportion"), estimate(np.ones(runs), "proportion")
        assert (none.value, none.low, none.method) == (0.0, 0.0, "none seen")
        assert stats.binom.pmf(0, runs, none.high) == pytest.approx(0.05)
        assert (every.value, every.high, every.method) == (1.0, 1.0, "all seen")
        assert every.low == pytest.approx(1 - none.high)
    assert estimate(np.zeros(299), "proportion").high < 0.01 < estimate(np.zeros(298), "proportion").high


def test_a_count_that_was_never_seen_has_a_bound() -> None:
    """No lost commit in n runs: the largest mean of a Poisson count that shows none with 5%."""
    found = estimate(np.zeros(30), "count")
    assert stats.poisson.pmf(0, found.high * 30) == pytest.approx(0.05)


def test_wilson_and_t_are_the_textbooks() -> None:
    """Against SciPy's own intervals: Wilson's for 7 of 20, Student's for a small sample."""
    seven = estimate([1.0] * 7 + [0.0] * 13, "proportion")
    theirs = stats.binomtest(7, 20).proportion_ci(0.95, method="wilson")
    assert (seven.low, seven.high) == pytest.approx((theirs.low, theirs.high))
    values = np.array([2.0, 3.5, 3.0, 4.5])
    low, high = stats.t.interval(0.95, 3, values.mean(), stats.sem(values))
    found = estimate(values, "mean")
    assert (found.low, found.high) == pytest.approx((low, high))


def test_an_interval_of_a_share_stays_within_0_and_1() -> None:
    """Near the edge Student's interval would leave [0, 1]; this one does not."""
    near = estimate([0.0, 0.0, 0.0, 0.01], "proportion")
    assert 0 < near.low < near.value == 0.0025 < near.high < 1


def test_what_is_infinite_is_told_by_the_median() -> None:
    """A delay that two of nine runs did not see end has a median, and an interval whose upper end is not known."""
    found = estimate([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, math.inf, math.inf], "percentile")
    assert (found.value, found.method) == (5.0, "median")
    assert 1 < found.low < 5 < found.high == math.inf


def test_runs_without_a_value_are_counted_and_left_out() -> None:
    """NaN is 'nothing to measure': it is neither zero nor a reason to have no number at all."""
    found = estimate([1.0, math.nan, 3.0], "mean")
    assert (found.value, found.runs, found.missing) == (2.0, 2, 1)
    nothing = estimate([math.nan] * 3, "mean")
    assert math.isnan(nothing.value)
    assert (nothing.runs, nothing.method) == (0, "nothing to measure")


def test_too_few_runs_give_no_interval() -> None:
    """One run has no spread, and the median of five runs no 95% interval; six are enough."""
    assert math.isnan(estimate([1.0], "mean").half_width)
    assert math.isnan(estimate([1.0, 2, 3, 4, 5], "extreme").half_width)
    assert not math.isnan(estimate([1.0, 2, 3, 4, 5, 6], "extreme").half_width)


def test_pairs_find_a_difference_that_independent_runs_miss() -> None:
    """With twenty runs a setting, pairs find a difference of a tenth of the luck's spread; independent runs do not."""
    random = np.random.default_rng(7)
    found, missed = 0, 0
    for _ in range(200):
        luck, other = random.normal(0.0, 1.0, 20), random.normal(0.0, 1.0, 20)
        noise = random.normal(0.0, 0.05, 20)
        before, after, apart = 10 + luck, 10.1 + luck + noise, 10.1 + other + noise
        paired = difference(before, after)
        found += paired.low > 0
        welch = stats.ttest_ind(apart, before, equal_var=False)
        missed += welch.pvalue > 0.05
        assert variance_ratio(before, after) > 100
    assert found > 195
    assert missed > 175


def test_pairing_that_saves_nothing_says_so() -> None:
    """Independent runs have a variance ratio of one; the same runs, of which the difference is exact, of infinity."""
    random = np.random.default_rng(8)
    a, b = random.normal(size=4_000), random.normal(size=4_000)
    assert variance_ratio(a, b) == pytest.approx(1, abs=0.1)
    assert variance_ratio(a, a + 1) == math.inf
    assert math.isnan(variance_ratio(a[:1], b[:1]))
