"""One direction of a link: its draws, and how far it has got."""

from __future__ import annotations

from typing import Final

import numpy as np

from replsim.engines.stages.actors import feed
from replsim.engines.stages.kernels import wire as kernel
from replsim.randomness import Streams
from replsim.scenario.network import Link

__all__ = ["WireFeed"]

_NO_CHANCE: Final = np.empty(0, dtype=np.float64)
_NO_DRAWS: Final = np.empty(0, dtype=np.int64)
MOST_PACKETS: Final = 256


class WireFeed:
    """The stream of messages called ``name``, which draws from the streams that it names."""

    def __init__(self, streams: Streams, name: str, link: Link) -> None:
        self._held = None
        self._latency = None
        if link.hold is None or link.latency.constant is not None:
            self._latency = feed.draws(streams, f"{name}:latency", link.latency)
        else:
            self._held = feed.Held(
                streams.held(f"{name}:latency", link.latency, link.hold)
                if link.weather is None
                else streams.shared(f"weather:{link.weather}", link.latency, link.hold),
                link.hold,
            )
        self._jitter = feed.draws(streams, f"{name}:jitter", link.jitter) if link.jitter else None
        self._chance = feed.uniforms(streams, f"{name}:loss") if link.loss else None
        self._bandwidth = link.bandwidth or 0
        self._timeout = link.retransmission_timeout
        lost = [link.log_loss(packets) for packets in range(1, MOST_PACKETS)] if link.loss else []
        self._log_lost = np.array([0.0, *lost])
        self._stretches = 1

    def view(self, count: int, way: kernel.Way, *, lacking: bool = False) -> kernel.Wire:
        """The wire with draws for ``count`` messages; where some were ``lacking``, for more time than before."""
        latency = self._latency.at_least(count) if self._latency else _NO_DRAWS
        if self._held is not None:
            self._held.passed(way.free)
            if lacking:
                self._stretches *= 2
            latency = self._held.until(way.free + self._held.hold * self._stretches)
        return kernel.Wire(
            hold=self._held.hold if self._held else 0,
            held_from=self._held.first if self._held else 0,
            latency=latency,
            jittered=self._jitter is not None,
            jitter=self._jitter.at_least(count) if self._jitter else _NO_DRAWS,
            bandwidth=self._bandwidth,
            lossy=self._chance is not None,
            chance=self._chance.at_least(count) if self._chance else _NO_CHANCE,
            log_lost=self._log_lost,
            timeout=self._timeout,
        )

    def used(self, count: int) -> None:
        """So many messages were sent."""
        for each in (self._latency, self._jitter, self._chance):
            if each is not None:
                each.used(count)
