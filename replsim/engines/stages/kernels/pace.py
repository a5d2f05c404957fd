"""How fast something works over time, for kernels: as ever, several times slower, or not at all.

A worker's *own time* passes as time does, but more slowly in some stretches, and not at all in others.  Work is
reckoned in own time and told in time, so that a batch which a stall interrupts goes on where it was.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from replsim.kernels.compiled import part

__all__ = ["Pace", "Stops", "after", "awake", "own", "piece", "when"]

Ints = NDArray[np.int64]


class Pace(NamedTuple):
    """Piece by piece of time: when it begins, the own time by then, and how many times slower it is, 0 for a stop.

    Without any piece, time and own time are one.
    """

    starts: Ints
    own: Ints
    times: Ints


@part
def piece(starts: Ints, value: int) -> int:
    """The last of the rising ``starts`` that is not above ``value``; the first begins at 0."""
    low, high = 0, len(starts)
    while high - low > 1:
        middle = (low + high) // 2
        if starts[middle] <= value:
            low = middle
        else:
            high = middle
    return low


class Stops(NamedTuple):
    """When a process stands still: from each of the starts, in order, to its end."""

    starts: Ints
    ends: Ints


@part
def awake(stops: Stops, time: int) -> int:
    """When a process does what is due at ``time``: at once, or when it goes on."""
    if not len(stops.starts):
        return time
    at = piece(stops.starts, time)
    return int(stops.ends[at]) if stops.starts[at] <= time < stops.ends[at] else time


@part
def own(pace: Pace, time: int) -> int:
    """The own time at ``time``."""
    if not len(pace.starts):
        return time
    at = piece(pace.starts, time)
    times = pace.times[at]
    return int(pace.own[at] + ((time - pace.starts[at]) // times if times else 0))


@part
def when(pace: Pace, reached: int) -> int:
    """The first time at which so much own time has passed."""
    if not len(pace.starts):
        return reached
    at = piece(pace.own, reached - 1)
    return int(pace.starts[at] + (reached - pace.own[at]) * pace.times[at])


@part
def after(pace: Pace, start: int, work: int) -> int:
    """When work that begins at ``start`` and takes ``work`` of own time is done."""
    if not len(pace.starts):
        return start + work
    return max(when(pace, own(pace, start) + work), start)
