"""Series for plots against sums over every nanosecond, and thinned ones against what they are thinned from."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replsim.analysis import series
from replsim.analysis.facts import Facts
from replsim.analysis.lag import LagKind
from replsim.analysis.reads import reads
from replsim.analysis.series import Series, band, decimated, extremes
from replsim.units import NEVER
from tests.analysis.records import DURATION, MIXED, random_record

EDGES = np.array([0, 7, 60, 61, 130, 200, DURATION])
KINDS: tuple[LagKind, ...] = ("seconds", "bytes", "commits")


@given(st.integers(0, 10**6), st.sampled_from(KINDS))
@settings(derandomize=True, deadline=None, max_examples=40)
def test_means_and_extents_of_true_lag(seed: int, kind: LagKind) -> None:
    """The mean and the range of a standby's lag in a stretch of time are those of its values at every nanosecond."""
    record = random_record(seed)
    found = series.lag(Facts(record), "s2", kind)
    insert, apply = record.position("p", "insert"), record.position("s2", "apply")
    inserted = record.commits["inserted"][record.commits["lsn"] < NEVER]
    ends = record.commits["lsn"][record.commits["lsn"] < NEVER]
    exact = []
    for time in range(DURATION):
        missing = [start for start, lsn in zip(inserted, ends, strict=True) if start <= time and lsn > apply.at(time)]
        behind = int(insert.at(time) - apply.at(time))
        exact.append({"seconds": time - min(missing, default=time), "bytes": behind, "commits": len(missing)}[kind])
    values = np.array(exact, dtype=np.float64)
    # Lag in seconds rises within each nanosecond: by a half on average, and by one to its end.
    rising = (values > 0) | np.array([kind == "seconds" and _rises(record, time) for time in range(DURATION)])
    if kind == "seconds":
        middle, top = (values + rising / 2) / 1e9, (values + rising) / 1e9
        values = values / 1e9
    else:
        middle = top = values
    means = found.means(EDGES / 1e9)
    low, high = found.extent(EDGES / 1e9)
    for place, (start, end) in enumerate(pairwise(EDGES)):
        assert means[place] == pytest.approx(middle[start:end].mean(), rel=1e-12, abs=1e-15)
        assert high[place] == pytest.approx(top[start:end].max(), rel=1e-12, abs=1e-15)
        assert low[place] <= values[start:end].min() + 1e-15
    assert found.at(np.array([30.5, 200.5]) / 1e9) == pytest.approx(middle[[30, 200]], rel=1e-12, abs=1e-15)


def _rises(record: object, time: int) -> bool:
    """Whether a commit that is missing at a whole nanosecond was inserted in that very moment."""
    commits, apply = record.commits, record.position("s2", "apply")  # type: ignore[attr-defined]
    return any(
        start == time and lsn > apply.at(time) for start, lsn in zip(commits["inserted"], commits["lsn"], strict=True)
    )


@given(st.integers(0, 10**6), st.sampled_from(["bytes", "commits"]))
@settings(derandomize=True, deadline=None, max_examples=20)
def test_lag_as_the_primary_knows_it(seed: int, kind: Literal["bytes", "commits"]) -> None:
    """In bytes and commits it is the primary's insert position less the last apply position that was reported."""
    record = random_record(seed)
    found = series.measured(Facts(record), "s1", kind)
    replies, insert = record.replies["s1"], record.position("p", "insert")
    inserted = record.commits["inserted"][record.commits["lsn"] < NEVER]
    ends = record.commits["lsn"][record.commits["lsn"] < NEVER]
    for time in range(0, DURATION, 7):
        known = max((lsn for at, lsn in zip(replies.time, replies.apply, strict=True) if at <= time), default=0)
        expected = insert.at(time) - known if kind == "bytes" else np.count_nonzero((inserted <= time) & (ends > known))
        assert found.at(np.array([time / 1e9]))[0] == expected


def test_no_value_is_neither_zero_nor_counted() -> None:
    """A mean is over the time that has a value; a stretch without any has none, and NULLs hide no extreme."""
    found = Series(np.array([0.0, 1.0, 2.0, 4.0]), np.array([2.0, np.nan, 6.0, np.nan]), steps=True)
    edges = np.array([0.0, 3.0, 4.0, 5.0])
    assert found.means(edges).tolist()[:2] == [pytest.approx((2 + 6) / 2), 6]
    assert np.isnan(found.means(edges)[2])
    low, high = found.extent(edges)
    assert (low[0], high[0]) == (2, 6)


@given(st.integers(0, 10**6), st.sampled_from(["node", "reader"]), st.booleans())
@settings(derandomize=True, deadline=None, max_examples=20)
def test_stale_shares_are_counted_reads(seed: int, by: str, own_row: bool) -> None:
    """The share of stale reads in a stretch of time is that of counting them one by one."""
    facts = Facts(random_record(seed, MIXED))
    table = reads(facts.record)
    found = series.stale_shares(facts, by, own_row=own_row, stretches=6)
    width = DURATION / 6
    for code, name in enumerate(table.words[by]):
        rows = [
            (int(table["time"][i] // width), int(table["key_versions" if own_row else "versions"][i]) > 0)
            for i in range(len(table))
            if table[by][i] == code and (not own_row or table["key"][i] >= 0)
        ]
        if not rows:
            assert name not in found
            continue
        for place in range(6):
            mine = [stale for stretch, stale in rows if stretch == place]
            assert found[name].count[place] == len(mine)
            share = found[name].stale[place]
            assert np.isnan(share) if not mine else share == sum(mine) / len(mine)


def test_a_band_is_the_range_and_the_median() -> None:
    """At each place: the smallest, the middle and the largest of the runs that have a value there."""
    nan = np.nan
    found = band([np.array([1.0, nan, nan]), np.array([5.0, 2.0, nan]), np.array([2.0, 4.0, nan])])
    assert found.low.tolist()[:2] == [1, 2]
    assert found.middle.tolist()[:2] == [2, 3]
    assert found.high.tolist()[:2] == [5, 4]
    assert np.isnan([found.low[2], found.middle[2], found.high[2]]).all()


@given(st.integers(0, 10**6), st.integers(50, 400))
@settings(derandomize=True, deadline=None, max_examples=30)
def test_what_is_thinned_keeps_spikes_and_what_holds(seed: int, points: int) -> None:
    """A thinned series has at most so many points, all of them its own; each stretch keeps its ends and extremes."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 3000))
    time, value = np.sort(rng.random(count) ** 3), rng.standard_normal(count) ** 3
    kept_time, kept_value = decimated(time, value, points)
    assert len(kept_time) <= max(points, 4)
    assert set(zip(kept_time, kept_value, strict=True)) <= set(zip(time, value, strict=True))
    assert (kept_time[0], kept_time[-1]) == (time[0], time[-1])
    assert (kept_value.min(), kept_value.max()) == (value.min(), value.max())
    if count > points:
        stretches = points // 4
        place = np.minimum((time - time[0]) / ((time[-1] - time[0]) / stretches), stretches - 1).astype(int)
        for stretch in np.unique(place):
            mine = np.flatnonzero(place == stretch)
            assert {value[mine].min(), value[mine].max(), value[mine[0]], value[mine[-1]]} <= set(kept_value)
        assert len(extremes(time, value, points)) <= points
