"""One direction of a link, for kernels: an ordered stream with latency, jitter, bandwidth and loss, and its troubles.

What is sent while the link is cut is retransmitted by TCP after one timeout, two more, four more, …: the stream goes
on at the first of these times at which the link is whole again.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from replsim.engines.stages.kernels.pace import piece
from replsim.kernels.compiled import compiled, part

__all__ = ["LACKING", "Troubled", "Way", "Wire", "send", "send_one", "transfer"]

Ints = NDArray[np.int64]

SECOND = 1_000_000_000
PACKET_BYTES = 1448
"""The payload of one TCP segment on Ethernet."""
LONGEST_GAP = 120 * SECOND
"""Between two retransmissions of a packet (Linux' TCP_RTO_MAX)."""
LACKING = -1
"""In place of a time: the draws that are there do not suffice, and nothing has happened."""


class Troubled(NamedTuple):
    """What is wrong with a wire, piece by piece of time; no piece where nothing ever is."""

    starts: Ints
    healed: Ints
    """When the cut ends that is on; 0 where none is."""
    bandwidth: Ints
    """Bytes a second; 0 for no limit."""
    loss: Ints
    """Which row of `Wire.log_lost`."""
    first_delay: Ints
    """Where the delays that are on begin in `delays`; they end where those of the next piece begin."""
    delays: Ints
    """Delays by number, in the order of their starts."""


class Wire(NamedTuple):
    """What a wire is like, and its next draws."""

    hold: int
    """How long one latency holds, or 0 for one draw a message."""
    held_from: int
    """The number of the stretch of time whose latency is the first in `latency`, where they are held."""
    latency: Ints
    jittered: bool
    jitter: Ints
    bandwidth: int
    """Bytes a second; 0 for no limit."""
    lossy: bool
    """Whether it ever loses a packet."""
    chance: NDArray[np.float64]
    log_lost: NDArray[np.float64]
    """Logarithm of the chance that one of so many packets is lost: in row 0 as ever, in others where it is troubled."""
    timeout: int
    troubled: Troubled
    sent: int
    """Messages sent before those with the draws of this wire."""
    began: Ints
    """Of each delay, the message that takes the first of its draws here; -1 until it has one."""
    drew: Ints
    """Of each delay, the message behind the last that took a draw of it."""
    delay_from: int
    """The number of the delay whose draws are the first row of `added`."""
    added: Ints
    """Draws of the delays that may be on, a row each."""


class Way(NamedTuple):
    """How far a wire has got."""

    used: int
    """Messages sent with the draws of this wire."""
    free: int
    """When the line is free for the next message."""
    last: int
    """When the last message arrives."""
    resumes: int
    """Until then the stream stands still, because its first packet was lost and is being sent again."""


@part
def transfer(size: int, bandwidth: int) -> int:
    """The time that ``size`` bytes take, rounded down."""
    if size < 1 << 33:
        return size * SECOND // bandwidth
    return size // bandwidth * SECOND + size % bandwidth * SECOND // bandwidth


@part
def through(leave: int, wire: Wire) -> int:
    """When a packet gets through that is first sent at ``leave``: its first transmission while no cut is on."""
    healed = wire.troubled.healed[piece(wire.troubled.starts, leave)]
    while healed:
        gap = max(wire.timeout, 1)
        while leave < healed:
            leave += gap
            gap = min(2 * gap, LONGEST_GAP)
        healed = wire.troubled.healed[piece(wire.troubled.starts, leave)]
    return leave


@part
def delayed(at: int, used: int, wire: Wire) -> int:
    """What the delays of a piece add to a message, or `LACKING`; the k-th message in a delay takes its k-th draw."""
    total = 0
    number = wire.sent + used
    for n in range(wire.troubled.first_delay[at], wire.troubled.first_delay[at + 1]):
        delay = wire.troubled.delays[n]
        row = delay - wire.delay_from
        if row >= wire.added.shape[0]:
            return LACKING
        if wire.began[delay] < 0:
            wire.began[delay] = number
        draw = number - wire.began[delay]
        if draw >= wire.added.shape[1]:
            return LACKING
        total += wire.added[row, draw]
        wire.drew[delay] = number + 1
    return total


@part
def send(time: int, size: int, wire: Wire, way: Way) -> Way:
    """Send ``size`` bytes at ``time``; `Way.last` is then when they have all arrived, or `LACKING`."""
    leave, resumes = max(time, way.free), way.resumes
    bandwidth, delay, row = wire.bandwidth, 0, 0
    troubled = len(wire.troubled.starts) > 0
    if troubled:
        passes = through(leave, wire)
        if passes > leave:
            leave = resumes = passes
        bandwidth = wire.troubled.bandwidth[piece(wire.troubled.starts, leave)]
    if bandwidth:
        leave += transfer(size, bandwidth)
    number = leave // wire.hold - wire.held_from if wire.hold else way.used
    if troubled:
        at = piece(wire.troubled.starts, leave)
        row, delay = wire.troubled.loss[at], delayed(at, way.used, wire)
    if (
        delay == LACKING
        or number >= len(wire.latency)
        or (wire.jittered and way.used >= len(wire.jitter))
        or (wire.lossy and way.used >= len(wire.chance))
    ):
        return Way(way.used, way.free, LACKING, way.resumes)
    arrival = leave + wire.latency[number] + delay
    if wire.jittered:
        arrival += wire.jitter[way.used]
    if wire.lossy and wire.log_lost[row, 1] < 0:
        # The uniform says how many times in a row a packet is lost; each costs a timeout that doubles, as TCP's does.
        packets = max(1, -(-size // PACKET_BYTES))
        times = int(min(math.log(wire.chance[way.used]) / wire.log_lost[row, packets], 12.0))
        arrival += wire.timeout * ((1 << times) - 1)
    return Way(way.used + 1, leave, max(arrival, way.last), resumes)


@compiled
def send_one(time: int, size: int, wire: Wire, way: Way) -> Way:
    """`send`, for who sends one message alone."""
    return send(time, size, wire, way)
