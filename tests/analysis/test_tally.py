"""Tallies against the values that they count."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replsim.analysis.bins import BINS, EDGES, SMALL
from replsim.analysis.tally import Tally, TallyOfRamps
from replsim.analysis.unmade import Age, Gap
from replsim.analysis.weighted import Ramps, Sample, Steps

values = st.one_of(st.integers(0, 300), st.integers(0, 2**62)).map(int)
STATISTICS = ("mean", "p50", "p99", "max")


def test_bins_follow_one_another_and_are_narrow() -> None:
    """Small numbers have bins of their own; above them each is less than one per cent wide."""
    assert EDGES[: SMALL + 1].tolist() == list(range(SMALL + 1))
    assert len(EDGES) == BINS + 1
    assert EDGES[-1] > 2.0**63
    assert (np.diff(EDGES) > 0).all()
    assert (np.diff(EDGES[SMALL:]) / EDGES[SMALL:-1]).max() < 0.01


@given(st.lists(values, min_size=1, max_size=30), st.integers(0, 30))
@settings(derandomize=True, deadline=None)
def test_a_sample(some: list[int], cut: int) -> None:
    """In two parts, or chosen from a column, it has its mean and largest value, and percentiles to half a per cent."""
    column = np.array(some, dtype=np.int64)
    right = Sample(column).statistics(STATISTICS)
    parts, chosen = Tally(), Tally()
    for part in (Sample(column[:cut]), Sample(column[cut:])):
        parts.add(part)
    chosen.add(Sample(np.repeat(column, 2), rows=np.arange(0, 2 * len(column), 2)))
    assert parts.statistics(STATISTICS) == pytest.approx(right, rel=0.005)
    assert chosen.statistics(STATISTICS) == parts.statistics(STATISTICS)
    assert parts.statistics(("max",)) == {"max": right["max"]}


@given(st.lists(st.tuples(st.integers(0, 10**15), st.integers(1, 10**6)), min_size=1, max_size=30))
@settings(derandomize=True, deadline=None)
def test_a_step_function(pieces: list[tuple[int, int]]) -> None:
    """Each value counts for as long as it holds."""
    steps = Steps(*(np.array(column, dtype=np.int64) for column in zip(*pieces, strict=True)))
    tally = Tally()
    tally.add(steps)
    assert tally.statistics(STATISTICS) == pytest.approx(steps.statistics(STATISTICS), rel=0.005)


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(1, 10**6), st.integers(0, 30)), max_size=20),
    st.integers(0, 20),
    st.integers(1, 40),
)
@settings(derandomize=True, deadline=None)
def test_what_is_not_worked_out(line: list[tuple[int, int, int]], start: int, length: int) -> None:
    """A gap counts as the steps that it stands for, and an age as its ramps."""
    pauses, sizes, delays = np.array(line, dtype=np.int64).reshape(-1, 3).T
    begun, levels, window = pauses.cumsum(), sizes.cumsum(), (start, start + length)
    done = np.maximum.accumulate(begun + delays)
    for gap in (Gap((begun, levels), (done, levels), window), Gap((begun, None), (done, None), window)):
        lazy, made = Tally(), Tally()
        lazy.add(gap)
        made.add(gap.steps)
        assert lazy.statistics(STATISTICS) == pytest.approx(made.statistics(STATISTICS))
    age, lazy_ramps, made_ramps = Age(begun, done, window), TallyOfRamps(10, 100), TallyOfRamps()
    lazy_ramps.add(age)
    made_ramps.add(age.ramps)
    assert lazy_ramps.statistics(STATISTICS) == pytest.approx(made_ramps.statistics(STATISTICS))


def test_peaks() -> None:
    """The highest age in each stretch of a run is noted, in seconds, where it ends."""
    tally = TallyOfRamps(4, 400)
    tally.add(Age(np.array([10, 20, 250]), np.array([60, 90, 400]), (0, 400)))
    assert (tally.peaks * 1e9).round(6).tolist() == [70, 0, 0, 150]


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(1, 10**6)), min_size=1, max_size=30))
@settings(derandomize=True, deadline=None)
def test_a_sawtooth(pieces: list[tuple[int, int]]) -> None:
    """Ramps have the mean and the largest value of the whole, and its percentiles to within a bin."""
    low = np.array([low for low, _ in pieces], dtype=np.int64)
    high = low + np.array([lasts for _, lasts in pieces], dtype=np.int64)
    ramps = Ramps(np.cumsum(high - low), low, high, 1000)
    tally = TallyOfRamps()
    tally.add(ramps)
    assert tally.statistics(STATISTICS) == pytest.approx(ramps.statistics(STATISTICS), rel=0.01, abs=1e-9)
