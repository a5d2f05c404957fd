"""Axes in units that people read: seconds become milliseconds where they are small, and every axis names its unit."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from replsim.summary import show

__all__ = ["Scale", "log_axis", "percent_axis", "scale_for"]

_UNITS: Final[dict[str, tuple[tuple[float, str], ...]]] = {
    "s": ((1e-9, "ns"), (1e-6, "µs"), (1e-3, "ms"), (1.0, "s"), (60.0, "min"), (3600.0, "h"), (86400.0, "d")),
    "B": ((1.0, "B"), (1e3, "kB"), (1e6, "MB"), (1e9, "GB"), (1e12, "TB")),
    "count": ((1.0, ""),),
}


STEPS: Final = (
    (1.0,),
    (1.0, 3.0),
    (1.0, 2.0, 5.0),
    (1.0, 1.5, 2.0, 3.0, 5.0, 7.0),
    tuple(n / 10 for n in range(10, 100)),
)
MOST_TICKS: Final = 5
"""On a logarithmic axis, whose words are long."""


@dataclass(frozen=True, slots=True)
class Scale:
    """A unit for an axis: ``factor`` SI units of it."""

    factor: float
    unit: str

    def __call__(self, values: ArrayLike) -> NDArray[np.float32]:
        """Values in SI units as the axis shows them; single precision halves a figure's JSON."""
        return (np.asarray(values, dtype=np.float64) / self.factor).astype(np.float32)

    def title(self, what: str) -> str:
        """An axis's title, with the unit."""
        return f"{what} ({self.unit})" if self.unit else what

    @property
    def suffix(self) -> str:
        """What follows a number in a hover text."""
        return f" {self.unit}" if self.unit else ""


def scale_for(unit: str, arrays: Iterable[ArrayLike]) -> Scale:
    """The unit in which the largest of all finite values is at least 1, or 2 for the long ones."""
    largest = 0.0
    for array in arrays:
        values = np.abs(np.asarray(array, dtype=np.float64))
        values = values[np.isfinite(values)]
        largest = max(largest, float(values.max(initial=0.0)))
    units = _UNITS[unit]
    fitting = [(factor, name) for factor, name in units if largest >= (factor if factor <= 1 else 2 * factor)]
    if not fitting:
        return Scale(1e-3, "ms") if unit == "s" else Scale(*units[0])
    return Scale(*fitting[-1])


def log_axis(unit: str, low: float, high: float) -> dict[str, Any]:
    """A logarithmic axis over positive values in SI units, with ticks in words such as ``10 ms``."""
    ticks = _ticks(low, high)
    return {
        "type": "log",
        "range": [math.log10(low), math.log10(high)],
        "tickvals": ticks,
        "ticktext": [show(tick, unit) for tick in ticks],
        "tickangle": 0,
    }


def _ticks(low: float, high: float) -> list[float]:
    """As many ticks as there is room for: some decades, every decade, or several in each."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    choices = [[10.0**decade for decade in range(first, last + 1, step)] for step in (4, 3, 2)]
    choices += [[step * 10.0**decade for decade in range(first, last + 1) for step in steps] for steps in STEPS]
    within = [[tick for tick in ticks if low * 0.999 <= tick <= high * 1.001] for ticks in choices]
    most = max((ticks for ticks in within if len(ticks) <= MOST_TICKS), key=len, default=[])
    finest = within[-1]
    return most if len(most) > 1 else finest[:: 1 + len(finest) // MOST_TICKS]


def percent_axis(**more: Any) -> dict[str, Any]:
    """An axis of shares from 0 to 100 %; it starts at nothing."""
    return {"tickformat": ".0~%", "rangemode": "tozero", **more}
