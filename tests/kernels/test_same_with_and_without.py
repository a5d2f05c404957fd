"""What is compiled gives what NumPy gives, and both give what a dumb loop does."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import replsim.analysis.lagtracker
import replsim.analysis.loss
import replsim.analysis.unmade
import replsim.analysis.weighted
import replsim.kernels.places
import replsim.kernels.steps
from replsim.analysis.lagtracker import lags, shown
from replsim.analysis.loss import loss_if_primary_dies
from replsim.analysis.unmade import Age
from replsim.kernels.places import grouped, looked_up, plain, ranks, union
from replsim.kernels.steps import differences, gaps, held, weighted_quantiles
from tests.analysis.records import random_record

Ints = NDArray[np.int64]

HOMES = (
    replsim.kernels.places,
    replsim.kernels.steps,
    replsim.analysis.lagtracker,
    replsim.analysis.loss,
    replsim.analysis.unmade,
    replsim.analysis.weighted,
)
NEVER = 2**63 - 1
KNOWN: dict[str, object] = {}
"""What was found the other way."""

times = st.lists(st.one_of(st.integers(0, 30), st.integers(0, 10**12), st.just(NEVER)), max_size=40)


@pytest.fixture(params=[True, False], ids=["compiled", "numpy"], scope="module", autouse=True)
def way(request: pytest.FixtureRequest) -> Iterator[None]:
    """Each test runs twice: with compiled loops, and without."""
    with pytest.MonkeyPatch.context() as patch:
        for home in HOMES:
            patch.setattr(home, "worth_compiling", lambda _: request.param)
        yield


def ints(values: list[int]) -> Ints:
    """A column."""
    return np.array(values, dtype=np.int64)


@given(times, times, st.booleans())
@settings(derandomize=True, deadline=None)
def test_ranks(known: list[int], asked: list[int], in_order: bool) -> None:
    """The rank of a question is what bisection finds, whatever the order of questions."""
    known, asked = sorted(known), sorted(asked) if in_order else asked
    assert ranks(ints(known), ints(asked), "left").tolist() == [bisect_left(known, each) for each in asked]
    assert ranks(ints(known), ints(asked), "right").tolist() == [bisect_right(known, each) for each in asked]


@given(times, times)
@settings(derandomize=True, deadline=None)
def test_looked_up(known: list[int], asked: list[int]) -> None:
    """A position at a moment is that of the last step by then, and the time of a position that of the first beyond."""
    known = sorted(known)
    values = [10 * n for n in range(1, len(known) + 1)]
    at = looked_up(ints(known), ints(values), ints(asked), "right", back=1, outside=-7)
    assert at.tolist() == [10 * bisect_right(known, each) or -7 for each in asked]
    first = looked_up(ints(known), ints(values), ints(asked), "left", back=0, outside=-7)
    assert first.tolist() == [(*values, -7)[bisect_left(known, each)] for each in asked]


@given(times, times)
@settings(derandomize=True, deadline=None)
def test_union(one: list[int], two: list[int]) -> None:
    """A union holds what either holds, once and in order."""
    assert union(ints(sorted(one)), ints(sorted(two))).tolist() == sorted({*one, *two})


steps = st.lists(st.tuples(st.integers(0, 20), st.integers(-5, 9)), max_size=30).map(sorted)


@given(steps, steps)
@settings(derandomize=True, deadline=None)
def test_differences(one: list[tuple[int, int]], two: list[tuple[int, int]]) -> None:
    """A difference has a step at each time at which either has one, and is right from then on."""
    columns = [ints([step[place] for step in each]) for each in (one, two) for place in (0, 1)]
    found, values = differences(*columns)
    assert found.tolist() == sorted({time for time, _ in (*one, *two)})
    for moment, value in zip(found.tolist(), values.tolist(), strict=True):
        levels = [([0] + [level for time, level in each if time <= moment])[-1] for each in (one, two)]
        assert value == levels[0] - levels[1]


@given(steps, st.integers(0, 20), st.integers(0, 20))
@settings(derandomize=True, deadline=None)
def test_held(some: list[tuple[int, int]], start: int, length: int) -> None:
    """What a step function was over a stretch is what it was at each moment of it."""
    columns = [ints([step[place] for step in some]) for place in (0, 1)]
    values, weights = held(columns[0], columns[1], start, start + length, -3)
    assert (weights > 0).all()
    each = [([-3] + [value for time, value in some if time <= moment])[-1] for moment in range(start, start + length)]
    assert np.repeat(values, weights).tolist() == each


@given(steps, steps, st.integers(0, 20), st.integers(0, 20))
@settings(derandomize=True, deadline=None)
def test_gaps(one: list[tuple[int, int]], two: list[tuple[int, int]], start: int, length: int) -> None:
    """What one step function is above another over a stretch is their difference at each moment of it."""
    columns = [ints([step[place] for step in each]) for each in (one, two) for place in (0, 1)]
    values, weights = gaps(*columns, start, start + length)
    assert (weights > 0).all()
    levels = [
        [([0] + [level for time, level in each if time <= moment])[-1] for moment in range(start, start + length)]
        for each in (one, two)
    ]
    assert np.repeat(values, weights).tolist() == [up - down for up, down in zip(*levels, strict=True)]


@given(st.lists(st.integers(0, 4), max_size=40))
@settings(derandomize=True, deadline=None)
def test_grouped(labels: list[int]) -> None:
    """Each label has its places, in order."""
    found = [places.tolist() for places in grouped(np.array(labels, dtype=np.int16), 5)]
    assert found == [[place for place, each in enumerate(labels) if each == label] for label in range(5)]


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 9)), max_size=20), st.integers(0, 15), st.integers(0, 40))
@settings(derandomize=True, deadline=None)
def test_the_age_of_the_first_in_line(line: list[tuple[int, int]], start: int, length: int) -> None:
    """At each moment it is the age of the first of those that have begun and are not done."""
    origin = ints(sorted(begun for begun, _ in line))
    end = np.maximum.accumulate(origin + ints([lasts for _, lasts in line])) if line else origin
    age = Age(origin, end, (start, start + length))
    ramps = age.ramps
    ages = []
    for moment in range(start, start + length):
        waiting = [begun for begun, done in zip(origin.tolist(), end.tolist(), strict=True) if begun <= moment < done]
        ages += [moment - waiting[0]] if waiting else []
    pieces = [range(low, high) for low, high in zip(ramps.low.tolist(), ramps.high.tolist(), strict=True)]
    assert [age for piece in pieces for age in piece] == ages
    assert ramps.zero == length - len(ages)
    assert age.covered == len(ages)
    if length:
        assert age.slope((start, start + length)) == ramps.slope((start, start + length))


def test_losses() -> None:
    """What would be lost is the same to the last bit."""
    found = [loss_if_primary_dies(random_record(seed), node) for seed in range(20) for node in ("s1", None)]
    known = KNOWN.setdefault("losses", found)
    assert found == known


@given(
    st.lists(st.tuples(st.one_of(st.integers(0, 5), st.integers(-(10**12), 10**15)), st.integers(1, 9)), min_size=1),
    st.lists(st.integers(1, 1000), min_size=1, max_size=4),
)
@settings(derandomize=True, deadline=None)
def test_weighted_quantiles(some: list[tuple[int, int]], permilles: list[int]) -> None:
    """A weighted quantile is that of values as often as they weigh."""
    value, weight = (ints([each[place] for each in some]) for place in (0, 1))
    every = sorted(np.repeat(value, weight).tolist())
    targets = [-(-len(every) * permille // 1000) for permille in permilles]
    assert weighted_quantiles(value, weight, targets) == [every[target - 1] for target in targets]


def test_the_lag_tracker() -> None:
    """A reply that reads a note, one between two notes, and one after which nothing is ahead."""
    notes = ints([10, 20, 30]), ints([100, 200, 300])
    time = ints([12, 24, 33, 40, 50])
    positions = ints([50, 100, 150, 300, 300])
    found = lags(notes, time, (positions, positions, positions))[0]
    assert found.tolist() == [2, 14, 18, 10, -1]
    assert shown(found, np.array([False, False, False, True, True])).tolist() == [2, 14, 18, 10, -1]


def test_plain_columns() -> None:
    """A column of another kind, with gaps, or that cannot be written to becomes one of int64 that can."""
    column = np.arange(10, dtype=np.int64)
    assert plain(column) is column
    for other in (column.astype(np.int16), column[::2], np.broadcast_to(np.int64(3), 5)):
        made = plain(other)
        assert made.tolist() == other.tolist()
        assert (made.dtype, made.flags.c_contiguous, made.flags.writeable) == (np.int64, True, True)
