"""Exact statistics against dumb ones: ranks by sorting, and functions of time by looking every 1/50 of a nanosecond."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replsim.analysis.weighted import PERMILLE, Ramps, Steps, counting, nearest_rank, statistics

FINE = 50


@given(st.lists(st.integers(-5, 40), min_size=1, max_size=60), st.sampled_from(list(PERMILLE.values())))
@settings(derandomize=True, deadline=None)
def test_nearest_rank(values: list[int], permille: int) -> None:
    """The percentile is the value of rank ceil(n · p), counted with exact fractions."""
    rank = ceil(Fraction(permille, 1000) * len(values))
    assert nearest_rank(np.array(values), permille) == sorted(values)[rank - 1]


def test_nearest_rank_does_not_slip_by_rounding() -> None:
    """In 100 values the 99th percentile is the 99th, though 0.99 times 100 is not 99 in floating point."""
    assert nearest_rank(np.arange(1, 101), 990) == 99
    assert nearest_rank(np.arange(1, 1001), 999) == 999


def test_statistics_of_nothing() -> None:
    """Where there is nothing to measure, there is no number."""
    assert all(np.isnan(list(statistics(np.empty(0, dtype=np.int64), ("mean", "p99", "max")).values())))


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(-3, 9)), max_size=25),
    st.integers(0, 30),
    st.integers(31, 70),
)
@settings(derandomize=True, deadline=None)
def test_steps(changes: list[tuple[int, int]], start: int, end: int) -> None:
    """A step function's statistics over a window are those of its values at every nanosecond."""
    times = np.array([time for time, _ in changes], dtype=np.int64)
    by = np.array([change for _, change in changes], dtype=np.int64)
    time, value = counting((times, times[:0]), (by, by[:0]))
    assert np.all(np.diff(time) > 0)
    looked = np.array([by[times <= t].sum() for t in range(start, end)])
    found = Steps.between(time, value, start, end).statistics(("mean", "p50", "p99", "max"))
    assert found == pytest.approx(statistics(looked, ("mean", "p50", "p99", "max")))


def _pieces(draw: list[tuple[int, int, int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pieces one after the other from (gap, length, age at the start)."""
    start, end, origin = [], [], []
    at = 0
    for gap, length, age in draw:
        start.append(at + gap)
        at = at + gap + length
        end.append(at)
        origin.append(start[-1] - age)
    return np.array(start, dtype=np.int64), np.array(end, dtype=np.int64), np.array(origin, dtype=np.int64)


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 12), st.integers(0, 15)), max_size=12),
    st.tuples(st.integers(0, 20), st.integers(21, 90)),
    st.booleans(),
)
@settings(derandomize=True, deadline=None)
def test_ramps(draw: list[tuple[int, int, int]], window: tuple[int, int], zero_outside: bool) -> None:
    """A sawtooth's mean, percentiles and slope are those of many samples of it; its largest value is its supremum."""
    start, end, origin = _pieces(draw)
    ramps = Ramps.of(start, end, origin, window, zero_outside=zero_outside)
    t = window[0] + (np.arange((window[1] - window[0]) * FINE) + 0.5) / FINE
    inside = (t[:, None] >= start) & (t[:, None] < end)
    value = np.where(inside.any(axis=1), (inside * (t[:, None] - origin)).sum(axis=1), 0.0)
    had = value if zero_outside else value[inside.any(axis=1)]
    assert ramps.total * FINE == len(had)
    if not len(had):
        assert np.isnan(ramps.statistics(("mean",))["mean"])
        return
    found = {name: number * 1e9 for name, number in ramps.statistics(("mean", "p50", "p99", "max")).items()}
    assert found["mean"] == pytest.approx(had.mean())
    assert found["max"] == pytest.approx(had.max() if had.max() == 0 else had.max() + 0.5 / FINE)
    for name in ("p50", "p99"):
        # Ranks in whole nanoseconds of time: the sample of that rank lies within a step of the exact value.
        rank = -(-ramps.total * PERMILLE[name] // 1000) * FINE
        exact = np.sort(had)[rank - 1]
        assert found[name] == pytest.approx(exact + 0.5 / FINE if exact > 0 else 0, abs=1.01 / FINE)
    if zero_outside:
        assert ramps.slope(window) == pytest.approx(np.polyfit(t, value, 1)[0], abs=2e-3)


def test_regular_sawtooth() -> None:
    """A lag that rises from 5 to 15 over and over has mean 10 and percentiles in proportion."""
    start = np.arange(0, 1000, 10)
    ramps = Ramps.of(start, start + 10, start - 5, (0, 1000))
    found = {name: round(number * 1e9, 9) for name, number in ramps.statistics(("mean", "p50", "p99", "max")).items()}
    assert found == {"mean": 10.0, "p50": 10.0, "p99": 14.9, "max": 15.0}
    assert abs(ramps.slope((0, 1000))) < 1e-3
