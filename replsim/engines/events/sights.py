"""What the nodes show at this moment, and how far behind they are: the cluster as readers see it while it runs."""

from __future__ import annotations

from bisect import bisect_left
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from replsim.engines.events.log import Log
from replsim.engines.events.replay import Replay
from replsim.record.branch import LSN, SHIFT, shared

if TYPE_CHECKING:
    from replsim.engines.events.cluster import Cluster
    from replsim.engines.events.node import Node

__all__ = ["Sights"]


class Sights:
    """Looks at nodes now.

    What is seen is where the newest commit ends that a look shows, 0 for none, coded by its branch of the log; a token
    is one of these, and a node is asked for its LSN alone, as real systems do it.

    Where primaries may come and go a look at one shows what it has inserted, as the analysis has it then; it is also
    what clients of a primary remember (``pg_current_wal_insert_lsn``).
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._nodes = cluster.nodes
        self._log = cluster.reigns[0].log
        self._visible: list[tuple[int, int]] = []
        """Commits that are not visible yet: when they will be, and where they end."""
        self._shown = 0

    def answered(self, row: int, visible: int) -> None:
        """A commit will be visible on the primary."""
        if not self._cluster.eventful:
            heappush(self._visible, (visible, self._log.lsn[row]))

    def up(self, node: str) -> bool:
        """Whether a node answers."""
        return self._nodes[node].up

    def is_primary(self, node: str) -> bool:
        """Whether a node takes writes, and so every read."""
        return self._nodes[node].reign is not None

    def serving(self) -> str | None:
        """The clients' primary, if they have one."""
        reign = self._cluster.succession.serving
        return None if reign is None else reign.node.name

    def replay(self, node: str) -> Replay:
        """A standby's replay."""
        following = self._nodes[node].following
        assert following is not None, f"{node} is no standby now"
        return following.replay

    def seen(self, node: str, now: int) -> int:
        """What a look shows."""
        there = self._nodes[node]
        if there.reign is None:
            log = self._cluster.log_of(there)
            return self.coded(log, self.replay(node).count(now))
        if self._cluster.eventful:
            return self.coded(there.reign.log, len(there.reign.log.lsn))
        while self._visible and self._visible[0][0] <= now:
            self._shown = max(self._shown, heappop(self._visible)[1])
        return self._shown

    def holds(self, node: str, token: int, now: int) -> bool:
        """Whether a standby has replayed up to a token, or is the primary, or nothing is asked."""
        return self.is_primary(node) or self.replay(node).position(now) >= token & LSN

    def coded(self, log: Log, count: int) -> int:
        """Where the last of the first ``count`` commits of a log ends."""
        if not count:
            return 0
        lsn, branch, branches = log.lsn[count - 1], log.branch, self._cluster.branches
        while branch and lsn <= branches[branch].fork:
            branch = branches[branch].parent
        return (branch << SHIFT) | lsn

    def lag(self, node: str, now: int) -> tuple[int, int]:
        """How long the oldest commit has been flushed on the last primary that a node lacks, and the bytes."""
        there, reign = self._nodes[node], self._cluster.reigns[-1]
        if not there.up or there is reign.node:
            return 0, 0
        primary, lsn = reign.primary, reign.log.lsn
        position = self._applied(there, now)
        behind = max(primary.flushed - position, 0)
        count = reign.log.count_up_to(position)
        if count == len(lsn) or lsn[count] > primary.flushed:
            return 0, behind
        writer = self._cluster.reigns[self.coded(reign.log, count + 1) >> SHIFT].primary
        return now - writer.flushes[bisect_left(writer.flush_positions, lsn[count])], behind

    def _applied(self, node: Node, now: int) -> int:
        """What a node has applied of the last primary's history."""
        branches, log = self._cluster.branches, self._cluster.log_of(node)
        position = node.flushed if node.reign is not None else self.replay(node.name).position(now)
        return min(position, shared(branches, log.branch, self._cluster.reigns[-1].log.branch))
