"""A walsender behind a link with a window, as a kernel: it sends what the window admits, the rest as that opens.

TCP's acknowledgements travel on the way back as messages without bytes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from replsim.engines.stages.kernels.sender_link import Flushed, Messages
from replsim.engines.stages.kernels.wire import LACKING, Way, Wire, send
from replsim.kernels.compiled import compiled, part

__all__ = ["AVAILABLE", "COUNT", "DONE", "DUE", "FIRST", "SENT", "InFlight", "initial", "window_link"]

Ints = NDArray[np.int64]

# What a sender's state holds, by place.
DONE = 0  # the flushes dealt with, of those that the kernel was given; 0 between two calls
SENT = 1
AVAILABLE = 2  # up to where it may send
SENDING = 3  # the moment at which it fills the window, or `IDLE`
DUE = 4  # where something waits: when it looks again whether the window has opened
BYTES = 5  # in flight
FIRST = 6  # the first message in flight, and how many there are, by their place in `InFlight`
COUNT = 7
FIELDS = 8

IDLE = -1


class InFlight(NamedTuple):
    """Messages, of which some are not acknowledged: when the acknowledgement is back, and their bytes."""

    back: Ints
    bytes: Ints


def initial() -> Ints:
    """The state at time zero."""
    state = np.zeros(FIELDS, dtype=np.int64)
    state[SENDING] = IDLE
    return state


@part
def next_moment(s: Ints, flushed: Flushed, wakeup: int, end: int) -> bool:
    """Go on to the next moment at which it may send; false where that is not known yet, or after the end."""
    while True:
        done = s[DONE]
        more, waits = done < len(flushed.time), s[AVAILABLE] > s[SENT]
        if waits and not (more and flushed.time[done] <= s[DUE]):
            if not more and s[DUE] > end:
                return False
            s[SENDING] = s[DUE]
            return True
        if not more:
            return False
        s[AVAILABLE] = flushed.position[done]
        s[DONE] = done + 1
        if not waits:
            s[SENDING] = flushed.time[done] + wakeup
            return True


@part
def fill(
    s: Ints,
    ways: tuple[Way, Way],
    wires: tuple[Wire, Wire],
    in_flight: InFlight,
    most: int,
    window: int,
    out: Messages,
) -> tuple[tuple[Way, Way], bool]:
    """Send what the window admits at the moment; whether draws and room sufficed."""
    now = s[SENDING]
    way, back = ways
    while s[FIRST] < s[COUNT] and in_flight.back[s[FIRST]] <= now:
        s[BYTES] -= in_flight.bytes[s[FIRST]]
        s[FIRST] += 1
    while s[SENT] < s[AVAILABLE] and s[BYTES] < window:
        size = min(min(s[AVAILABLE] - s[SENT], most), window - s[BYTES])
        n = way.used
        there = send(now, size, wires[0], way)
        again = send(there.last, 0, wires[1], back)
        if n == len(out.sent) or there.last == LACKING or again.last == LACKING:
            return (way, back), False
        way, back = there, again
        s[SENT] += size
        s[BYTES] += size
        out.sent[n], out.arrival[n], out.position[n] = now, way.last, s[SENT]
        in_flight.back[s[COUNT]], in_flight.bytes[s[COUNT]] = back.last, size
        s[COUNT] += 1
    s[SENDING] = IDLE
    if s[SENT] < s[AVAILABLE]:
        s[DUE] = max(in_flight.back[s[FIRST]], now)
    return (way, back), True


@compiled
def window_link(
    s: Ints,
    ways: tuple[Way, Way],
    flushed: Flushed,
    wires: tuple[Wire, Wire],
    in_flight: InFlight,
    limits: tuple[int, int, int],
    end: int,
    out: Messages,
) -> tuple[tuple[Way, Way], bool]:
    """Send what is ``flushed``; whether draws and room sufficed.

    The state ``s`` is moved on.  ``wires`` are that of the messages and that of their acknowledgements; ``limits`` the
    wakeup, the most bytes of a message and the window.  ``end`` is the end of the run where no other flushes come
    before it, else -1.
    """
    wakeup, most, window = limits
    while s[SENDING] != IDLE or next_moment(s, flushed, wakeup, end):
        ways, enough = fill(s, ways, wires, in_flight, most, window, out)
        if not enough:
            return ways, False
    return ways, True
