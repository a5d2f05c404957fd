"""What is only counted, as compiled loops: each goes over what it counts once, and makes no column of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from replsim.analysis.bins import BELOW, CELL_BITS, SMALL
from replsim.kernels.compiled import compiled, part

__all__ = ["bin_of", "tally", "tally_age", "tally_gap", "tally_ramps", "tally_rows", "tally_weighted"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Counted = tuple[int, float, int]
"""How much was counted, the sum of it, and the largest."""

NEVER = 2**63 - 1


@part
def bin_of(value: int) -> int:
    """See `replsim.analysis.bins`."""
    return value if value < SMALL else int(np.float64(value).view(np.int64) >> CELL_BITS) - BELOW


@compiled
def tally(values: Ints, held: Ints) -> tuple[int, int]:
    """Count each of ``values`` (one at least) in its bin; their sum, and the largest."""
    total, largest = 0, values[0]
    for i in range(len(values)):
        total += values[i]
        largest = max(largest, values[i])
        held[bin_of(values[i])] += 1
    return total, largest


@compiled
def tally_rows(column: Ints, rows: Ints, held: Ints) -> tuple[int, int]:
    """`tally` of the values of a ``column`` at ``rows``."""
    total, largest = 0, column[rows[0]]
    for n in range(len(rows)):
        value = column[rows[n]]
        total += value
        largest = max(largest, value)
        held[bin_of(value)] += 1
    return total, largest


@compiled
def tally_weighted(values: Ints, weights: Ints, held: Ints) -> Counted:
    """Add the weight of each of ``values`` (one at least) to its bin; all weights, the sum of what has them, and the
    largest value."""
    total, area, largest = 0, 0.0, values[0]
    for i in range(len(values)):
        total += weights[i]
        area += np.float64(values[i]) * weights[i]
        largest = max(largest, values[i])
        held[bin_of(values[i])] += weights[i]
    return total, area, largest


@part
def level(values: Ints | None, place: int) -> int:
    """The value of a `replsim.analysis.unmade.Track` from a step on."""
    return place + 1 if values is None else values[place]


@part
def note_step(value: int, weight: int, area: float, largest: int, held: Ints) -> tuple[float, int]:
    """Add how long a value held, which may be no time, to its bin; the sum so far, and the largest value."""
    held[bin_of(value)] += weight
    return area + np.float64(value) * np.float64(weight), max(largest, value if weight else largest)


@compiled
def tally_gap(
    up: Ints, high: Ints | None, down: Ints, low: Ints | None, window: tuple[int, int], held: Ints
) -> Counted:
    """`tally_weighted` of what one step function is above another over a window (`replsim.kernels.loops.gaps`)."""
    start, end = window
    last, above, below, i, j = start, 0, 0, 0, 0
    area, largest = 0.0, -NEVER
    # Which function has the next step is anybody's guess, so that nothing here branches on it.
    while i < len(up) and j < len(down):
        first = up[i] <= down[j]
        then = max(min(up[i], down[j], end), last)
        area, largest = note_step(above - below, then - last, area, largest, held)
        rises, follows = level(high, i), level(low, j)
        last = then
        above = rises if first else above
        below = below if first else follows
        i += first
        j += 1 - first
    while i < len(up) or j < len(down):
        then = max(min(up[i] if j == len(down) else down[j], end), last)
        area, largest = note_step(above - below, then - last, area, largest, held)
        last = then
        if j == len(down):
            above = level(high, i)
            i += 1
        else:
            below = level(low, j)
            j += 1
    area, largest = note_step(above - below, end - last, area, largest, held)
    return end - start, area, largest


@part
def note_ramp(low: int, high: int, counts: tuple[Ints, Ints], sums: tuple[Floats, Floats]) -> float:
    """Count both ends of a ramp in their bins, and add them up there; the area under it."""
    below, above = bin_of(low), bin_of(high)
    counts[0][below] += 1
    sums[0][below] += low
    counts[1][above] += 1
    sums[1][above] += high
    return (np.float64(low) + high) / 2 * (high - low)


@compiled
def tally_ramps(low: Ints, high: Ints, counts: tuple[Ints, Ints], sums: tuple[Floats, Floats]) -> tuple[float, int]:
    """Count ramps; the area under all of them, and the highest."""
    area, largest = 0.0, 0
    for i in range(len(low)):
        area += note_ramp(low[i], high[i], counts, sums)
        largest = max(largest, high[i])
    return area, largest


@compiled
def tally_age(
    origin: Ints,
    end: Ints,
    window: tuple[int, int],
    counts: tuple[Ints, Ints],
    sums: tuple[Floats, Floats],
    duration: int,
    peaks: Floats,
) -> Counted:
    """`tally_ramps` of the ramps of `replsim.analysis.loops.oldest`; their time, the area, and the highest.

    In ``peaks``, if there are any, the highest is noted of each of equal stretches of a run that lasts so long, in
    seconds.
    """
    covered = before = largest = 0
    area = 0.0
    for i in range(len(end)):
        start, stop = max(before, origin[i], window[0]), min(end[i], window[1])
        before = end[i]
        if stop > start:
            low, high = start - origin[i], stop - origin[i]
            covered += stop - start
            area += note_ramp(low, high, counts, sums)
            largest = max(largest, high)
            if len(peaks):
                place = min(stop * len(peaks) // duration, len(peaks) - 1)
                peaks[place] = max(peaks[place], high / 1e9)
    return covered, area, largest
