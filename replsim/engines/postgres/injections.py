"""The faults of a scenario, done to real servers and their links."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

from replsim.engines.postgres.cluster import Cluster
from replsim.engines.postgres.job import pack_law
from replsim.engines.postgres.server import Server
from replsim.randomness import Streams
from replsim.scenario import faults
from replsim.scenario.failover import Manual
from replsim.scenario.network import link_ends
from replsim.scenario.windows import Window, windows
from replsim.units import NEVER

__all__ = ["COVERED", "PROMOTED", "Happened", "Injections"]

PROMOTED: Final = "promoted"

Pair = tuple[str, str]
Do = Callable[["Injections", Any, int], None]


class Happened(NamedTuple):
    """One thing that was done."""

    time: int
    """Nanoseconds since the run's start: when it was done, not when it was due."""
    node: str
    what: str


class Injections:
    """What is to be done to a cluster in a run, in the order of time.

    Everything is done from here, one thing after the other: a crash that waits for a process to end holds up
    what comes next.  So `happened` says when each was done.
    """

    def __init__(self, cluster: Cluster, seed: int, lead: Callable[[str], None]) -> None:
        """``lead`` sends clients to the server of that name."""
        self.cluster = cluster
        self._lead = lead
        self.fork: int | None = None
        """Where histories parted, if a standby was promoted."""
        self.happened: list[Happened] = []
        self._todo: list[tuple[int, str, str, Callable[[], None]]] = []
        self._cuts: dict[int, list[Pair]] = {}
        self._undo: dict[int, Callable[[], None]] = {}
        """By fault: how to undo what is on."""
        scenario = cluster.scenario
        for window in windows(scenario, Streams(seed)):
            self._expect(window)
        if isinstance(scenario.failover, Manual):
            self._expect_failover(scenario.failover, Streams(seed))
        checkpoints = scenario.primary.checkpoints
        for due in range(checkpoints.every, scenario.duration, checkpoints.every) if checkpoints else ():
            self._todo.append((due, scenario.primary.name, "checkpoint", cluster.checkpoint))
        self._todo.sort(key=lambda item: item[0])

    def next_time(self) -> int:
        """When the next thing is due; `NEVER` when all is done."""
        return self._todo[0][0] if self._todo else NEVER

    def do(self, now: Callable[[], int]) -> None:
        """Do all that is due."""
        while self.next_time() <= min(now(), self.cluster.scenario.duration):
            _, node, what, do = self._todo.pop(0)
            if what != PROMOTED:
                self.happened.append(Happened(now(), node, what))
            do()
            if what == PROMOTED:  # it is one once it is done
                self.happened.append(Happened(now(), node, what))

    def finish(self) -> None:
        """The run is over: undo what is still on, but for servers that are down."""
        for undo in self._undo.values():
            undo()

    def _expect(self, window: Window) -> None:
        begin, end = _HANDLERS[type(window.fault)]
        node, verb, fault, place = self._node_of(window.fault), window.fault.verb, window.fault, window.place

        def begins() -> None:
            begin(self, fault, place)
            if end is not None and not isinstance(fault, faults.Crash):
                self._undo[place] = lambda: end(self, fault, place)

        def ends() -> None:
            assert end is not None
            end(self, fault, place)
            self._undo.pop(place, None)

        self._todo.append((window.start, node, verb, begins))
        if window.start < window.end < NEVER:
            self._todo.append((window.end, node, f"{verb} ends", ends))

    def _expect_failover(self, failover: Manual, streams: Streams) -> None:
        name = failover.promote
        routed = failover.at + streams.draws("failover:routing", failover.routing).next()

        def promote() -> None:
            self.fork = self.cluster.promote(name)

        self._todo.append((failover.at, name, PROMOTED, promote))
        self._todo.append((routed, name, "clients led", lambda: self._lead(name)))

    def _node_of(self, fault: faults.Fault) -> str:
        """The node that an event is noted of: the first one that a fault names, else the primary."""
        words = str(fault).replace("->", " ").split()
        scenario = self.cluster.scenario
        return next((word for word in words if word in scenario.nodes), scenario.primary.name)

    # Links

    def cut(self, fault: faults.Cut, place: int) -> None:
        """Cut a link."""
        pair = link_ends(fault.cut)
        if pair in self.cluster.links_between:
            self._cuts[place] = [pair]
            self.cluster.links.ask("cut", pair, place, fault.ways == "both", fault.how == "reset")

    def partition(self, fault: faults.Partition, place: int) -> None:
        """Cut every link between two groups."""
        group = {node: number for number, nodes in enumerate(fault.partition) for node in nodes}
        self._cuts[place] = [pair for pair in self.cluster.pairs if group.get(pair[0], -1) != group.get(pair[1], -1)]
        for pair in self._cuts[place]:
            self.cluster.links.ask("cut", pair, place, True, fault.how == "reset")

    def heal(self, fault: faults.Fault, place: int) -> None:  # noqa: ARG002 - as every handler is called
        """Undo a cut or a partition."""
        for pair in self._cuts.pop(place, ()):
            self.cluster.links.ask("heal", pair, place)

    def delay(self, fault: faults.Delay, place: int) -> None:
        """Make a link slower."""
        for way in self._ways(fault, fault.delay):
            self.cluster.links.ask("delay", way, pack_law(fault.by), place)

    def throttle(self, fault: faults.Throttle, place: int) -> None:  # noqa: ARG002
        """Give a link less bandwidth."""
        for way in self._ways(fault, fault.throttle):
            self.cluster.links.ask("throttle", way, fault.to)

    def lose(self, fault: faults.Lose, place: int) -> None:  # noqa: ARG002
        """Let a link lose packets."""
        for way in self._ways(fault, fault.lose):
            self.cluster.links.ask("lose", way, fault.share)

    def undo_delay(self, fault: faults.Delay, place: int) -> None:
        """Make a link as fast as it was."""
        for way in self._ways(fault, fault.delay):
            self.cluster.links.ask("delay", way, None, place)

    def undo_throttle(self, fault: faults.Throttle, place: int) -> None:  # noqa: ARG002
        """Give a link its own bandwidth."""
        for way in self._ways(fault, fault.throttle):
            self.cluster.links.ask("throttle", way, None)

    def undo_lose(self, fault: faults.Lose, place: int) -> None:  # noqa: ARG002
        """Let a link lose what it loses by itself."""
        for way in self._ways(fault, fault.lose):
            self.cluster.links.ask("lose", way, None)

    def _ways(self, fault: faults.LinkFault, name: str) -> list[Pair]:
        way = link_ends(name)
        if way not in self.cluster.links_between:
            return []
        return [way] if fault.ways == "one" else [way, (way[1], way[0])]

    # Nodes

    def crash(self, fault: faults.Crash, place: int) -> None:
        """An immediate stop; a host that dies falls silent first, and its peers are not told."""
        name = fault.crash
        for pair in self.cluster.pairs_of(name) if fault.of == "host" else ():
            self.cluster.links.ask("cut", pair, place, True, False)
            if fault.in_flight == "lost":
                self.cluster.links.ask("drop", (name, pair[0] if pair[1] == name else pair[1]))
        self.cluster.stop(name, signal.SIGQUIT)

    def recover(self, fault: faults.Crash, place: int) -> None:
        """It is up again; a host that was away resets what its peers still take for connections."""
        name = fault.crash
        for pair in self.cluster.pairs_of(name) if fault.of == "host" else ():
            self.cluster.links.ask("reset", pair)
            self.cluster.links.ask("heal", pair, place)
        if name == self.cluster.reigning or name != self.cluster.scenario.primary.name:
            self.cluster.start_again(name)

    def pause(self, fault: faults.Pause, place: int) -> None:  # noqa: ARG002
        """Every process of a server stands still."""
        _signal_all(self.cluster.servers[fault.pause], signal.SIGSTOP)

    def go_on(self, fault: faults.Pause, place: int) -> None:  # noqa: ARG002
        """Every process of a server goes on."""
        _signal_all(self.cluster.servers[fault.pause], signal.SIGCONT)

    def pause_replay(self, fault: faults.PauseReplay, place: int) -> None:  # noqa: ARG002
        """A standby replays no more."""
        self.cluster.servers[fault.pause_replay].tell("SELECT pg_wal_replay_pause()")

    def resume_replay(self, fault: faults.PauseReplay, place: int) -> None:  # noqa: ARG002
        """A standby replays again."""
        self.cluster.servers[fault.pause_replay].tell("SELECT pg_wal_replay_resume()")

    # Clients

    def cancel(self, fault: faults.Cancel, place: int) -> None:  # noqa: ARG002
        """Cancel every wait for standbys of a writer's."""
        writer = list(self.cluster.scenario.writers).index(fault.cancel)
        query = "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        self.cluster.primary.ask(query + " AND application_name = %s", f"writer_{writer}")


