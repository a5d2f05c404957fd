"""The compiled loops behind `replsim.kernels.places` and `replsim.kernels.steps`, which bring the room."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from replsim.kernels.compiled import compiled, part

__all__ = ["crossed", "differences", "gaps", "grouped", "held", "looked_up", "ranks", "union", "weighted_quantiles"]

Ints = NDArray[np.int64]

BUCKETS = 2048


@part
def rank(known: Ints, asked: int, after: bool, near: int) -> int:
    """How many of the sorted ``known`` lie below ``asked`` (or at it, with ``after``), sought from ``near`` on.

    It gallops: steps double until it is passed, then halve.  Questions in order cost a step or two each.
    """
    count = len(known)
    if near < count and (known[near] < asked or (after and known[near] == asked)):
        low, high, step = near, near + 1, 1
        while high < count and (known[high] < asked or (after and known[high] == asked)):
            step *= 2
            low, high = high, high + step
        high = min(high, count)
    else:
        low, high, step = near - 1, near, 1
        while low >= 0 and not (known[low] < asked or (after and known[low] == asked)):
            step *= 2
            low, high = low - step, low
        low = max(low, -1)
    while high - low > 1:
        middle = (low + high) // 2
        if known[middle] < asked or (after and known[middle] == asked):
            low = middle
        else:
            high = middle
    return high


@compiled
def ranks(known: Ints, asked: Ints, after: bool, out: Ints) -> None:
    """The `rank` of each of ``asked``."""
    place = 0
    for i in range(len(asked)):
        place = rank(known, asked[i], after, place)
        out[i] = place


@compiled
def looked_up(known: Ints, values: Ints, asked: Ints, after: bool, back: int, outside: int, out: Ints) -> None:
    """``values`` at the `rank` of each of ``asked``, less ``back``; ``outside`` where there is none."""
    place = 0
    for i in range(len(asked)):
        place = rank(known, asked[i], after, place)
        at = place - back
        out[i] = values[at] if 0 <= at < len(values) else outside


@compiled
def crossed(known: Ints, values: Ints, asked: Ints, outside: int) -> int:
    """The sum of ``values`` at the first of the sorted ``known`` that reaches each of the sorted ``asked``, and of
    ``outside`` where none does.  It may wrap round."""
    total = 0
    place = rank(known, asked[0], False, 0) if len(asked) else 0
    for i in range(len(asked)):
        while place < len(known) and known[place] < asked[i]:
            place += 1
        total += values[place] if place < len(known) else outside
    return total


@compiled
def grouped(labels: NDArray[np.integer], order: Ints, firsts: Ints) -> None:
    """The places of each label from 0 on, one label after the other, and where in ``order`` those of each begin."""
    firsts[:] = 0
    for i in range(len(labels)):
        firsts[labels[i] + 1] += 1
    for label in range(1, len(firsts)):
        firsts[label] += firsts[label - 1]
    for i in range(len(labels)):
        order[firsts[labels[i]]] = i
        firsts[labels[i]] += 1
    for label in range(len(firsts) - 1, 0, -1):
        firsts[label] = firsts[label - 1]
    firsts[0] = 0


@compiled
def union(one: Ints, two: Ints, out: Ints) -> int:
    """All values of two sorted arrays, in order and each once; their number."""
    i = j = count = 0
    while i < len(one) or j < len(two):
        if j == len(two) or (i < len(one) and one[i] <= two[j]):
            value = one[i]
            i += 1
        else:
            value = two[j]
            j += 1
        if count == 0 or out[count - 1] != value:
            out[count] = value
            count += 1
    return count


@compiled
def differences(time: Ints, level: Ints, other_time: Ints, other_level: Ints, times: Ints, values: Ints) -> int:
    """One step function less another, both 0 at first: its steps, one for each time at which either has some."""
    i = j = count = 0
    high = low = 0
    while i < len(time) or j < len(other_time):
        if j == len(other_time) or (i < len(time) and time[i] <= other_time[j]):
            now, high = time[i], level[i]
            i += 1
        else:
            now, low = other_time[j], other_level[j]
            j += 1
        if count == 0 or times[count - 1] != now:
            times[count] = now
            count += 1
        values[count - 1] = high - low
    return count


@compiled
def held(time: Ints, value: Ints, start: int, end: int, before: int, values: Ints, weights: Ints) -> int:
    """What a step function, ``before`` at first, was over ``[start, end)``, and how long, where it was at all."""
    last, now, count = start, before, 0
    for i in range(len(time)):
        then = min(max(time[i], start), end)
        if then > last:
            values[count], weights[count] = now, then - last
            count += 1
            last = then
        now = value[i]
    if end > last:
        values[count], weights[count] = now, end - last
        count += 1
    return count


@compiled
def gaps(
    time: Ints,
    level: Ints,
    other_time: Ints,
    other_level: Ints,
    start: int,
    end: int,
    values: Ints,
    weights: Ints,
) -> int:
    """What one step function less another, both 0 at first, was over ``[start, end)``, and how long: `differences` and
    `held` in one pass."""
    i = j = count = 0
    high = low = 0
    last = start
    while True:
        upto = min(other_time[j], end) if j < len(other_time) else end
        while i < len(time) and time[i] <= upto:
            # What holds for no time is written over.
            values[count], weights[count] = high - low, time[i] - last
            count += time[i] > last
            last = max(last, time[i])
            high = level[i]
            i += 1
        values[count], weights[count] = high - low, upto - last
        count += upto > last
        last = max(last, upto)
        if upto == end:
            return count
        low = other_level[j]
        j += 1


@part
def buckets(value: Ints, weight: Ints, count: int, sums: Ints) -> tuple[int, int]:
    """Sum up weights by the high bits of values; the least value, and how many low bits are left out."""
    least, most = value[0], value[0]
    for i in range(1, count):
        least, most = min(least, value[i]), max(most, value[i])
    shift = 0
    while (most - least) >> shift >= BUCKETS:
        shift += 1
    sums[:] = 0
    for i in range(count):
        sums[(value[i] - least) >> shift] += weight[i]
    return least, shift


@compiled
def weighted_quantiles(
    value: Ints, weight: Ints, targets: Ints, sums: Ints, some: Ints, their: Ints, found: Ints
) -> None:
    """The smallest value with at least each of ``targets`` of weight up to it: by the high bits, then by lower ones.

    ``sums`` is room for twice `BUCKETS` numbers, ``some`` and ``their`` for as many as there are values.
    """
    high, low = sums[:BUCKETS], sums[BUCKETS:]
    first, left_out = buckets(value, weight, len(value), high)
    for n in range(len(targets)):
        least, shift, missing, place = first, left_out, targets[n], 0
        while high[place] < missing:
            missing -= high[place]
            place += 1
        count = 0
        if shift:
            for i in range(len(value)):
                if (value[i] - least) >> shift == place:
                    some[count], their[count] = value[i], weight[i]
                    count += 1
        while shift:
            least, shift = buckets(some, their, count, low)
            place = 0
            while low[place] < missing:
                missing -= low[place]
                place += 1
            kept = 0
            for i in range(count):
                if (some[i] - least) >> shift == place:
                    some[kept], their[kept] = some[i], their[i]
                    kept += 1
            count = kept
        found[n] = least + place
