"""Named streams: the same luck for the same name and seed, whatever else there is."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from replsim.randomness import DurationDistribution, Streams
from replsim.randomness.streams import BLOCK

LATENCY = DurationDistribution.model_validate({"lognormal": {"median": "1ms", "p99": "5ms"}})
SEQUENCE = DurationDistribution.model_validate(
    {"empirical": {"samples": ["1ms", "2ms", "3ms", "4ms", "5ms"], "order": "sequence"}}
)
MIXTURE = DurationDistribution.model_validate(
    {"mixture": [{"weight": 1, "of": "1ms"}, {"weight": 1, "of": {"exponential": {"mean": "9ms"}}}]}
)
NESTED = DurationDistribution.model_validate(
    {"mixture": [{"weight": 1, "of": SEQUENCE}, {"weight": 1, "of": MIXTURE}, {"weight": 1, "of": "8ms"}]}
)
CONSTANT = DurationDistribution.model_validate("7ms")
ALL = {"lognormal": LATENCY, "sequence": SEQUENCE, "mixture": MIXTURE, "nested": NESTED, "constant": CONSTANT}

fast = settings(derandomize=True, max_examples=60, deadline=None)


@pytest.mark.parametrize("kind", ALL)
@fast
@given(st.lists(st.integers(1, 700), min_size=1, max_size=8))
def test_a_draw_does_not_depend_on_block_sizes(kind: str, sizes: list[int]) -> None:
    """The k-th draw is the k-th draw, in one block or in many."""
    whole = Streams(1).draws("disk:p", ALL[kind]).block(sum(sizes))
    draws = Streams(1).draws("disk:p", ALL[kind])
    np.testing.assert_array_equal(np.concatenate([draws.block(size) for size in sizes]), whole)


@pytest.mark.parametrize("kind", ALL)
def test_one_by_one_and_in_blocks_are_the_same_draws(kind: str) -> None:
    """The event engine's next draw and an array engine's block agree, past the end of a block."""
    count = 2 * BLOCK + 10
    draws = Streams(3).draws("disk:p", ALL[kind])
    assert [draws.next() for _ in range(count)] == Streams(3).draws("disk:p", ALL[kind]).block(count).tolist()


@fast
@given(st.lists(st.text(min_size=1, max_size=10), max_size=6, unique=True), st.integers(0, 2**63 - 1))
def test_a_draw_does_not_depend_on_other_streams(others: list[str], seed: int) -> None:
    """Streams that are made before it, and drawn from, shift nothing."""
    alone = Streams(seed).draws("disk:p", LATENCY).block(20)
    streams = Streams(seed)
    for name in others:
        streams.draws(f"other:{name}", LATENCY).block(7)
    np.testing.assert_array_equal(streams.draws("disk:p", LATENCY).block(20), alone)


def test_names_and_seeds_have_luck_of_their_own() -> None:
    """Another name or another seed draws something else, without correlation."""
    first = Streams(1).uniforms("a").block(4000)
    for other in (Streams(1).uniforms("b").block(4000), Streams(2).uniforms("a").block(4000)):
        assert abs(np.corrcoef(first, other)[0, 1]) < 0.06


def test_the_luck_is_pinned() -> None:
    """The same name and seed draw these very numbers on every machine, so a recorded hash stays true."""
    assert Streams(42).draws(
        "disk:p", DurationDistribution.model_validate({"uniform": {"low": "0s", "high": "1s"}})
    ).block(3).tolist() == [644425083, 703123113, 711801199]


def test_two_settings_share_their_luck() -> None:
    """One uniform a draw: with the same seed, a slower device is slower in every single draw, in the same places."""
    slower = DurationDistribution.model_validate({"lognormal": {"median": "2ms", "p99": "10ms"}})
    fast_draws, slow_draws = (Streams(5).draws("disk:p", each).block(500) for each in (LATENCY, slower))
    np.testing.assert_allclose(slow_draws, 2 * fast_draws, rtol=0, atol=2)


def test_a_mixture_takes_one_uniform_a_draw() -> None:
    """Where a mixture chose its exponential part, the constant part would have taken the same uniform."""
    uniforms = Streams(5).uniforms("disk:p").block(500)
    drawn = Streams(5).draws("disk:p", MIXTURE).block(500)
    np.testing.assert_array_equal(drawn == 1_000_000, uniforms < 0.5)


def test_uniforms_are_uniform_and_open() -> None:
    """Never 0, where an inverse cdf may be infinite; and otherwise as uniform as the generator."""
    uniforms = Streams(9).uniforms("a").block(100_000)
    assert uniforms.min() > 0
    assert uniforms.max() < 1
    assert stats.kstest(uniforms, "uniform").pvalue > 0.001


def test_draws_have_their_distribution() -> None:
    """Integer draws follow the family that they are drawn from."""
    sigma = np.log(5) / 2.3263478740408408
    drawn = Streams(9).draws("a", LATENCY).block(20_000)
    assert drawn.dtype == np.int64
    assert stats.kstest(drawn, stats.lognorm(sigma, scale=1e6).cdf).pvalue > 0.001


def test_samples_at_random_keep_their_shares() -> None:
    """Samples at random come as often as they stand in the list."""
    coin = DurationDistribution.model_validate({"empirical": {"samples": ["1ms", "1ms", "1ms", "9ms"]}})
    share = float(np.mean(Streams(9).draws("a", coin).block(40_000) == 1_000_000))
    assert share == pytest.approx(0.75, abs=0.01)


def test_a_sequence_starts_where_the_seed_says() -> None:
    """Different seeds start at different places of the same sequence, which then goes on in order."""
    starts = set()
    for seed in range(30):
        drawn = Streams(seed).draws("disk:p", SEQUENCE).block(7) // 1_000_000
        assert ((drawn[1:] - drawn[:-1]) % 5 == 1).all()
        starts.add(int(drawn[0]))
    assert starts == {1, 2, 3, 4, 5}


def test_an_endless_tail_ends_where_time_does() -> None:
    """A draw beyond all time is cut, and still an integer."""
    heavy = DurationDistribution.model_validate({"pareto": {"minimum": "1d", "shape": 0.01}})
    assert Streams(1).draws("a", heavy).block(1000).max() == 2**61


def test_a_held_value_changes_with_time_alone() -> None:
    """Window k of simulated time takes draw k, however often it is asked."""
    draws = list(islice(iter(Streams(1).draws("link", LATENCY).next, None), 5))
    held = Streams(1).held("link", LATENCY, 10)
    assert [held.at(time) for time in (0, 9, 10, 39, 49)] == [draws[0], draws[0], draws[1], draws[3], draws[4]]


def test_a_name_is_taken_once() -> None:
    """Two users of one stream would each see only a part of its draws."""
    streams = Streams(1)
    streams.uniforms("a")
    with pytest.raises(AssertionError, match="two streams share a key"):
        streams.uniforms("a")
