"""One direction of a link: its draws, and how far it has got."""

from __future__ import annotations

from typing import Final

import numpy as np

from replsim.engines.stages.actors import feed
from replsim.engines.stages.columns import Ints
from replsim.engines.stages.kernels import wire as kernel
from replsim.engines.stages.troubles import LinkTroubles
from replsim.randomness import Streams
from replsim.scenario.faults import Delay
from replsim.scenario.network import Link
from replsim.units import NEVER

__all__ = ["WireFeed"]

_NO_CHANCE: Final = np.empty(0, dtype=np.float64)
_NO_DRAWS: Final = np.empty(0, dtype=np.int64)
MOST_PACKETS: Final = 256


class WireFeed:
    """The stream of messages called ``name``, which draws from the streams that it names."""

    def __init__(self, streams: Streams, name: str, link: Link, troubles: LinkTroubles) -> None:
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
        shares = sorted({link.loss, *troubles.loss})
        shares.insert(0, shares.pop(shares.index(link.loss)))
        self._chance = feed.uniforms(streams, f"{name}:loss") if any(shares) else None
        self._bandwidth = link.bandwidth or 0
        self._timeout = link.retransmission_timeout
        self._log_lost = np.array(
            [
                [0.0, *(link.log_loss(packets, share) if share else 0.0 for packets in range(1, MOST_PACKETS))]
                for share in shares
            ]
        )
        self._troubled = _troubled(troubles, shares)
        self._delays = _Delays(streams, name, troubles)
        self._sent = 0
        self._stretches = 1
        self.settled = NEVER
        """A connection that is lost later loses what is under way, and the wire is free again sooner."""

    def view(self, count: int, way: kernel.Way, *, lacking: bool = False) -> kernel.Wire:
        """The wire with draws for ``count`` messages; where some were ``lacking``, for more time than before."""
        if lacking:
            self._stretches *= 2
        latency = self._latency.at_least(count) if self._latency else _NO_DRAWS
        if self._held is not None:
            self._held.passed(min(way.free, self.settled))
            latency = self._held.until(way.free + self._held.hold * self._stretches)
        self._delays.passed(min(way.free, self.settled))
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
            troubled=self._troubled,
            sent=self._sent,
            began=self._delays.began,
            drew=self._delays.drew,
            delay_from=self._delays.first,
            added=self._delays.draws(count, self._stretches),
        )

    def send(self, time: int, size: int, way: kernel.Way) -> kernel.Way:
        """Send one message alone."""
        then = kernel.send_one(time, size, self.view(1, way), way)
        while then.last == kernel.LACKING:
            then = kernel.send_one(time, size, self.view(1, way, lacking=True), way)
        self.used(1)
        return then._replace(used=0)

    def used(self, count: int) -> None:
        """So many messages were sent."""
        for each in (self._latency, self._jitter, self._chance):
            if each is not None:
                each.used(count)
        self._sent += count
        self._delays.used(self._sent)


class _Delays:
    """The draws of each delay of a wire: the k-th message in it takes the k-th."""

    def __init__(self, streams: Streams, name: str, troubles: LinkTroubles) -> None:
        self._ends = [each.end for each in troubles.delayed]
        self._feeds = []
        for each in troubles.delayed:
            assert isinstance(each.fault, Delay)
            stream = f"fault:{name.removeprefix('link:')}:{each.place}:{each.start}:delay"
            self._feeds.append(feed.draws(streams, stream, each.fault.by))
        self.began = np.full(len(self._feeds), -1, dtype=np.int64)
        """Of each delay, the message that takes the first draw that is left; -1 until there is one."""
        self.drew = np.zeros(len(self._feeds), dtype=np.int64)
        """Of each delay, the message behind the last that took a draw: those after it left when the delay was over.

        A new connection may go back behind that.
        """
        self.first = 0
        """The first delay that is not over."""
        self._time = 0

    def passed(self, time: int) -> None:
        """Nothing is sent before ``time`` any more."""
        self._time = time
        while self.first < len(self._ends) and self._ends[self.first] <= time:
            self.first += 1

    def draws(self, count: int, rows: int) -> Ints:
        """The draws for ``count`` messages of so many delays that are not over, a row each."""
        rows = min(rows, len(self._feeds) - self.first)
        drawn = np.zeros((rows, count if rows else 0), dtype=np.int64)
        for row in range(rows):
            if self._ends[self.first + row] > self._time:
                drawn[row] = self._feeds[self.first + row].at_least(count)[:count]
        return drawn

    def used(self, sent: int) -> None:
        """``sent`` messages have been sent in all."""
        np.minimum(self.drew, sent, out=self.drew)
        for number in range(self.first, len(self._feeds)):
            if 0 <= self.began[number] < sent:
                self._feeds[number].used(max(int(self.drew[number] - self.began[number]), 0))
                self.began[number] = sent
            elif self.began[number] > sent:
                self.began[number] = -1  # of a message that a kernel tried, and did not send


def _troubled(troubles: LinkTroubles, shares: list[float]) -> kernel.Troubled:
    def ints(values: list[int]) -> Ints:
        return np.array(values, dtype=np.int64)

    counts = [len(on) for on in troubles.delays]
    return kernel.Troubled(
        starts=ints(troubles.starts),
        healed=ints(troubles.healed),
        bandwidth=ints(troubles.bandwidth),
        loss=ints([shares.index(share) for share in troubles.loss]),
        first_delay=np.cumsum([0, *counts], dtype=np.int64),
        delays=ints([place for on in troubles.delays for place in on]),
    )
