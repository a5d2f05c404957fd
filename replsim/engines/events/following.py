"""A life as a standby: replay, and one connection to the upstream after the other."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from replsim.engines.events.connection import Connection
from replsim.engines.events.contested_replay import ContestedReplay
from replsim.engines.events.log import Log
from replsim.engines.events.paced_replay import PacedReplay
from replsim.engines.events.replay import Replay
from replsim.units import NEVER

if TYPE_CHECKING:
    from replsim.engines.events.cluster import Cluster
    from replsim.engines.events.node import Node

__all__ = ["Following"]


class Following:
    """What a node is made of while it follows: its startup process, and the connections that it had."""

    def __init__(self, cluster: Cluster, node: Node, log: Log, *, start: int = 0, now: int = 0) -> None:
        self.node = node
        self.log = log
        """The history that it holds a part of."""
        self.histories = [(now, log.branch)]
        """Which branch of the log it was on, each from a time on."""
        self.start, self.began = start, now
        self.ended = NEVER
        self.first_flush = len(node.device.starts)
        standby = cluster.standby_settings(node.name)
        wakeup = cluster.scenario.wakeup
        if node.pace is None:
            self.replay = Replay(node.replay_draw, standby, log, wakeup, start=start, now=now)
        elif (queries := cluster.queries.get(node.name)) is not None and queries.spans:
            self.replay = ContestedReplay(
                node.replay_draw, standby, log, wakeup, start=start, now=now, pace=node.pace,
                queries=queries.spans, tell=queries.tell,
            )  # fmt: skip
        else:
            self.replay = PacedReplay(node.replay_draw, standby, log, wakeup, start=start, now=now, pace=node.pace)
        self.connections: list[Connection] = []
        self.lost = False
        """Whether it has been refused, because what it needs was removed."""
        self.next_try = 0
        """When it would try to connect again."""

    @property
    def connection(self) -> Connection | None:
        """The connection that it has, as far as it knows."""
        return self.connections[-1] if self.connections and not self.connections[-1].lost else None

    @property
    def flushed(self) -> int:
        """Up to where its WAL is flushed."""
        return self.connections[-1].receiver.flushed if self.connections else self.start

    def written(self, now: int) -> int:
        """Up to where its WAL is in the operating system's cache, or on the disk."""
        return self.connections[-1].receiver.written_by(now) if self.connections else self.start

    @property
    def settled(self) -> bool:
        """Whether all that it has received is flushed."""
        return not self.connections or self.connections[-1].receiver.idle

    def received(self) -> tuple[array[int], array[int]]:
        """What came another way than by a connection: when, and where it ends."""
        return array("q"), array("q")

    def flushes(self) -> array[int]:
        """When the flush of each of its batches ended."""
        return sum((each.receiver.flushes for each in self.connections), array("q"))

    def follow(self, log: Log, now: int) -> None:
        """Its upstream goes on along another history, which holds all that it has."""
        self.log = log
        self.histories.append((now, log.branch))
        self.replay.follow(log)
