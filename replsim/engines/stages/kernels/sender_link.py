"""A walsender and the link behind it as a kernel: what its node has flushed becomes messages that arrive in order.

It is woken by each flush and sends all that is new, in messages of at most ``message_bytes`` (``XLogSendPhysical``).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from replsim.engines.stages.kernels.wire import LACKING, Way, Wire, send
from replsim.kernels.compiled import compiled

__all__ = ["Flushed", "Messages", "Sender", "sender_link"]

Ints = NDArray[np.int64]


class Flushed(NamedTuple):
    """When a node's flushes ended, and the position that each reached."""

    time: Ints
    position: Ints


class Messages(NamedTuple):
    """Room for messages: when each was sent, when it arrives, and where it ends."""

    sent: Ints
    arrival: Ints
    position: Ints


class Sender(NamedTuple):
    """A sender: the flushes that it has dealt with of those that it was given, and where its last message ended."""

    done: int
    sent: int


@compiled
def sender_link(
    s: Sender, way: Way, flushed: Flushed, wire: Wire, wakeup: int, message_bytes: int, out: Messages
) -> tuple[Sender, Way, bool]:
    """Send all that is ``flushed``; whether draws and room sufficed.  ``way.used`` counts the messages."""
    done, sent = s.done, s.sent
    for i in range(done, len(flushed.time)):
        at = flushed.time[i] + wakeup
        while sent < flushed.position[i]:
            size = min(flushed.position[i] - sent, message_bytes)
            n = way.used
            then = send(at, size, wire, way)
            if n == len(out.sent) or then.last == LACKING:
                return Sender(i, sent), way, False
            way = then
            sent += size
            out.sent[n], out.arrival[n], out.position[n] = at, way.last, sent
    return Sender(len(flushed.time), sent), way, True
