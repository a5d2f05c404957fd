"""Estimates with honest standard errors.

Waits in a queue depend on each other, so the formula for independent values would flatter them.  Either values
are independent by construction, or they are averaged over batches so long that the averages are.

*Controls* sharpen an estimate: quantities that come out of the same run and whose mean is known to be zero.  What
of the estimate moves with them is noise, and a regression takes it away (Lavenberg and Welch 1981).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Estimate", "batched", "batches_in_time", "controlled", "exactly", "from_batches", "independent", "quantile"]

Floats = NDArray[np.float64]

BATCHES: Final = 50


class Estimate(NamedTuple):
    """A number and its standard error (0 where nothing is random)."""

    value: float
    error: float


def exactly(value: float) -> Estimate:
    """The outcome of a scenario without randomness."""
    return Estimate(float(value), 0.0)


def independent(values: Floats) -> Estimate:
    """The mean of values that are independent by construction, such as sparse commits' latencies."""
    return controlled(values, [])


def from_batches(series: Floats, controls: Sequence[Floats] = ()) -> Estimate:
    """The mean of a series whose neighbours depend on each other."""
    return controlled(batched(series), [batched(control) for control in controls])


def batched(series: Floats) -> Floats:
    """The means of `BATCHES` equal stretches of a series (what is left over at its end is dropped)."""
    size = len(series) // BATCHES
    means: Floats = np.asarray(series[: size * BATCHES], dtype=np.float64).reshape(BATCHES, size).mean(axis=1)
    return means


def batches_in_time(integral: Callable[[float], float], start: float, end: float) -> Floats:
    """The averages over `BATCHES` equal stretches of time, from the integral since the start."""
    edges = np.linspace(start, end, BATCHES + 1)
    averages: Floats = np.diff([integral(edge) for edge in edges]) / np.diff(edges)
    return averages


def controlled(values: Floats, controls: Sequence[Floats]) -> Estimate:
    """The mean of independent values, given controls of mean zero: the intercept of their regression."""
    design = np.column_stack([np.ones(len(values)), *controls])
    coefficients, *_ = np.linalg.lstsq(design, values, rcond=None)
    rest = values - design @ coefficients
    variance = float(rest @ rest) / (len(values) - design.shape[1])
    return Estimate(float(coefficients[0]), float(np.sqrt(variance * np.linalg.inv(design.T @ design)[0, 0])))


def quantile(series: Floats, fraction: float, controls: Sequence[Floats] = ()) -> Estimate:
    """A quantile of a series whose neighbours depend on each other.

    The sample's quantile is moved by what the controls say of how many lie above it, over the density there
    (Bahadur 1966), which is read off the sample too.
    """
    at = float(np.quantile(series, fraction))
    density = float(np.mean(series > 0.9 * at) - np.mean(series > 1.1 * at)) / (0.2 * at)
    above = from_batches((series > at).astype(np.float64), controls)
    return Estimate(at + (above.value - (1 - fraction)) / density, above.error / density)
