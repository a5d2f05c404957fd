"""What metrics of time are worked out from, as compiled loops."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from replsim.analysis.bins import BELOW, CELL_BITS, SMALL
from replsim.kernels.compiled import compiled, part
from replsim.kernels.loops import rank

__all__ = ["at_risk", "covered", "exporter", "moment", "oldest", "ramps", "tally", "tally_age", "tally_gap", "tally_ramps", "tally_rows", "tally_weighted"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Pieces = tuple[Ints, Ints, Ints]
"""Room for ramps: when each starts, and the values from which and to which it rises."""

Counted = tuple[int, float, int]
"""How much was counted, the sum of it, and the largest."""

NEVER = 2**63 - 1


@part
def piece(start: int, end: int, origin: int, window: tuple[int, int], out: Pieces, count: int) -> int:
    """Note the ramp ``t - origin`` on ``[start, end)``, cut to the window; how many there are then."""
    start, end = max(start, window[0]), min(end, window[1])
    if end <= start:
        return count
    out[0][count], out[1][count], out[2][count] = start, start - origin, end - origin
    return count + 1


@compiled
def ramps(start: Ints, end: Ints, origin: Ints, window: tuple[int, int], out: Pieces) -> tuple[int, int]:
    """The ramps ``t - origin[i]`` on ``[start[i], end[i])``, cut to the window: how many there are, and their time."""
    count = covered = 0
    for i in range(len(start)):
        before, count = count, piece(start[i], end[i], origin[i], window, out, count)
        if count > before:
            covered += out[2][before] - out[1][before]
    return count, covered


@compiled
def oldest(origin: Ints, end: Ints, window: tuple[int, int], out: Pieces) -> tuple[int, int]:
    """`ramps` of the first in line: i has its turn when the one before it ended, if it has begun by then."""
    count = covered = before = 0
    for i in range(len(end)):
        if end[i] > before:
            last, count = count, piece(max(before, origin[i]), end[i], origin[i], window, out, count)
            if count > last:
                covered += out[2][last] - out[1][last]
        before = end[i]
    return count, covered


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


@compiled
def covered(origin: Ints, end: Ints, window: tuple[int, int]) -> int:
    """The time of the ramps of `oldest`."""
    total = before = 0
    for i in range(len(end)):
        total += max(min(end[i], window[1]) - max(before, origin[i], window[0]), 0)
        before = end[i]
    return total


@part
def level(values: Ints | None, place: int) -> int:
    """The value of a `replsim.analysis.unmade.Track` from a step on."""
    return place + 1 if values is None else values[place]


@part
def note_step(value: int, weight: int, area: float, largest: int, held: Ints) -> tuple[float, int]:
    """Add what a value held for, which may be nothing, to its bin; the sum of what has weight, and the largest value."""
    held[bin_of(value)] += weight
    return area + np.float64(value) * np.float64(weight), max(largest, value if weight else largest)


@compiled
def tally_gap(up: Ints, high: Ints | None, down: Ints, low: Ints | None, window: tuple[int, int], held: Ints) -> Counted:
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
    """`tally_ramps` of the ramps of `oldest`; their time, the area, and the highest.

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


@compiled
def moment(origin: Ints, end: Ints, window: tuple[int, int], middle: float) -> float:
    """The integral of (t - ``middle``) · f(t) over the ramps of `oldest`: see `replsim.analysis.weighted.Ramps.slope`."""
    total, before = 0.0, 0
    for i in range(len(end)):
        start, stop = max(before, origin[i], window[0]), min(end[i], window[1])
        before = end[i]
        if stop > start:
            low, length = np.float64(start - origin[i]), np.float64(stop - start)
            total += length * ((start - middle) * (low + length / 2) + length * (low / 2 + length / 3))
    return total


@compiled
def at_risk(told: Ints, saved: Ints, weight: Ints, out: Pieces) -> int:
    """From when to when each commit could be lost, told to its client and not saved yet, and the sum of the weights up
    to it; how many there are."""
    starts, ends, sums = out
    count = total = 0
    for i in range(len(told)):
        if told[i] < saved[i]:
            total += weight[i]
            starts[count], ends[count], sums[count] = told[i], saved[i], total
            count += 1
    return count


@part
def next_step(times: Ints, place: int) -> int:
    """The time of a step; `NEVER` behind the last."""
    return times[place] if place < len(times) else NEVER


@compiled
def exporter(
    applied: Ints,
    stamped: Ints,
    flush: tuple[Ints, Ints],
    apply: tuple[Ints, Ints],
    window: tuple[int, int],
    bare: Pieces,
    guarded: Pieces,
) -> tuple[int, int]:
    """The age of the last commit replayed, without and with the guard, in ramps: how many there are of each.

    Commits were ``stamped`` and ``applied`` (one at least) at those times; ``flush`` and ``apply`` are the standby's
    positions.
    """
    now = applied[0]
    c, i, j = rank(applied, now, True, 0), rank(flush[0], now, True, 0), rank(apply[0], now, True, 0)
    simple = guards = 0
    since = now
    while True:
        stamp = stamped[c - 1]
        following = next_step(applied, c)
        then = min(following, next_step(flush[0], i), next_step(apply[0], j))
        for edge in window:
            if now < edge:
                then = min(then, edge)
        if then == following:
            simple = piece(since, then, stamp, window, bare, simple)
            since = then
        if then == NEVER:
            return simple, guards
        if (flush[1][i - 1] if i else 0) > (apply[1][j - 1] if j else 0):
            # Never below 0, whatever the clocks show.
            guards = piece(max(now, stamp), then, stamp, window, guarded, guards)
        now = then
        while next_step(applied, c) == now:
            c += 1
        while next_step(flush[0], i) == now:
            i += 1
        while next_step(apply[0], j) == now:
            j += 1
