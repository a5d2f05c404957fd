"""Quantities: read exactly, refused clearly, and written so that they come back."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replsim import units
from replsim.errors import UnitError

READ: list[tuple[Callable[[Any], Any], str, float]] = [
    (units.parse_duration, "5ms", 5_000_000),
    (units.parse_duration, " 1.5 s ", 1_500_000_000),
    (units.parse_duration, "10min", 600 * 10**9),
    (units.parse_duration, "1d", 86_400 * 10**9),
    (units.parse_duration, "3µs", 3000),
    (units.parse_duration, "3μs", 3000),
    (units.parse_duration, "1e3us", 1_000_000),
    (units.parse_duration, ".5ns", 0),
    (units.parse_duration, "1.5ns", 2),
    (units.parse_size, "600 B", 600),
    (units.parse_size, "8 kB", 8000),
    (units.parse_size, "8 KiB", 8192),
    (units.parse_size, "1 MiB", 1_048_576),
    (units.parse_bandwidth, "80 MB/s", 80_000_000),
    (units.parse_bandwidth, "1 Gbit/s", 125_000_000),
    (units.parse_bandwidth, "80 MB / s", 80_000_000),
    (units.parse_rate, "800/s", 800.0),
    (units.parse_rate, "1k/s", 1000.0),
    (units.parse_rate, "20/min", 1 / 3),
    (units.parse_fraction, "0.01%", 0.0001),
    (units.parse_fraction, 0.25, 0.25),
    (units.parse_fraction, "1", 1.0),
]


@pytest.mark.parametrize(
    ("parse", "text", "value"), READ, ids=lambda value: str(value) if isinstance(value, str) else ""
)
def test_a_quantity_is_read_exactly(parse: Callable[[Any], Any], text: str, value: float) -> None:
    """Text is read as a decimal and rounded once, to what is held inside."""
    assert parse(text) == value


@pytest.mark.parametrize(
    ("parse", "value", "words"),
    [
        (units.parse_duration, "5", "needs a unit: write '5ms', not '5'"),
        (units.parse_duration, 5, "needs a unit: write '5ms', not 5"),
        (units.parse_duration, True, "expected a duration such as '5ms', got true"),
        (units.parse_duration, None, "got null"),
        (units.parse_duration, "5 MB", "'MB' is not a unit of duration"),
        (units.parse_duration, "-5ms", "cannot be negative"),
        (units.parse_duration, "5Ms", "'Ms' is not a unit"),
        (units.parse_duration, "300000d", "too large to simulate"),
        (units.parse_size, "5 mb", "'mb' is not a unit of size"),
        (units.parse_size, "1e40 TB", "too large"),
        (units.parse_bandwidth, "5 MB", "'MB' is not a unit of bandwidth"),
        (units.parse_bandwidth, "0 B/s", "at least 1 B/s"),
        (units.parse_rate, "800", "needs a unit"),
        (units.parse_rate, "1e30/s", "too large"),
        (units.parse_fraction, "101%", "between 0 and 1"),
        (units.parse_fraction, -0.1, "cannot be negative"),
        (units.parse_fraction, float("nan"), "expected a fraction"),
        (units.parse_fraction, float("inf"), "expected a fraction"),
        (units.parse_rate, "٣/s".replace("٣", "x"), "expected a rate"),
    ],
)
def test_what_is_no_such_quantity_is_refused(parse: Callable[[Any], Any], value: Any, words: str) -> None:
    """Each refusal names the quantity and what to write."""
    with pytest.raises(UnitError, match="^.*" + words.replace("(", r"\(")):
        parse(value)


whole = st.integers(min_value=0, max_value=units.NEVER - 1)
fast = settings(derandomize=True, max_examples=500, deadline=None)


@fast
@given(whole)
def test_durations_come_back(value: int) -> None:
    """Every duration is written so that it is read as it was."""
    assert units.parse_duration(units.format_duration(value)) == value


@fast
@given(whole)
def test_sizes_come_back(value: int) -> None:
    """Every size is written so that it is read as it was."""
    assert units.parse_size(units.format_size(value)) == value


@fast
@given(st.integers(min_value=1, max_value=units.NEVER - 1))
def test_bandwidths_come_back(value: int) -> None:
    """Every bandwidth is written so that it is read as it was."""
    assert units.parse_bandwidth(units.format_bandwidth(value)) == value


@fast
@given(st.floats(min_value=0, max_value=1e18))
def test_rates_come_back(value: float) -> None:
    """Every rate is written so that it is read as it was, bit by bit."""
    assert units.parse_rate(units.format_rate(value)) == value


@fast
@given(st.floats(min_value=0, max_value=1))
def test_fractions_come_back(value: float) -> None:
    """Every fraction is written so that it is read as it was, bit by bit."""
    assert units.parse_fraction(units.format_fraction(value)) == value


@fast
@given(
    st.integers(min_value=0, max_value=10**15),
    st.integers(min_value=0, max_value=9),
    st.sampled_from(["us", "ms", "s"]),
)
def test_decimals_are_rounded_once(digits: int, places: int, unit: str) -> None:
    """A decimal is never read through a float: the nanoseconds are its own, rounded half to even."""
    text = f"{Decimal(digits).scaleb(-places):f}"
    exact = Decimal(text) * {"us": 10**3, "ms": 10**6, "s": 10**9}[unit]
    if exact < units.NEVER:
        assert units.parse_duration(text + unit) == int(exact.to_integral_value())


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0s"),
        (1, "1ns"),
        (1500, "1.5us"),
        (60 * 10**9, "60s"),
        (90 * 10**9, "90s"),
        (300 * 10**9, "5min"),
        (3600 * 10**9, "1h"),
    ],
)
def test_durations_are_written_shortly(value: int, text: str) -> None:
    """The unit is the one with the shortest text."""
    assert units.format_duration(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0 B"), (600, "600 B"), (8000, "8 kB"), (8192, "8 KiB"), (1_048_576, "1 MiB"), (1_500_000, "1.5 MB")],
)
def test_sizes_are_written_shortly(value: int, text: str) -> None:
    """Powers of two and of ten are both recognised."""
    assert units.format_size(value) == text
