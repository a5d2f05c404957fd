"""A knob: a path of the scenario and the values that a study gives it, as a list or as a range.

===================== =========================================================================
``off,local,on``      these values (a comma within brackets or quotes is part of a value)
``1ms..50ms:6``       six values from 1 ms to 50 ms, evenly spaced
``1ms..50ms:6:log``   six values, each larger than the one before by the same factor
``1ms..50ms``         anything between, for designs that choose the points themselves
``1ms..50ms:log``     the same, evenly over the powers
===================== =========================================================================
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from replsim import units
from replsim.errors import StudyError, UnitError
from replsim.units import SECOND

__all__ = ["Given", "Knob", "Span", "amounts", "read", "text_of"]

Given = str | int | float | bool | Sequence[Any]
"""Values as they are given: the text of a list or a range, one value, or a sequence of values."""

_RANGE: Final = re.compile(r"\s*(\S.*?)\s*\.\.\s*(\S.*?)\s*?(?::(\d+))?(:log)?\s*")
_NUMBER: Final = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(.*)")
_DIGITS: Final = 4
"""Significant digits of a value that a range makes: 2.187ms rather than 2.1867241ms."""

_WAYS: Final[dict[str, tuple[Callable[[Any], float], Callable[[Any], str], bool]]] = {
    "duration": (units.parse_duration, units.format_duration, True),
    "size": (units.parse_size, units.format_size, True),
    "bandwidth": (units.parse_bandwidth, units.format_bandwidth, True),
    "rate": (units.parse_rate, units.format_rate, False),
    "fraction": (units.parse_fraction, units.format_fraction, False),
}
"""How each quantity is read and written, and whether it is whole inside."""


@dataclass(frozen=True, slots=True)
class Span:
    """Everything between two quantities of one kind."""

    low: float
    high: float
    kind: str
    """``duration``, ``size``, ``bandwidth``, ``rate``, ``fraction``, ``number`` or ``whole number``."""
    log: bool

    def at(self, share: float) -> str:
        """The value at a share (0 to 1) of the way, as a scenario has it."""
        between = self.low * (self.high / self.low) ** share if self.log else self.low + (self.high - self.low) * share
        value = self.low if share == 0 else self.high if share == 1 else float(f"{between:.{_DIGITS}g}")
        if self.kind in _WAYS:
            _, show, whole = _WAYS[self.kind]
            return show(round(value) if whole else value)
        return str(round(value)) if self.kind == "whole number" else f"{value:g}"


@dataclass(frozen=True, slots=True)
class Knob:
    """A path, and its values: some of them, or a span."""

    path: str
    values: tuple[str, ...] = ()
    span: Span | None = None

    def at(self, share: float) -> str:
        """The value at a share (from 0 to 1) of the way: each of a list's values has the same part of it."""
        if self.span is not None:
            return self.span.at(share)
        return self.values[min(int(share * len(self.values)), len(self.values) - 1)]


def read(path: str, given: Given) -> Knob:
    """The knob that was given.  Raises `StudyError`.

    >>> read("primary.synchronous_commit", "off,local,on").values
    ('off', 'local', 'on')
    >>> read("links.p -> s1.latency", "1ms..50ms:6").values
    ('1ms', '10.8ms', '20.6ms', '30.4ms', '40.2ms', '50ms')
    >>> read("links.p -> s1.latency", "1ms..16ms:5:log").values
    ('1ms', '2ms', '4ms', '8ms', '16ms')
    """
    if isinstance(given, str):
        match = _RANGE.fullmatch(given)
        return _ranged(path, match) if match else _listed(path, _split(given))
    if isinstance(given, Sequence):
        return _listed(path, [text_of(value) for value in given])
    return _listed(path, [text_of(given)])


def amounts(values: Sequence[str]) -> tuple[str, list[float]] | None:
    """Values as numbers in SI units, with their unit as metrics have it; None where they are not all of one kind.

    >>> amounts(["1ms", "50ms"]), amounts(["off", "on"])
    (('s', [0.001, 0.05]), None)
    """
    try:
        found = [_quantity("", value) for value in values]
    except StudyError:
        return None
    kinds = {"whole number" if kind == "number" else kind for _, kind in found}
    if len(kinds) != 1:
        return None
    unit = {"duration": "s", "size": "B", "rate": "1/s", "fraction": "share"}.get(kinds.pop(), "1")
    return unit, [number / SECOND if unit == "s" else number for number, _ in found]


def text_of(value: Any) -> str:
    """A value from Python or YAML as ``--set`` takes it.

    >>> text_of(True), text_of(5), text_of([1, "2ms"])
    ('true', '5', '[1, 2ms]')
    """
    if value is None or isinstance(value, bool):
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(text_of, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {text_of(inner)}' for key, inner in value.items())}}}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _listed(path: str, values: Sequence[str]) -> Knob:
    if not values or not all(values):
        raise StudyError(f"{path}: give a list of values, such as 'off,local,on', or a range, such as '1ms..50ms:6'")
    if twice := next((value for value in values if values.count(value) > 1), None):
        raise StudyError(f"{path}: {twice!r} is given twice")
    return Knob(path, tuple(values))


def _ranged(path: str, match: re.Match[str]) -> Knob:
    (low, kind), (high, other) = (_quantity(path, text) for text in match.group(1, 2))
    if {kind, other} == {"number", "whole number"}:
        kind = other = "number"
    if kind != other:
        raise StudyError(f"{path}: a range goes from one {kind} to another, not to {match[2]!r}")
    if not low < high:
        raise StudyError(f"{path}: a range goes upwards, not from {match[1]!r} to {match[2]!r}")
    log = match[4] is not None
    if log and low <= 0:
        raise StudyError(
            f"{path}: no factor leads from {match[1]!r} to {match[2]!r}: start above 0, or leave ':log' out"
        )
    span = Span(low, high, kind, log)
    if match[3] is None:
        return Knob(path, span=span)
    count = int(match[3])
    if count < 2:
        raise StudyError(f"{path}: a range has at least its two ends, not {count} values")
    return Knob(path, tuple(dict.fromkeys(span.at(float(share)) for share in np.linspace(0, 1, count))), span)


def _quantity(path: str, text: str) -> tuple[float, str]:
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise StudyError(f"{path}: {text!r} is no quantity: a range is such as '1ms..50ms:6'")
    number, unit = match[1], match[2].replace(" ", "")
    if not unit:
        return float(number), "whole number" if re.fullmatch(r"[-+]?\d+", number) else "number"
    for kind, (known, _) in units.UNITS.items():
        if unit in known:
            try:
                return float(_WAYS[kind][0](text)), kind
            except UnitError as error:
                raise StudyError(f"{path}: {error}") from None
    raise StudyError(f"{path}: {unit!r} is not a unit")


def _split(text: str) -> list[str]:
    """At the commas that stand outside of brackets and quotes."""
    parts, depth, quote = [""], 0, ""
    for sign in text:
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'":
            quote = sign
        elif sign in "([{":
            depth += 1
        elif sign in ")]}":
            depth -= 1
        if sign == "," and depth == 0 and not quote:
            parts.append("")
        else:
            parts[-1] += sign
    return [part.strip() for part in parts]
