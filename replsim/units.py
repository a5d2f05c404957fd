"""Quantities as people write them, and as the simulator holds them.

========== ===================================== ==================== =======================
type       written                               held as              unit inside
========== ===================================== ==================== =======================
Duration   ``5ms`` ``1.5 s`` ``10min`` ``1d``     ``int``              nanoseconds
Size       ``600 B`` ``8 kB`` ``16MB`` ``1 MiB`` ``int``              bytes
Bandwidth  ``80 MB/s`` ``1 Gbit/s``              ``int``              bytes per second
Rate       ``800/s`` ``1k/s`` ``20/min``         ``float``            per second
Fraction   ``0.01%`` ``0.5``                     ``float``            1 (a pure number)
========== ===================================== ==================== =======================

A bare number for a quantity that has a dimension is an error: ``latency: 5`` could be anything.  Units
are exact: text is read as a decimal and rounded once.  ``kB`` and ``MB`` are powers of ten, ``KiB`` and
``MiB`` powers of two.  (PostgreSQL's own configuration reads ``kB`` as 1024 bytes; replsim does not.)
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from replsim.errors import UnitError

__all__ = [
    "NEVER",
    "SECOND",
    "UNITS",
    "Bandwidth",
    "Duration",
    "Fraction",
    "Rate",
    "Size",
    "format_bandwidth",
    "format_duration",
    "format_fraction",
    "format_rate",
    "format_size",
    "parse_bandwidth",
    "parse_duration",
    "parse_fraction",
    "parse_rate",
    "parse_size",
]

SECOND: Final = 1_000_000_000
"""Nanoseconds in a second: the unit of time inside replsim is the integer nanosecond."""

NEVER: Final = 2**63 - 1
"""The time of what has not happened by the end of a run (the largest int64, so that it sorts last)."""

_DURATIONS: Final = {
    "ns": Decimal(1),
    "us": Decimal(10**3),
    "µs": Decimal(10**3),
    "μs": Decimal(10**3),
    "ms": Decimal(10**6),
    "s": Decimal(10**9),
    "min": Decimal(60 * 10**9),
    "h": Decimal(3600 * 10**9),
    "d": Decimal(86400 * 10**9),
}
_SIZES: Final = {
    "B": Decimal(1),
    "kB": Decimal(10**3),
    "KB": Decimal(10**3),
    "MB": Decimal(10**6),
    "GB": Decimal(10**9),
    "TB": Decimal(10**12),
    "KiB": Decimal(2**10),
    "MiB": Decimal(2**20),
    "GiB": Decimal(2**30),
    "TiB": Decimal(2**40),
}
_BITS: Final = {"bit": 1, "kbit": 10**3, "Mbit": 10**6, "Gbit": 10**9}
_BANDWIDTHS: Final = {f"{unit}/s": factor for unit, factor in _SIZES.items()} | {
    f"{unit}/s": Decimal(bits) / 8 for unit, bits in _BITS.items()
}
_PERIODS: Final = {"s": Decimal(1), "min": Decimal(60), "h": Decimal(3600), "d": Decimal(86400)}
_RATES: Final = {
    f"{prefix}/{period}": factor / seconds
    for prefix, factor in {"": Decimal(1), "k": Decimal(10**3), "M": Decimal(10**6)}.items()
    for period, seconds in _PERIODS.items()
}
_FRACTIONS: Final = {"": Decimal(1), "%": Decimal("0.01")}

UNITS: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "duration": (tuple(_DURATIONS), ("5ms", "1.5 s", "10min")),
    "size": (tuple(_SIZES), ("600 B", "8 kB", "16 MiB")),
    "bandwidth": (tuple(_BANDWIDTHS), ("80 MB/s", "1 Gbit/s")),
    "rate": (tuple(_RATES), ("800/s", "1k/s", "20/min")),
    "fraction": (("%",), ("0.01%", "0.5")),
}
"""The units of each quantity, and examples, for the reference page."""

_QUANTITY: Final = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(.*?)\s*")


def _shown(value: Any) -> str:
    """A value as a scenario file has it."""
    return (
        {True: "true", False: "false", None: "null"}[value] if value is None or isinstance(value, bool) else repr(value)
    )


def _parser(noun: str, units: dict[str, Decimal], example: str, *, bare: bool = False) -> Callable[[Any], Decimal]:
    """A function that reads one kind of quantity, or raises `UnitError` with the mend in its message."""

    def parse(value: Any) -> Decimal:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise UnitError(f"expected a {noun} such as '{example}', got {_shown(value)}")
        match = _QUANTITY.fullmatch(str(value))
        if match is None:
            raise UnitError(f"expected a {noun} such as '{example}', got {value!r}")
        number, unit = match.groups()
        unit = unit.replace(" ", "")
        if not unit and not bare:
            raise UnitError(f"a {noun} needs a unit: write '{example}', not {value!r}")
        if unit not in units:
            known = ", ".join(name for name in units if name)
            raise UnitError(f"{unit!r} is not a unit of {noun} (units: {known})")
        try:
            quantity = Decimal(number) * units[unit]
        except ArithmeticError:
            raise UnitError(f"a {noun} of {value!r} is too large to simulate") from None
        if quantity < 0:
            raise UnitError(f"a {noun} cannot be negative: {value!r}")
        return quantity

    return parse


_duration = _parser("duration", _DURATIONS, "5ms")
_size = _parser("size", _SIZES, "600 B")
_bandwidth = _parser("bandwidth", _BANDWIDTHS, "80 MB/s")
_rate = _parser("rate", _RATES, "800/s")
_fraction = _parser("fraction", _FRACTIONS, "0.01%", bare=True)


def _whole(quantity: Decimal, noun: str, value: object) -> int:
    if quantity >= NEVER:
        raise UnitError(f"a {noun} of {value!r} is too large to simulate")
    return int(quantity.to_integral_value())


def parse_duration(value: Any) -> int:
    """Nanoseconds in ``value``, for example ``'1.5ms'``.

    >>> parse_duration("1.5ms")
    1500000
    """
    return _whole(_duration(value), "duration", value)


def parse_size(value: Any) -> int:
    """Bytes in ``value``, for example ``'8 kB'``."""
    return _whole(_size(value), "size", value)


def parse_bandwidth(value: Any) -> int:
    """Bytes per second in ``value``, for example ``'1 Gbit/s'``; at least one.

    >>> parse_bandwidth("1 Gbit/s")
    125000000
    """
    bandwidth = _whole(_bandwidth(value), "bandwidth", value)
    if bandwidth < 1:
        raise UnitError(f"a bandwidth is at least 1 B/s, got {value!r}")
    return bandwidth


def parse_rate(value: Any) -> float:
    """Events per second in ``value``, for example ``'1k/s'`` or ``'20/min'``."""
    rate = float(_rate(value))
    if rate >= NEVER:
        raise UnitError(f"a rate of {value!r} is too large to simulate")
    return rate


def parse_fraction(value: Any) -> float:
    """A fraction between 0 and 1, for example ``'0.01%'`` or ``0.0001``."""
    fraction = _fraction(value)
    if fraction > 1:
        raise UnitError(f"a fraction lies between 0 and 1 (or 0% and 100%), got {value!r}")
    return float(fraction)


def _shortest_exact(quantity: int, units: dict[str, Decimal]) -> str:
    """``quantity`` in the unit that shows it exactly in the shortest text (of two, the larger unit)."""
    if quantity == 0:
        return f"0 {'s' if 's' in units else next(iter(units))}"
    shown = []
    for unit, factor in sorted(units.items(), key=lambda item: -item[1]):
        scaled = Decimal(quantity) / factor
        if scaled >= 1 and scaled == round(scaled, 3) and scaled * factor == quantity:
            shown.append(f"{scaled.normalize():f} {unit}")
    return min(shown, key=len)


_SHOWN_DURATIONS: Final = {unit: _DURATIONS[unit] for unit in ("ns", "us", "ms", "s", "min", "h", "d")}
_SHOWN_SIZES: Final = {unit: _SIZES[unit] for unit in ("B", "kB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB")}
_SHOWN_BANDWIDTHS: Final = {f"{unit}/s": factor for unit, factor in _SHOWN_SIZES.items()}


def format_duration(nanoseconds: int) -> str:
    """The exact inverse of `parse_duration`.

    >>> format_duration(1_500_000)
    '1.5ms'
    """
    return _shortest_exact(nanoseconds, _SHOWN_DURATIONS).replace(" ", "")


def format_size(size: int) -> str:
    """The exact inverse of `parse_size`."""
    return _shortest_exact(size, _SHOWN_SIZES)


def format_bandwidth(bandwidth: int) -> str:
    """The exact inverse of `parse_bandwidth`."""
    return _shortest_exact(bandwidth, _SHOWN_BANDWIDTHS)


def format_rate(rate: float) -> str:
    """The exact inverse of `parse_rate`."""
    return f"{rate!r}/s".replace(".0/s", "/s")


def format_fraction(fraction: float) -> str:
    """The exact inverse of `parse_fraction`.

    >>> format_fraction(0.0001)
    '0.01%'
    """
    percent = (Decimal(repr(fraction)) * 100).normalize()
    exponent = percent.as_tuple().exponent
    return f"{percent:f}%" if isinstance(exponent, int) and exponent > -10 else f"{percent}%"


def _quantity(
    parse: Callable[[Any], Any], show: Callable[[Any], str], noun: str, example: str, units: dict[str, Decimal]
) -> tuple[Any, ...]:
    """The pydantic annotations of one kind of quantity: read text, write text, and the schema of that text."""
    choices = "|".join(re.escape(unit) for unit in sorted(units, key=len, reverse=True) if unit)
    schema = {
        "type": "string",
        "title": noun.capitalize(),
        "description": f"A {noun} with its unit, such as '{example}'.",
        "pattern": rf"^\s*\+?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?\s*({choices})\s*$",
        "examples": [example],
    }
    return BeforeValidator(parse), PlainSerializer(show), WithJsonSchema(schema)


Duration = Annotated[int, *_quantity(parse_duration, format_duration, "duration", "5ms", _DURATIONS)]
"""A duration in whole nanoseconds."""
Size = Annotated[int, *_quantity(parse_size, format_size, "size", "600 B", _SIZES)]
"""A size in bytes."""
Bandwidth = Annotated[int, *_quantity(parse_bandwidth, format_bandwidth, "bandwidth", "80 MB/s", _BANDWIDTHS)]
"""A bandwidth in bytes per second."""
Rate = Annotated[float, *_quantity(parse_rate, format_rate, "rate", "800/s", _RATES)]
"""A rate in events per second."""
Fraction = Annotated[
    float,
    BeforeValidator(parse_fraction),
    PlainSerializer(format_fraction),
    WithJsonSchema(
        {
            "type": ["string", "number"],
            "title": "Fraction",
            "description": "A fraction: '0.01%' or 0.0001.",
            "pattern": r"^\s*\+?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?\s*%?\s*$",
            "minimum": 0,
            "maximum": 1,
            "examples": ["0.01%"],
        }
    ),
]
"""A pure number between 0 and 1."""
