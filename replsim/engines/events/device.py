"""A WAL device: what a write and a flush cost on one node."""

from __future__ import annotations

import operator
from array import array
from collections.abc import Callable

from replsim.engines.events.pace import Pace
from replsim.randomness import Streams
from replsim.scenario.nodes import WalDevice
from replsim.units import SECOND

__all__ = ["Device"]


class Device:
    """The k-th write of a node takes draw k of its stream, and so does the k-th flush."""

    def __init__(self, streams: Streams, node: str, device: WalDevice, pace: Pace | None = None) -> None:
        self._write = streams.draws(f"disk:{node}:write", device.write).next
        self._flush = streams.draws(f"disk:{node}:flush", device.flush).next
        self._bandwidth = device.bandwidth
        self.size_matters = device.bandwidth is not None
        self.done: Callable[[int, int], int] = operator.add if pace is None else pace.after
        """When work that begins at a time, and takes so long, is done: later where the device stalls or is slow."""
        self.starts = array("q")
        """When each flush began."""

    def write_time(self, size: int) -> int:
        """The time of one write call of ``size`` bytes, in nanoseconds."""
        if self._bandwidth is None:
            return self._write()
        return self._write() + size * SECOND // self._bandwidth

    def flush_time(self) -> int:
        """The time of one flush, in nanoseconds."""
        return self._flush()
