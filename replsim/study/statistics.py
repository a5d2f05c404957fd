"""What several independent runs say of one quantity: an estimate, its spread, and an interval that fits its kind.

Each run is one observation, whatever happened within it: the values inside a run are correlated, those of runs with
different seeds are not.  Intervals by kind:

============= ==========================================================================================
mean, count   Student's t on the runs' values.  A count that no run showed: the mean is at most
              ``-ln(0.05) / n`` (the *rule of three*, Hanley and Lippman-Hand 1983).
percentile    The same, on each run's own percentile: percentiles are taken by run and never pooled.
proportion    Wilson's (1927), with as many trials as give the variance seen between the runs (Korn and
              Graubard 1998), so that it stays within [0, 1].  None (or all) seen in n runs: Clopper and
              Pearson's one-sided bound, ``1 - 0.05 ** (1 / n)``.
extreme       The median of the runs' extremes, by order statistics (Hettmansperger and Sheather 1986):
              an extreme is skewed, and has no mean worth the name.
============= ==========================================================================================

Where a value is infinite, such as a delay that was not seen to end, the median takes the mean's place.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from replsim.analysis.registry import Kind

__all__ = ["LEVEL", "Estimate", "difference", "estimate", "variance_ratio", "welch"]

Floats = NDArray[np.float64]

LEVEL: Final = 0.95
"""How often an interval is to cover the truth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """One quantity over several runs, in its metric's unit."""

    value: float
    """The estimate: the mean over the runs, or their median where ``method`` says so."""
    low: float
    high: float
    """The interval; NaN where the runs are too few for one."""
    method: str
    """How the interval was made, in a word or two."""
    runs: int
    """The runs that had a value."""
    missing: int
    """The runs that had nothing to measure."""
    mean: float
    sd: float
    """Their mean and their standard deviation."""
    smallest: float
    largest: float
    """The smallest and the largest run's."""
    moving: int = 0
    """The runs in which it had not settled by the end."""

    @property
    def settled(self) -> bool:
        """Whether at least half of the runs had settled; where not, there is no steady state to speak of."""
        return 2 * self.moving <= self.runs

    @property
    def half_width(self) -> float:
        """Half the width of the interval; NaN where there is none."""
        return (self.high - self.low) / 2

    @property
    def relative_half_width(self) -> float:
        """The half width over the estimate's size; 0 where both are 0."""
        if self.half_width == 0:
            return 0.0
        return self.half_width / abs(self.value) if self.value else math.inf


def estimate(values: Sequence[float] | Floats, kind: Kind, *, moving: int = 0, level: float = LEVEL) -> Estimate:
    """What independent runs say of a quantity of some kind; NaN stands for a run with nothing to measure.

    >>> found = estimate([9.0, 10.0, 11.0], "mean")
    >>> found.value, round(found.low, 2), round(found.high, 2), found.method
    (10.0, 7.52, 12.48, 't')
    >>> round(estimate([0.0] * 20, "proportion").high, 3)
    0.139
    """
    every = np.asarray(values, dtype=np.float64)
    seen = every[~np.isnan(every)]
    value, low, high, method = _interval(seen, kind, level)
    finite = bool(len(seen)) and bool(np.all(np.isfinite(seen)))
    return Estimate(
        value=value,
        low=low,
        high=high,
        method=method,
        runs=len(seen),
        missing=len(every) - len(seen),
        mean=float(seen.mean()) if len(seen) else math.nan,
        sd=float(seen.std(ddof=1)) if finite and len(seen) > 1 else math.nan,
        smallest=float(seen.min(initial=math.inf)) if len(seen) else math.nan,
        largest=float(seen.max(initial=-math.inf)) if len(seen) else math.nan,
        moving=moving,
    )


def difference(before: Sequence[float] | Floats, after: Sequence[float] | Floats, *, level: float = LEVEL) -> Estimate:
    """How much larger ``after`` is than ``before``, run by run: pairs of runs that saw the same luck.

    A pair in which either has nothing to measure, or is infinite, is missing.
    """
    a, b = np.asarray(before, dtype=np.float64), np.asarray(after, dtype=np.float64)
    both = np.isfinite(a) & np.isfinite(b)
    apart = np.full(len(a), math.nan)
    # What is left of two equal sums that were added in another order is no difference.
    same = np.isclose(a, b, rtol=1e-12, atol=0.0)
    apart[both] = np.where(same, 0.0, b - a)[both]
    return estimate(apart, "mean", level=level)


