"""One direction of a link, for kernels: an ordered stream with latency, jitter, bandwidth and loss."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from replsim.kernels import part

__all__ = ["LACKING", "Way", "Wire", "send", "transfer"]

SECOND = 1_000_000_000
PACKET_BYTES = 1448
"""The payload of one TCP segment on Ethernet."""
LACKING = -1
"""In place of a time: the draws that are there do not suffice, and nothing has happened."""


class Wire(NamedTuple):
    """What a wire is like, and its next draws."""

    hold: int
    """How long one latency holds, or 0 for one draw a message."""
    held_from: int
    """The number of the stretch of time whose latency is the first in `latency`, where they are held."""
    latency: NDArray[np.int64]
    jittered: bool
    jitter: NDArray[np.int64]
    bandwidth: int
    """Bytes a second; 0 for no limit."""
    lossy: bool
    chance: NDArray[np.float64]
    log_lost: NDArray[np.float64]
    """Logarithm of the chance that one of so many packets is lost."""
    timeout: int


class Way(NamedTuple):
    """How far a wire has got."""

    used: int
    """Messages sent with the draws of this wire."""
    free: int
    """When the line is free for the next message."""
    last: int
    """When the last message arrives."""


@part
def transfer(size: int, bandwidth: int) -> int:
    """The time that ``size`` bytes take, rounded down."""
    if size < 1 << 33:
        return size * SECOND // bandwidth
    return size // bandwidth * SECOND + size % bandwidth * SECOND // bandwidth


@part
def send(time: int, size: int, wire: Wire, way: Way) -> Way:
    """Send ``size`` bytes at ``time``; `Way.last` is then when they have all arrived, or `LACKING`."""
    leave = max(time, way.free)
    if wire.bandwidth:
        leave += transfer(size, wire.bandwidth)
    number = leave // wire.hold - wire.held_from if wire.hold else way.used
    if (
        number >= len(wire.latency)
        or (wire.jittered and way.used >= len(wire.jitter))
        or (wire.lossy and way.used >= len(wire.chance))
    ):
        return Way(way.used, way.free, LACKING)
    arrival = leave + wire.latency[number]
    if wire.jittered:
        arrival += wire.jitter[way.used]
    if wire.lossy:
        # The uniform says how many times in a row a packet is lost; each costs a timeout that doubles, as TCP's does.
        packets = max(1, -(-size // PACKET_BYTES))
        times = int(min(math.log(wire.chance[way.used]) / wire.log_lost[packets], 12.0))
        arrival += wire.timeout * ((1 << times) - 1)
    return Way(way.used + 1, leave, max(arrival, way.last))
