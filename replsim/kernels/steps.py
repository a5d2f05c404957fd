"""Step functions of time: their difference, what they were over a stretch, and for how long they were less than what.

The same with and without a compiler.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from replsim.kernels import worth_compiling
from replsim.kernels.places import plain

__all__ = ["differences", "gaps", "held", "weighted_quantiles"]

Ints = NDArray[np.int64]


def differences(time: Ints, level: Ints, other_time: Ints, other_level: Ints) -> tuple[Ints, Ints]:
    """One step function less another, both 0 before their first step: times, which rise, and values from then on.

    Steps at one time are made at once, so no value is reported that held for no time.
    """
    count = len(time) + len(other_time)
    if not worth_compiling(count):
        times = np.concatenate([time, other_time])
        order = np.argsort(times, kind="stable")
        changes = np.concatenate([np.diff(level, prepend=0), -np.diff(other_level, prepend=0)])
        times, values = times[order], np.cumsum(changes[order])
        last = np.append(times[1:] > times[:-1], True)[:count]
        return times[last], values[last]
    from replsim.kernels import loops

    times, values = np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64)
    count = loops.differences(plain(time), plain(level), plain(other_time), plain(other_level), times, values)
    return times[:count], values[:count]


def held(time: Ints, value: Ints, start: int, end: int, before: int) -> tuple[Ints, Ints]:
    """What a step function, ``before`` before its first step, was over ``[start, end)``, and for how long."""
    if not worth_compiling(len(time)):
        edges = np.concatenate([[start], np.clip(time, start, end), [end]])
        weights = np.diff(edges)
        there = weights > 0
        return np.concatenate([[before], value])[there], weights[there]
    from replsim.kernels import loops

    values, weights = np.empty(len(time) + 1, dtype=np.int64), np.empty(len(time) + 1, dtype=np.int64)
    count = loops.held(plain(time), plain(value), start, end, before, values, weights)
    return values[:count], weights[:count]


def gaps(time: Ints, level: Ints, other_time: Ints, other_level: Ints, start: int, end: int) -> tuple[Ints, Ints]:
    """What one step function less another, both 0 before their first step, was over ``[start, end)``, and how long."""
    count = len(time) + len(other_time)
    if not worth_compiling(count):
        return held(*differences(time, level, other_time, other_level), start, end, 0)
    from replsim.kernels import loops

    values, weights = np.empty(count + 1, dtype=np.int64), np.empty(count + 1, dtype=np.int64)
    columns = plain(time), plain(level), plain(other_time), plain(other_level)
    count = loops.gaps(*columns, start, end, values, weights)
    return values[:count], weights[:count]


def weighted_quantiles(value: NDArray[np.integer], weight: Ints, targets: Sequence[int]) -> list[int]:
    """The smallest value such that it and all smaller ones have at least so much of the weight, for each target."""
    if not worth_compiling(len(value)):
        order = np.argsort(value)
        places = np.searchsorted(np.cumsum(weight[order]), targets)
        return [int(value[order[place]]) for place in places]
    from replsim.kernels import loops

    found, sums = np.empty(len(targets), dtype=np.int64), np.empty(2 * loops.BUCKETS, dtype=np.int64)
    room = np.empty((2, len(value)), dtype=np.int64)
    wanted = np.array(targets, dtype=np.int64)
    loops.weighted_quantiles(plain(value), plain(weight), wanted, sums, room[0], room[1], found)
    return [int(each) for each in found]
