"""One direction of a link in real time: how long what enters it is on its way."""

from __future__ import annotations

import math
from typing import Final

from replsim.randomness import DurationDistribution, Streams
from replsim.randomness.streams import Draws
from replsim.scenario.network import Link
from replsim.units import SECOND

__all__ = ["Way"]

PACKET_BYTES: Final = 1448
"""The payload of one TCP segment on Ethernet."""


class Way:
    """An ordered stream: what enters queues for the bandwidth, is on its way for the latency, and never overtakes.

    The rules are those of docs/model.md ("Walsender and link"), written a second time: a link of the simulator
    and a real one must not share a mistake.
    """

    def __init__(self, streams: Streams, name: str, link: Link) -> None:
        self._streams = streams
        self._name = name
        self._held = None
        if link.hold is not None and link.weather is None:
            self._held = streams.held(f"{name}:latency", link.latency, link.hold)
        elif link.hold is not None:
            self._held = streams.shared(f"weather:{link.weather}", link.latency, link.hold)
        self._latency = streams.draws(f"{name}:latency", link.latency) if link.hold is None else None
        self._jitter = streams.draws(f"{name}:jitter", link.jitter) if link.jitter else None
        self._extra: Draws | None = None
        self._bandwidth = self._own_bandwidth = link.bandwidth
        self._loss = self._own_loss = link.loss
        self._timeout = link.retransmission_timeout
        self._chance = streams.uniforms(f"{name}:loss")
        self._free = 0
        self._last = 0

    def due(self, now: int, size: int) -> int:
        """When ``size`` bytes that enter ``now`` (never earlier than the last) have all arrived."""
        self._free = max(now, self._free) + (size * SECOND // self._bandwidth if self._bandwidth else 0)
        latency = self._latency.next() if self._latency else self._held.at(max(self._free, 0)) if self._held else 0
        for added in (self._jitter, self._extra):
            latency += added.next() if added else 0
        if self._loss:
            latency += self._retransmissions(size)
        self._last = max(self._free + latency, self._last)
        return self._last

    def delay(self, by: DurationDistribution | None, place: int) -> None:
        """Add so much to each latency from now on (fault number ``place``), or no more."""
        self._extra = None if by is None else self._streams.draws(f"{self._name}:delay:{place}", by)

    def throttle(self, to: int | None) -> None:
        """Have this bandwidth from now on, or the link's own again."""
        self._bandwidth = self._own_bandwidth if to is None else to

    def lose(self, share: float | None) -> None:
        """Lose so many packets from now on, or as many as the link does by itself."""
        self._loss = self._own_loss if share is None else share

    def _retransmissions(self, size: int) -> int:
        """How much later lost packets make it: a timeout that doubles while the same one is lost again."""
        log_lost = math.log1p(-((1 - self._loss) ** max(1, -(-size // PACKET_BYTES))))
        times = int(math.log(self._chance.next()) / log_lost) if log_lost else 12
        return self._timeout * ((1 << min(times, 12)) - 1)
