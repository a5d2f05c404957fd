"""What metrics of time are worked out from, as compiled loops."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from replsim.kernels.compiled import compiled, part
from replsim.kernels.loops import rank

__all__ = ["at_risk", "covered", "exporter", "moment", "oldest", "ramps"]

Ints = NDArray[np.int64]
Pieces = tuple[Ints, Ints, Ints]
"""Room for ramps: when each starts, and the values from which and to which it rises."""

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


@compiled
def covered(origin: Ints, end: Ints, window: tuple[int, int]) -> int:
    """The time of the ramps of `oldest`."""
    total = before = 0
    for i in range(len(end)):
        total += max(min(end[i], window[1]) - max(before, origin[i], window[0]), 0)
        before = end[i]
    return total


@compiled
def moment(origin: Ints, end: Ints, window: tuple[int, int], middle: float) -> float:
    """The integral of (t - ``middle``) · f(t) over the ramps of `oldest`, as `Ramps.slope` has it."""
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
