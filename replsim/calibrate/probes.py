"""Probes of a real standby: a commit, one read so long after its answer, and whether the read saw it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from replsim.calibrate.columns import table

__all__ = ["Level", "levels"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Level:
    """A share of fresh reads, and after what time (seconds since the acknowledgement) reads were so fresh."""

    fresh: float
    seconds: float
    probes: int


def levels(file: Path, standby: str) -> list[Level]:
    """The measured curve of one standby, by the nominal times of its probes, made to rise (pooled where it fell).

    ``file`` has the columns ``standby``, ``t_nominal_ms`` and ``fresh``.  Levels at which none or all were fresh are
    left out: they hold for all earlier, or all later, times too.
    """
    columns = table(file, ("standby", "t_nominal_ms", "fresh"), text=("standby",))
    mine = columns["standby"] == standby
    times, fresh = columns["t_nominal_ms"][mine], columns["fresh"][mine]
    pools: list[list[float]] = []  # time × probes, fresh, probes
    for time in np.unique(times):
        here = fresh[times == time]
        pools.append([float(time) * len(here), float(here.sum()), float(len(here))])
        while len(pools) > 1 and pools[-2][1] * pools[-1][2] > pools[-1][1] * pools[-2][2]:
            last = pools.pop()
            pools[-1] = [a + b for a, b in zip(pools[-1], last, strict=True)]
    return [Level(seen / n, time / n / 1e3, int(n)) for time, seen, n in pools if 0 < seen < n]
