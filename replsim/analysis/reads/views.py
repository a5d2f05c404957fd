"""What the nodes show, and how far behind they are: the cluster as readers and their routers see it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from replsim.analysis.facts import Facts
from replsim.analysis.reads.tokens import first_at
from replsim.analysis.sightings import Acknowledged, Visible, ahead_on_standby, count_by
from replsim.kernels import worth_compiling
from replsim.kernels.places import grouped, plain
from replsim.record import DOWN, Trajectory
from replsim.record.branch import branch_of, distance, lsn_of
from replsim.units import NEVER

__all__ = ["Views"]

Ints = NDArray[np.int64]


class Views:
    """Looks at nodes (by their codes in the scenario) at moments.  What is seen is a count: one more than the newest
    commit of the log that a look shows, 0 for none."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.acknowledged = Acknowledged(facts)
        self._names = facts.record.scenario.nodes

    @cached_property
    def _visible(self) -> Visible:
        return Visible(self.facts)

    def seen(self, nodes: Ints, moments: Ints) -> Ints:
        """What looks see."""
        seen = np.zeros(len(nodes), dtype=np.int64)
        for code, chosen in self._by_node(nodes):
            seen[chosen] = self._seen(code, moments[chosen])
        return seen

    def looked(self, nodes: Ints, moments: Ints) -> tuple[Ints, NDArray[np.bool_]]:
        """What looks see, and whether a commit that had not been acknowledged by then was among it."""
        seen = np.zeros(len(nodes), dtype=np.int64)
        ahead = np.zeros(len(nodes), dtype=bool)
        if worth_compiling(len(nodes)) and len(self.facts.record.branches) < 2:
            self._look(plain(nodes), plain(moments), seen, ahead)
            return seen, ahead
        for code, chosen in self._by_node(nodes):
            at = moments[chosen]
            seen[chosen] = self._seen(code, at)
            if self._is_primary(code):
                ahead[chosen] = self._visible.ahead(self.acknowledged, at)
            else:
                ahead[chosen] = ahead_on_standby(self.acknowledged, seen[chosen], at)
        return seen, ahead

    def _look(self, nodes: Ints, moments: Ints, seen: Ints, ahead: NDArray[np.bool_]) -> None:
        """`looked`, compiled."""
        from replsim.analysis.reads import loops

        acknowledged = self.acknowledged
        for code, looks in enumerate(grouped(nodes, len(self._names))):
            if self._is_primary(code) and len(looks):
                times, newest = self._visible.times, self._visible.newest_by_count
                loops.looked_at_primary(looks, moments, times, newest, acknowledged.times, seen, ahead)
            elif len(looks):
                applied = self.facts.reached(self._names[code], "apply")
                loops.looked_at_standby(looks, moments, applied, acknowledged.latest_within, seen, ahead)

    def shown(self, codes: Ints) -> tuple[Ints, Ints]:
        """When each of some nodes shows one commit more, a row a node (of the others nothing), and by the number that
        the primary shows, one more than the newest of them: where one node is the primary all the time."""
        facts, newest = self.facts, np.empty(0, dtype=np.int64)
        times = np.empty((len(self._names), facts.count), dtype=np.int64)
        for code in codes.tolist():
            if self._is_primary(code):
                times[code], newest = self._visible.times, self._visible.newest_by_count
            else:
                times[code] = facts.reached(self._names[code], "apply")
        return times, newest

    def ready(self, nodes: Ints, counts: Ints, since: Ints) -> Ints:
        """When, from ``since`` on, nodes have replayed so many commits: `NEVER` where not by the run's end, 0 on the
        primary.

        After a failover they have when their LSN is as high as the last of them has: a session's token is a raw LSN.
        """
        ready = np.zeros(len(nodes), dtype=np.int64)
        for code, chosen in self._by_node(nodes):
            if len(self.facts.record.branches) > 1:
                ready[chosen] = first_at(self._applied(code), self._ends[counts[chosen]], since[chosen])
            elif code:
                ready[chosen] = self._replayed(code)[counts[chosen]]
        return ready

    def holds(self, nodes: Ints, moments: Ints, counts: Ints) -> NDArray[np.bool_]:
        """Whether looks find so many commits replayed; after a failover by LSN, as in `ready`."""
        if len(self.facts.record.branches) < 2:
            return self.seen(nodes, moments) >= counts
        found = np.zeros(len(nodes), dtype=bool)
        for code, chosen in self._by_node(nodes):
            found[chosen] = lsn_of(self._applied(code).at(moments[chosen])) >= self._ends[counts[chosen]]
        return found

    def histories(self, nodes: Ints, moments: Ints) -> Ints:
        """The branch of the log whose history each look shows."""
        found = np.zeros(len(nodes), dtype=np.int64)
        if len(self.facts.record.branches) > 1:
            for code, chosen in self._by_node(nodes):
                found[chosen] = branch_of(self._applied(code).at(moments[chosen]))
        return found

    def lags(self, nodes: Sequence[str], interval: int) -> tuple[Ints, Ints]:
        """The lags that a router finds which looks every ``interval``: in nanoseconds and in bytes, a row a look.

        In time: how long the oldest commit has been flushed on the primary that the node has not applied.
        """
        record, facts = self.facts.record, self.facts
        looks = np.arange(0, record.scenario.duration + 1, interval, dtype=np.int64)
        flush = facts.of_primary("flush").at(looks)
        flushed = np.append(facts.column("flushed"), NEVER)
        lag = np.zeros((len(looks), len(nodes)), dtype=np.int64)
        lag_bytes = np.zeros_like(lag)
        for place, name in enumerate(nodes):
            if name != self._names[0]:
                oldest = flushed[count_by(facts.reached(name, "apply"), looks)]
                lag[:, place] = np.maximum(looks - oldest, 0)
                lag_bytes[:, place] = distance(record.branches, flush, record.position(name, "apply").at(looks))
        return lag, lag_bytes

    def downtimes(self, name: str) -> list[tuple[int, int]]:
        """When a node was down: from each crash or stop to its return, or to the run's end."""
        events, end = self.facts.record.events, self.facts.record.scenario.duration
        if "what" not in events:
            return []
        mine = events.where(events["node"] == events.words["node"].index(name))
        told = [(int(time), events.words["what"][what]) for time, what in zip(mine["time"], mine["what"], strict=True)]
        return [
            (time, min((back for back, ends in told if back > time and ends in DOWN[what]), default=end + 1))
            for time, what in told
            if what in DOWN
        ]

    @cached_property
    def serving(self) -> list[tuple[int, str]]:
        """Who was the clients' primary, each from a time on."""
        events = self.facts.record.events
        told = []
        if len(self.facts.record.branches) > 1 and "serves the clients" in events.words["what"]:
            mine = events.where(events["what"] == events.words["what"].index("serves the clients"))
            told = [
                (int(time), events.words["node"][node]) for time, node in zip(mine["time"], mine["node"], strict=True)
            ]
        return [(0, self._names[0]), *told]

    def down(self, name: str, moments: Ints) -> NDArray[np.bool_]:
        """Whether a node is down at moments."""
        found = np.zeros(len(moments), dtype=bool)
        for begin, back in self.downtimes(name):
            found |= (moments >= begin) & (moments < back)
        return found

    @cached_property
    def _ends(self) -> Ints:
        """The LSN at which a number of commits ends."""
        return np.append(0, self.facts.column("lsn"))

    def _applied(self, code: int) -> Trajectory:
        return self.facts.record.position(self._names[code], "apply")

    def _is_primary(self, code: int) -> bool:
        """Whether a node is the primary all the time; where primaries come and go, each shows what it has applied."""
        return code == 0 and len(self.facts.record.branches) < 2

    def _seen(self, code: int, moments: Ints) -> Ints:
        if self._is_primary(code):
            return self._visible.newest(moments)
        if len(self.facts.record.branches) > 1:
            return self.facts.shown(self._names[code], moments)
        return count_by(self.facts.reached(self._names[code], "apply"), moments)

    def _replayed(self, code: int) -> Ints:
        """When a standby had so many commits, by their number."""
        return self.facts.once(_with_nothing, self._names[code])

    def _by_node(self, nodes: Ints) -> Iterator[tuple[int, slice | NDArray[np.intp]]]:
        for code in range(len(self._names)):
            here = np.flatnonzero(nodes == code)
            if len(here):
                # Looks at one node alone are answered in place.
                yield code, slice(None) if len(here) == len(nodes) else here


def _with_nothing(facts: Facts, name: str) -> Ints:
    return np.concatenate([[0], facts.reached(name, "apply")])
