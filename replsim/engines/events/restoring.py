"""A life as a standby that restores WAL from the archive."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from typing_extensions import override

from replsim.engines.events.following import Following

if TYPE_CHECKING:
    from replsim.engines.events.cluster import Cluster
    from replsim.engines.events.log import Log
    from replsim.engines.events.node import Node

__all__ = ["Restoring"]


class Restoring(Following):
    """It has no connection: its startup process fetches a file at a time and replays it before it asks for the next.

    Source: PostgreSQL ``xlogrecovery.c:WaitForWALToBecomeAvailable`` (``XLOG_FROM_ARCHIVE``).
    """

    def __init__(self, cluster: Cluster, node: Node, log: Log, *, start: int, now: int) -> None:
        super().__init__(cluster, node, log, start=start, now=now)
        self._restored = start
        self._times = array("q")

    def take(self, now: int, position: int) -> None:
        """A file has come, which ends at ``position``."""
        self._restored = position
        self._times.append(now)
        self.node.device.starts.append(now)
        self.replay.positions.append(position)
        self.replay.hand_over(now, position)
        for ship in self.node.ship:
            ship(now, position)

    @property
    @override
    def flushed(self) -> int:
        return self._restored

    @override
    def written(self, now: int) -> int:
        return self._restored

    @override
    def received(self) -> tuple[array[int], array[int]]:
        return self._times, self.replay.positions

    @override
    def flushes(self) -> array[int]:
        return self._times
