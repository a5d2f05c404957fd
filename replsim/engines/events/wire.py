"""One direction of a link: it owns latency, jitter, bandwidth and loss."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

from replsim.randomness import Streams
from replsim.scenario.network import Link
from replsim.units import SECOND

__all__ = ["Wire"]

PACKET_BYTES = 1448
"""The payload of one TCP segment on Ethernet."""


class Wire:
    """An ordered stream in one direction: messages queue for the line and never overtake each other."""

    def __init__(self, streams: Streams, name: str, link: Link) -> None:
        self._draw: Callable[[], int] | None = None
        if link.hold is None:
            self._draw = streams.draws(f"{name}:latency", link.latency).next
        else:
            self._held = (
                streams.held(f"{name}:latency", link.latency, link.hold)
                if link.weather is None
                else streams.shared(f"weather:{link.weather}", link.latency, link.hold)
            )
        self._jitter = streams.draws(f"{name}:jitter", link.jitter).next if link.jitter else None
        self._bandwidth = link.bandwidth
        self._loss = link.loss
        self._log_loss = cache(link.log_loss)
        self._chance = streams.uniforms(f"{name}:loss").next
        self._timeout = link.retransmission_timeout
        self._free = 0
        self._last = 0
        self.resumes = 0
        """Until then the stream stands still, because its first packet was lost and is being sent again."""
        self.send: Callable[[int, int], int] = self._send
        """Send so many bytes at a time (never earlier than the last); returns when they have all arrived."""
        if self._draw is not None and self._jitter is None and self._bandwidth is None and not self._loss:
            self.send = self._delay_only

    def reset(self, now: int) -> None:
        """A new connection: it has nothing under way and waits for nothing."""
        self._free = self._last = self.resumes = now

    def _delay_only(self, time: int, size: int) -> int:  # noqa: ARG002 - without a bandwidth the size is nothing
        """`send` on a link that has a latency and nothing else: most links, and three messages in four."""
        assert self._draw is not None
        arrival = time + self._draw()
        if arrival < self._last:
            arrival = self._last
        self._last = arrival
        return arrival

    def _send(self, time: int, size: int) -> int:
        leave = time if time > self._free else self._free
        if self._bandwidth is not None:
            leave += size * SECOND // self._bandwidth
        self._free = leave
        arrival = leave + (self._draw() if self._draw is not None else self._held.at(leave))
        if self._jitter is not None:
            arrival += self._jitter()
        if self._loss:
            arrival += self._retransmissions(size, self._loss, self._chance())
        if arrival < self._last:
            arrival = self._last
        self._last = arrival
        return arrival

    def _retransmissions(self, size: int, share: float, chance: float) -> int:
        """The delay by lost packets, one uniform a message.

        The uniform gives how many times in a row one of the message's packets is lost (geometric); each time
        costs a timeout that doubles, as TCP's does.  Fast retransmission, which a busy stream may get, is left
        out: a loss costs a full timeout.
        """
        packets = max(1, -(-size // PACKET_BYTES))
        times = int(math.log(chance) / self._log_loss(packets, share))
        return self._timeout * ((1 << min(times, 12)) - 1)
