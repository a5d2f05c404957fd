"""The queries on standbys that conflict with replay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from replsim.engines.events.agenda import Rank
from replsim.engines.events.contested_replay import ContestedReplay
from replsim.scenario.faults import Query
from replsim.scenario.windows import Window

if TYPE_CHECKING:
    from replsim.engines.events.cluster import Cluster
    from replsim.engines.events.node import Node

__all__ = ["Queries"]


class Queries:
    """All queries of one standby.

    Under ``hot_standby_feedback`` the primary keeps what they may want to see, and none of them conflicts.
    """

    def __init__(self, cluster: Cluster, node: Node) -> None:
        assert cluster.troubles is not None
        self._cluster = cluster
        self._node = node
        feedback = cluster.standby_settings(node.name).hot_standby_feedback
        self._windows: list[Window] = [
            each
            for each in cluster.troubles.windows
            if isinstance(each.fault, Query) and each.fault.query == node.name and not feedback
        ]

    @property
    def spans(self) -> list[tuple[int, int]]:
        """From when to when each runs, if nothing ends it."""
        return [(each.start, each.end) for each in self._windows]

    def contest(self, now: int) -> None:
        """A query has begun, or replay goes on: if it waits, so do the replies that replay asks for."""
        following = self._node.following
        if following is None or not isinstance(following.replay, ContestedReplay):
            return
        receiver = None if following.connection is None else following.connection.receiver
        if receiver is not None:
            receiver.finish(now)
        pace = self._node.pace
        assert pace is not None
        asked = [] if receiver is None else [pace.own(time) for time in receiver.asked]
        if following.replay.contest(now) and receiver is not None:
            receiver.ask_later([pace.when(own) for own in asked])

    def tell(self, begin: int, end: int, cancelled: list[int]) -> None:
        """Replay waits from ``begin`` to ``end``, and then cancels some queries."""
        note, agenda, name, place = self._cluster.note, self._node.agenda, self._node.name, self._node.place
        if end > begin:
            agenda.at(begin, Rank.FAULT, place, lambda now: note(now, name, "conflict"))
            agenda.at(end, Rank.FAULT, place, lambda now: note(now, name, "conflict ends"))
        for each in cancelled:
            self._cluster.over.add((self._windows[each].place, self._windows[each].start))
            agenda.at(end, Rank.FAULT, place, lambda now: note(now, name, "query cancelled"))
