"""What the nodes show at this moment, and how far behind they are: the cluster as readers see it while it runs."""

from __future__ import annotations

from bisect import bisect_left
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from replsim.engines.events.replay import Replay

if TYPE_CHECKING:
    from replsim.engines.events.cluster import Cluster

__all__ = ["Sights"]


class Sights:
    """Looks at nodes now.  What is seen is a count: one more than the newest commit that a look shows, 0 for none."""

    def __init__(self, cluster: Cluster) -> None:
        reign = cluster.reigns[0]
        self._nodes = cluster.nodes
        self._name = reign.node.name
        self._log, self._primary = reign.log, reign.primary
        self._visible: list[tuple[int, int]] = []
        """Commits that are not visible yet: when they will be, and their count."""
        self._shown = 0

    def answered(self, row: int, visible: int) -> None:
        """A commit will be visible on the primary."""
        heappush(self._visible, (visible, row + 1))

    def is_primary(self, node: str) -> bool:
        """Whether a node takes the writes."""
        return node == self._name

    def replay(self, node: str) -> Replay:
        """A standby's replay."""
        following = self._nodes[node].following
        assert following is not None, f"{node} is down"
        return following.replay

    def seen(self, node: str, now: int) -> int:
        """What a look shows."""
        if not self.is_primary(node):
            return self.replay(node).count(now)
        while self._visible and self._visible[0][0] <= now:
            self._shown = max(self._shown, heappop(self._visible)[1])
        return self._shown

    def lag(self, node: str, now: int) -> tuple[int, int]:
        """How long the oldest commit has been flushed on the primary that a node has not applied, and the bytes."""
        if self.is_primary(node):
            return 0, 0
        primary, lsn, replay = self._primary, self._log.lsn, self.replay(node)
        behind = max(primary.flushed - replay.position(now), 0)
        count = replay.count(now)
        if count == len(lsn) or lsn[count] > primary.flushed:
            return 0, behind
        return now - primary.flushes[bisect_left(primary.flush_positions, lsn[count])], behind
