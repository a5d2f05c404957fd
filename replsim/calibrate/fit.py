"""A distribution for measured samples: a family that fits, or the samples themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from replsim.randomness import DurationDistribution

__all__ = ["Fit", "fitted"]

Floats = NDArray[np.float64]

Z99: Final = 2.3263478740408408
GOOD: Final = 0.05
"""A family is taken if its distribution function is nowhere further from the samples'."""
STEADY: Final = 1.02
"""Samples whose 99th percentile is within this of their first are a constant."""
FEW: Final = 20
"""Fewer samples do not tell a distribution: their median stands for all."""


@dataclass(frozen=True, slots=True)
class Fit:
    """What was fitted, as a scenario writes it, and how well it fits.

    ``law`` is None where no family fits: then the samples are to be kept as they are.
    """

    law: Any
    family: str
    distance: float
    """The greatest distance between the two distribution functions (Kolmogorov and Smirnov)."""
    samples: int
    p50_us: float
    p99_us: float

    @property
    def told(self) -> str:
        """The quality of the fit, in a line."""
        what = f"{self.samples:,} samples, p50 {self.p50_us:,.4g} us, p99 {self.p99_us:,.4g} us"
        if self.family == "constant":
            return f"{what}: as good as constant" if self.samples >= FEW else f"{what}: too few for a distribution"
        if self.law is None:
            return f"{what}: no family fits (best: {self.family}, {self.distance:.3f} off), kept as they are"
        return f"{what}: {self.family}, at most {self.distance:.3f} off in probability"


def fitted(us: Floats) -> Fit:
    """The family that is nearest to ``us`` (microseconds, at least one), if any is near enough."""
    p1, p50, p99 = (float(each) for each in np.quantile(us, [0.01, 0.5, 0.99]))
    if len(us) < FEW or p99 <= max(p1, 1e-9) * STEADY:
        return Fit(_us(p50), "constant", 0.0, len(us), p50, p99)
    distance, family, law = min(
        ((_distance(us, name, law), name, law) for name, law in _candidates(us)), key=lambda fit: fit[0]
    )
    return Fit({family: law} if distance <= GOOD else None, family, distance, len(us), p50, p99)


def _candidates(us: Floats) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each family with the parameters that its samples' moments, or logarithms, give."""
    mean, sd = float(us.mean()), float(us.std())
    logs = np.log(np.maximum(us, 1e-3))
    middle, spread = float(logs.mean()), float(logs.std())
    yield "exponential", {"mean": _us(mean)}
    yield "normal", {"mean": _us(mean), "sd": _us(sd)}
    yield "lognormal", {"median": _us(float(np.exp(middle))), "p99": _us(float(np.exp(middle + Z99 * spread)))}
    yield "gamma", {"mean": _us(mean), "shape": round(mean**2 / sd**2, 4)}
    shape = np.pi / np.sqrt(6) / spread  # the logarithm of a Weibull variable is a Gumbel one
    yield "weibull", {"scale": _us(float(np.exp(middle + np.euler_gamma / shape))), "shape": round(float(shape), 4)}


def _distance(us: Floats, family: str, law: dict[str, Any]) -> float:
    """The greatest distance in probability, over the law's own quantiles."""
    u = (np.arange(1000) + 0.5) / 1000
    quantiles = DurationDistribution.model_validate({family: law}).values(u) / 1e3
    ordered = np.sort(us)
    below = np.searchsorted(ordered, quantiles, side="right") / len(us)
    under = np.searchsorted(ordered, quantiles, side="left") / len(us)
    return float(np.maximum(np.abs(below - u), np.abs(under - u)).max())


def _us(value: float) -> str:
    return f"{value:.5g}us" if value < 1e5 else f"{value:.0f}us"
