"""Which row is touched: exact probabilities of the popularity law."""

from __future__ import annotations

import numpy as np
import pytest

from replsim.randomness import Streams
from replsim.randomness.keys import KeyDraws
from replsim.scenario.clients import Keys


def _drawn(count: int, zipf: float, n: int, table: int = 2**20, seed: int = 1) -> np.ndarray:
    return KeyDraws(Streams(seed).uniforms("keys"), Keys(count=count, zipf=zipf), table=table).block(n)


@pytest.mark.parametrize("zipf", [0.0, 0.7, 1.0, 1.3])
@pytest.mark.parametrize("table", [4, 64])
def test_frequencies(zipf: float, table: int) -> None:
    """Each key comes as often as its weight says, within the chi-square bound of four standard deviations."""
    count, n = 50, 200_000
    # A table of four keys is far too short for the formula that follows it: its error must still be small.
    keys = _drawn(count, zipf, n, table)
    weights = np.arange(1, count + 1) ** -zipf
    expected = n * weights / weights.sum()
    observed = np.bincount(keys, minlength=count)
    chi = ((observed - expected) ** 2 / expected).sum()
    assert len(observed) == count
    allowed = 2.0 * count if table == 4 else count - 1 + 4 * np.sqrt(2 * (count - 1))
    assert chi < allowed


@pytest.mark.parametrize("zipf", [0.5, 0.999, 1.0, 1.5, 3.0])
def test_rare_keys_match_the_table(zipf: float) -> None:
    """The formula for rare keys gives the keys that a full table would give, but for a few on the very edge."""
    full = _drawn(100_000, zipf, 200_000)
    short = _drawn(100_000, zipf, 200_000, table=10_000)
    assert np.abs(full - short).max() <= 1
    assert np.mean(full != short) < 1e-3


def test_one_by_one_is_block_by_block() -> None:
    """`next` gives the keys that `block` gives, and popular keys have small numbers."""
    law = Keys(count=1000, zipf=1.1)
    single = KeyDraws(Streams(3).uniforms("keys"), law)
    block = KeyDraws(Streams(3).uniforms("keys"), law).block(10_000)
    assert [single.next() for _ in range(10_000)] == block.tolist()
    assert np.median(block) < 50


def test_a_hundred_million_keys_are_bounded_in_memory() -> None:
    """The largest key space is drawn from a table of bounded size, and reaches its last tenth."""
    keys = _drawn(100_000_000, 0.2, 20_000)
    assert keys.max() > 90_000_000
    share = np.mean(keys < 10_000_000)
    expected = 0.1**0.8  # the integral of x ** -0.2
    assert abs(share - expected) < 4 * np.sqrt(expected * (1 - expected) / 20_000)
