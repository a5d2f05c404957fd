"""One direction of a link that is cut, slow, narrow or lossy for some of the time."""

from __future__ import annotations

from typing import Final

from typing_extensions import override

from replsim.engines.events.troubles import LinkTroubles
from replsim.engines.events.wire import Wire
from replsim.randomness import Streams
from replsim.scenario.network import Link
from replsim.units import SECOND

__all__ = ["TroubledWire"]

LONGEST_GAP: Final = 120 * SECOND
"""Between two retransmissions of a packet (Linux' TCP_RTO_MAX)."""


class TroubledWire(Wire):
    """A `Wire` with `LinkTroubles`.

    What is sent while the link is cut is retransmitted by TCP after one retransmission timeout, two more, four
    more, …: the stream goes on at the first of these times at which the link is whole again, and until then
    everything waits behind the packet that was lost first.  What had left before the cut still arrives.
    """

    def __init__(self, streams: Streams, name: str, link: Link, troubles: LinkTroubles) -> None:
        super().__init__(streams, name, link)
        self.troubles = troubles
        self._lossy = bool(self._loss or troubles.losses)
        self._delays = [
            (start, end, streams.draws(f"fault:{name.removeprefix('link:')}:{fault}:delay", by).next)
            for start, end, fault, by in troubles.delays
        ]
        self.send = self._send

    @override
    def _send(self, time: int, size: int) -> int:
        leave = max(time, self._free, self.resumes)
        cut = self.troubles.cut_at(leave)
        while cut is not None:
            leave = self.resumes = self._retransmitted(leave, cut[1])
            cut = self.troubles.cut_at(leave)
        bandwidth = min((each[2] for each in self.troubles.bandwidths if each[0] <= leave < each[1]), default=None)
        if bandwidth is None or (self._bandwidth is not None and self._bandwidth < bandwidth):
            bandwidth = self._bandwidth
        if bandwidth is not None:
            leave += size * SECOND // bandwidth
        self._free = leave
        arrival = leave + (self._draw() if self._draw is not None else self._held.at(leave))
        if self._jitter is not None:
            arrival += self._jitter()
        arrival += sum(draw() for start, end, draw in self._delays if start <= leave < end)
        loss = max((each[2] for each in self.troubles.losses if each[0] <= leave < each[1]), default=0.0)
        if self._lossy:
            # Message k takes uniform k, whether packets are lost at the moment or not.
            chance, share = self._chance(), max(loss, self._loss)
            arrival += self._retransmissions(size, share, chance) if share else 0
        self._last = max(arrival, self._last)
        return self._last

    def _retransmitted(self, lost: int, healed: int) -> int:
        """When a packet lost at ``lost`` comes through: its first retransmission after the link has ``healed``."""
        gap, at = max(self._timeout, 1), lost
        while at < healed:
            at += gap
            gap = min(2 * gap, LONGEST_GAP)
        return at