def _nothing(injections: Injections, fault: faults.Fault, place: int) -> None:
    """Other load is in the arrivals already."""


def _signal_all(server: Server, number: signal.Signals) -> None:
    """Signal a server and its children, itself first, so that it starts no more of them meanwhile."""
    os.kill(server.pid, number)
    time.sleep(0.001)
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            if parent == server.pid:
                os.kill(int(stat.parent.name), number)
        except (FileNotFoundError, ProcessLookupError):
            continue


_HANDLERS: Final[dict[type[faults.Fault], tuple[Do, Do | None]]] = {
    faults.Cut: (Injections.cut, Injections.heal),
    faults.Partition: (Injections.partition, Injections.heal),
    faults.Delay: (Injections.delay, Injections.undo_delay),
    faults.Throttle: (Injections.throttle, Injections.undo_throttle),
    faults.Lose: (Injections.lose, Injections.undo_lose),
    faults.Crash: (Injections.crash, Injections.recover),
    faults.Pause: (Injections.pause, Injections.go_on),
    faults.PauseReplay: (Injections.pause_replay, Injections.resume_replay),
    faults.Cancel: (Injections.cancel, None),
    faults.Load: (_nothing, _nothing),
}
"""What a fault does when it begins and when it ends."""

COVERED: Final = frozenset(fault.verb for fault in _HANDLERS)
"""The verbs of the faults that are injected."""
