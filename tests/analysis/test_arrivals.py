"""When work arrives: rates, dispersion, exact times and determinism."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replsim.randomness import Streams
from replsim.randomness.arrivals import arrivals
from replsim.scenario.clients import Reader
from replsim.units import SECOND

NAME = "reader:web:arrivals"


def _times(until_s: float, seed: int = 1, **fields: Any) -> np.ndarray:
    return arrivals(Streams(seed), NAME, Reader.model_validate(fields), round(until_s * SECOND))


DAY = {"points": [{"at": "0s", "rate": "100/s"}, {"at": "10s", "rate": "1k/s"}, {"at": "15s", "rate": "0/s"}]}
LAWS: list[dict[str, Any]] = [
    {"rate": "700/s"},
    {"rate": "700/s", "arrivals": "deterministic"},
    {"rate": "700/s", "arrivals": {"bursts": {"on": "100ms", "off": {"exponential": {"mean": "300ms"}}}}},
    {"schedule": DAY | {"period": "20s"}},
    {"schedule": DAY | {"period": "20s"}, "arrivals": "deterministic"},
    {"schedule": DAY | {"period": "20s"}, "arrivals": {"bursts": {"on": "1s", "off": "1s"}}},
]


@pytest.mark.parametrize("law", LAWS)
def test_prefix(law: dict[str, Any]) -> None:
    """The same seed gives the same times, in order and in range, and a longer run only adds to them."""
    short, long = _times(17, **law), _times(43.5, **law)
    assert np.array_equal(short, _times(17, **law))
    assert np.array_equal(short, long[long < 17 * SECOND])
    assert len(long) > len(short) > 100
    assert long[0] >= 0
    assert np.all(np.diff(long) >= 0)
    assert long[-1] < 43.5 * SECOND


def test_poisson_rate_and_dispersion() -> None:
    """Poisson counts have mean and variance equal to rate times time, within four standard errors."""
    drawn = _times(2000, rate="50/s")
    counts = np.bincount(drawn // SECOND, minlength=2000)
    assert abs(counts.mean() - 50) < 4 * np.sqrt(50 / 2000)
    dispersion = counts.var(ddof=1) / counts.mean()
    assert abs(dispersion - 1) < 4 * np.sqrt(2 / 2000)
    assert not np.array_equal(drawn, _times(2000, seed=2, rate="50/s"))


def test_poisson_gaps_are_the_streams_draws() -> None:
    """Gap k is the k-th uniform of the stream, turned into an exponential and rounded once."""
    gaps = np.rint(-np.log1p(-Streams(1).uniforms(NAME).block(1000)) * 1e9 / 30).astype(np.int64)
    assert np.array_equal(_times(1000, rate="30/s")[:1000], np.cumsum(gaps))


@given(
    rate=st.sampled_from(["3/s", "7/min", "800/s", "0.3/s", "1k/s", "90000/s", "0.125/s"]),
    until=st.integers(0, 90 * SECOND),
)
@settings(max_examples=60, derandomize=True, deadline=None)
def test_deterministic_times_are_exact(rate: str, until: int) -> None:
    """Arrival k comes at k / rate, rounded once (halves up): fractions give the same times, however long the run."""
    number, period = rate.split("/")
    exact = Fraction(number.replace("k", "000")) / {"s": 1, "min": 60}[period]
    drawn = arrivals(Streams(1), NAME, Reader.model_validate({"rate": rate, "arrivals": "deterministic"}), until)
    ks = {1, 2, 3, len(drawn) // 2, len(drawn), len(drawn) + 1} - {0}
    for k in ks:
        at = int(k * SECOND / exact + Fraction(1, 2))
        assert (k <= len(drawn)) == (at < until)
        if k <= len(drawn):
            assert drawn[k - 1] == at


def test_deterministic_long_run_does_not_overflow() -> None:
    """A rate that is no simple fraction stays within a nanosecond of k / rate for weeks."""
    drawn = _times(3_000_000, rate="0.123457/s", arrivals="deterministic")
    k = len(drawn)
    assert abs(int(drawn[-1]) - k * SECOND / Fraction("0.123457")) <= 1
    assert k == 370_371 - 1  # the last would come exactly at the end


def test_schedule_deterministic_counts() -> None:
    """Arrival k of a schedule comes when the integral of the rate reaches k, here known in closed form."""
    ramp = {"points": [{"at": "0s", "rate": "0/s"}, {"at": "10s", "rate": "100/s"}]}
    drawn = _times(20, schedule=ramp, arrivals="deterministic")
    k = np.arange(1, 1500)
    exact = np.where(k <= 500, np.sqrt(k / 5), 10 + (k - 500) / 100) * 1e9
    assert len(drawn) == 1499  # the 1,500th comes at 20 s, which is the end
    assert np.abs(drawn - exact).max() <= 1


def test_schedule_without_a_rate_has_no_arrivals() -> None:
    """Nothing arrives while the rate is zero, and the integral over a period is exact in every period."""
    cycle = {
        "points": [{"at": t, "rate": r} for t, r in [("0s", "0/s"), ("1s", "60/s"), ("3s", "0/s"), ("4s", "0/s")]],
        "period": "6s",
    }
    drawn = _times(60, schedule=cycle, arrivals="deterministic")
    counts, _ = np.histogram(drawn % (6 * SECOND), bins=np.arange(7) * SECOND)
    assert counts[3:].sum() <= 1  # the 90th arrival of a period comes at its very last moment with a rate
    per_period = np.bincount(drawn // (6 * SECOND))
    assert np.all(np.abs(per_period - 90) <= 1)
    assert abs(len(drawn) - 900) <= 1


def test_schedule_poisson_follows_the_rate() -> None:
    """Counts of a scheduled Poisson process match the integral of the rate in each second."""
    runs = [_times(20, seed=s, schedule=DAY | {"period": "20s"}) for s in range(200)]
    counts = np.array([np.bincount(run // SECOND, minlength=20) for run in runs])
    t = np.arange(21.0)
    rate = np.interp(t, [0, 10, 15, 20], [100, 1000, 0, 100])
    expected = (rate[:-1] + rate[1:]) / 2
    assert np.all(np.abs(counts.mean(axis=0) - expected) < 4.5 * np.sqrt(expected / 200))


def test_bursts() -> None:
    """Arrivals fall into the bursts alone, at the full rate there, and the run starts in a burst."""
    drawn = _times(1000, rate="40/s", arrivals={"bursts": {"on": "2s", "off": "8s"}})
    assert np.all(drawn % (10 * SECOND) <= 2 * SECOND)
    counts = np.bincount(drawn // (10 * SECOND), minlength=100)
    assert abs(counts.mean() - 80) < 4 * np.sqrt(80 / 100)
    everywhere = np.bincount(drawn // SECOND, minlength=1000)
    assert everywhere.var() / everywhere.mean() > 10  # far from Poisson, as asked for


def test_replayed(tmp_path: Any) -> None:
    """Replayed arrivals are the given times in order, and nothing comes after the last."""
    (tmp_path / "arrivals.csv").write_text("at\n0.5\n0.25\n7\n")
    reader = Reader.model_validate(
        {"arrivals": {"replayed": {"file": "arrivals.csv", "unit": "s"}}}, context={"folder": tmp_path}
    )
    assert arrivals(Streams(1), NAME, reader, 5 * SECOND).tolist() == [SECOND // 4, SECOND // 2]
    assert arrivals(Streams(1), NAME, reader, 50 * SECOND).tolist() == [SECOND // 4, SECOND // 2, 7 * SECOND]