def welch(before: Sequence[float] | Floats, after: Sequence[float] | Floats, *, level: float = LEVEL) -> float:
    """The half width of the difference of two means, if the runs had nothing to do with each other (Welch 1947)."""
    from scipy.special import stdtrit

    a, b = np.asarray(before, dtype=np.float64), np.asarray(after, dtype=np.float64)
    a, b = a[np.isfinite(a)], b[np.isfinite(b)]
    if min(len(a), len(b)) < 2:
        return math.nan
    each = (float(a.var(ddof=1)) / len(a), float(b.var(ddof=1)) / len(b))
    if sum(each) == 0:
        return 0.0
    freedom = sum(each) ** 2 / (each[0] ** 2 / (len(a) - 1) + each[1] ** 2 / (len(b) - 1))
    return float(stdtrit(freedom, (1 + level) / 2)) * math.sqrt(sum(each))


def variance_ratio(before: Sequence[float] | Floats, after: Sequence[float] | Floats) -> float:
    """How many times as many runs independent seeds would need for the same half width as pairs.

    The variance of the difference of independent runs over that of the pairs: 1 where pairing saves nothing, below
    1 where it harms, infinite where the difference is the same in every pair.  NaN for fewer than two pairs.
    """
    a, b = np.asarray(before, dtype=np.float64), np.asarray(after, dtype=np.float64)
    both = np.isfinite(a) & np.isfinite(b)
    a, b = a[both], b[both]
    if len(a) < 2:
        return math.nan
    apart, paired = float(a.var(ddof=1) + b.var(ddof=1)), float((b - a).var(ddof=1))
    if paired <= 1e-24 * apart or apart == 0:
        return math.inf if apart else math.nan
    return apart / paired


Found = tuple[float, float, float, str]


def _interval(seen: Floats, kind: Kind, level: float) -> Found:
    """The estimate, its interval and how that was made."""
    if not len(seen):
        return math.nan, math.nan, math.nan, "nothing to measure"
    if kind == "extreme" or not np.all(np.isfinite(seen)):
        return _median(seen, level)
    if kind == "proportion":
        return _proportion(seen, level)
    if kind == "count" and not seen.any():
        return 0.0, 0.0, -math.log(1 - level) / len(seen), "none seen"
    value, low, high, method = _student(seen, level)
    return value, max(low, 0.0) if kind == "count" else low, high, method


def _student(seen: Floats, level: float) -> Found:
    from scipy.special import stdtrit

    n, mean = len(seen), float(seen.mean())
    if n < 2:
        return mean, math.nan, math.nan, "one run"
    reach = float(stdtrit(n - 1, (1 + level) / 2)) * float(seen.std(ddof=1)) / math.sqrt(n)
    return mean, mean - reach, mean + reach, "t"


def _proportion(seen: Floats, level: float) -> Found:
    from scipy.special import ndtri, stdtrit

    n, share = len(seen), float(seen.mean())
    if share in (0.0, 1.0):
        bound = (1 - level) ** (1 / n)
        return (0.0, 0.0, 1 - bound, "none seen") if share == 0 else (1.0, bound, 1.0, "all seen")
    if np.all((seen == 0) | (seen == 1)):
        return share, *_wilson(share, n, float(ndtri((1 + level) / 2))), "Wilson"
    if n < 2:
        return share, math.nan, math.nan, "one run"
    variance = float(seen.var(ddof=1)) / n
    if variance == 0:
        return share, share, share, "t"
    return share, *_wilson(share, share * (1 - share) / variance, float(stdtrit(n - 1, (1 + level) / 2))), "Wilson"


def _wilson(share: float, trials: float, z: float) -> tuple[float, float]:
    """Wilson's score interval; ``trials`` need not be whole."""
    middle = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    reach = z / (1 + z * z / trials) * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    return max(middle - reach, 0.0), min(middle + reach, 1.0)


def _median(seen: Floats, level: float) -> Found:
    """The median between two order statistics, interpolated to the level."""
    from scipy.special import bdtr

    n, ordered = len(seen), np.sort(seen)
    middle = _between(ordered, (n - 1) / 2)
    covers = [1 - 2 * float(bdtr(k - 1, n, 0.5)) for k in range(1, n // 2 + 1)]
    wide = sum(cover >= level for cover in covers)
    if not wide:
        return middle, math.nan, math.nan, "median; too few runs"
    part = 0.0
    if wide < len(covers):
        slack = (covers[wide - 1] - level) / (covers[wide - 1] - covers[wide])
        part = (n - wide) * slack / (wide + (n - 2 * wide) * slack)
    return middle, _between(ordered, wide - 1 + part), _between(ordered, n - wide - part), "median"


def _between(ordered: Floats, place: float) -> float:
    """The value at a place between two of them; infinity pulls only where it has a share."""
    below = math.floor(place)
    part = place - below
    return float(ordered[below] if part == 0 else (1 - part) * ordered[below] + part * ordered[below + 1])
