"""Build and wire: every part of a cluster, connected, before time begins."""

from __future__ import annotations

from collections.abc import Callable

from replsim.engines.events.agenda import Agenda
from replsim.engines.events.clients import Clients, Step
from replsim.engines.events.connection import Connection
from replsim.engines.events.contention import Contention, contended
from replsim.engines.events.device import Device
from replsim.engines.events.following import Following
from replsim.engines.events.groups import groups
from replsim.engines.events.live_reads import LiveReads, live_reads
from replsim.engines.events.log import Log
from replsim.engines.events.managers import Election, Lease, manage
from replsim.engines.events.mishaps import schedule
from replsim.engines.events.node import Node
from replsim.engines.events.pace import Pace
from replsim.engines.events.patience import Patience
from replsim.engines.events.planned import Planned
from replsim.engines.events.queries import Queries
from replsim.engines.events.reconnecting import Reconnecting
from replsim.engines.events.reign import Reign
from replsim.engines.events.retaining import Retaining
from replsim.engines.events.succession import Succession
from replsim.engines.events.tempo import Tempo
from replsim.engines.events.troubled_wire import TroubledWire
from replsim.engines.events.troubles import Troubles
from replsim.engines.events.wire import Wire
from replsim.randomness import Streams
from replsim.record import Branch
from replsim.rules.acks import SyncRule
from replsim.rules.synchronous import Mode, named
from replsim.scenario import Scenario
from replsim.scenario.failover import Patroni
from replsim.scenario.network import Link
from replsim.scenario.nodes import Standby
from replsim.scenario.topology import downstream, link_between
from replsim.scenario.windows import told, windows

__all__ = ["Cluster"]


class Cluster:
    """A scenario's cluster, ready to run on its `agenda`.

    Where nothing may happen to it (no faults, no manager) its parts plan on the agenda itself and messages are
    delivered ahead of time; else every part is mortal (`Life`), and a message has an event of its own.
    """

    def __init__(self, scenario: Scenario, streams: Streams) -> None:
        self.scenario = scenario
        self.streams = streams
        self.agenda = Agenda()
        self.retention = Retaining(self)
        self.eventful = scenario.eventful or self.retention.active
        self.troubles = Troubles(scenario, streams) if self.eventful else None
        self.groups: list[Clients] = groups(scenario, streams)
        self.nodes: dict[str, Node] = {}
        self._wires: dict[str, Wire] = {}
        name = scenario.primary.name
        log = Log(scenario)
        # From the source of the WAL outwards, so that events of equal time go in the direction of the stream.
        edges = [(None, name), *downstream(scenario)]
        for place, (upstream, each) in enumerate(edges):
            self.nodes[each] = self._node(each, place, upstream, log)
        self.queries = {each.name: Queries(self, each) for each in self.nodes.values()} if self.eventful else {}
        self.over: set[tuple[int, int]] = set()
        """Faults that ended before their time, by their place and their start."""
        primary = self.nodes[name]
        self.mode = scenario.failover.names_standbys if isinstance(scenario.failover, Patroni) else None
        self.managed = self.mode is not None
        """Whether the failover manager names the synchronous standbys."""
        self.rule = _first_rule(scenario, self.mode)
        """Whom a primary waits for; a manager changes it."""
        self.branches = [Branch(timeline=1, parent=-1, fork=0, start=0, node=name)]
        self.events: list[tuple[int, str, str]] = []
        """What happened: when, to which node, and what."""
        self.connections: list[Connection] = []
        """All that there ever were, in order."""
        self.reconnecting = Reconnecting(self)
        self.patience = Patience(self) if any(group.impatient for group in self.groups) else None
        self.users: list[LiveReads] = []
        self.reigns = [Reign(scenario, primary, log, self.groups, self.rule, scenario.direct, managed=self.managed)]
        self.enthrone(primary, self.reigns[0])
        self.succession = Succession(self, primary, self.reigns[0])
        for _, each in edges[1:]:
            self.follow(self.nodes[each], log)
            self.connect(self.nodes[each], 0)
        self.planned = Planned(self)
        self.manager: Lease | Election | None = None
        self.awaited: dict[str, Callable[[int], None]] = {}
        """Who waits for a standby to stream again, by its name."""
        self.users = live_reads(self)
        self.contention = Contention(self) if contended(scenario) else None

    def start(self) -> None:
        """Begin at time zero."""
        for users in self.users:
            users.start()
        if self.contention is not None:
            self.contention.start()
        self.reigns[0].open(0)
        self.retention.start()
        if self.eventful:
            self.note_rule(self.reigns[0].node, 0)
            schedule(self)
            self.manager = manage(self)
        else:
            known = windows(self.scenario, self.streams)
            self.events = [
                (time, self.scenario.primary.name, what) for time, what in told(known, self.scenario.duration)
            ]

    def note(self, now: int, node: str, what: str) -> None:
        """Something has happened to a node."""
        self.events.append((now, node, what))

    def note_rule(self, node: Node, now: int) -> None:
        """A primary follows a rule that the manager has set."""
        if self.managed:
            self.note(now, node.name, f"waits for {self.rule}" if self.rule.count else "goes on alone")

    def upstream(self, node: Node) -> Node | None:
        """The node that a standby wants to stream from, if it knows of one."""
        return None if node.upstream is None else self.nodes[node.upstream]

    def cut(self, here: Node, there: Node, now: int) -> bool:
        """Whether nothing gets from one node to another at ``now``, because the link is cut."""
        return self.troubles is not None and self.troubles.link(here.name, there.name).cut_at(now) is not None

    def mute(self, here: Node, there: Node, now: int) -> bool:
        """Whether one node hears nothing from another: the link is cut, or the other is down or stands still."""
        return not here.up or here.agenda.ready(now) > now or self.cut(here, there, now)

    def hears(self, node: Node, name: str, now: int) -> bool:
        """Whether a node and the machine of another node, or a witness, reach each other."""
        other = self.nodes.get(name)
        if other is None:
            return self.troubles is None or not self.troubles.apart(node.name, name, now)
        return not other.gone and not self.cut(node, other, now) and not self.cut(other, node, now)

    def finish(self, end: int) -> None:
        """Take note of all that has happened by the end of the run and that no event has looked back to."""
        for node in self.nodes.values():
            if node.reign is not None:
                node.reign.primary.look(end)
            elif node.following is not None and node.following.connections:
                node.following.connections[-1].receiver.finish(end)

    def remaining(self, until: int) -> list[Step]:
        """What was submitted by ``until`` and has reached no log, in the order of submission."""
        return self.succession.remaining(until)

    def enthrone(self, node: Node, reign: Reign) -> None:
        """A node is the primary from now on."""
        node.reign = reign
        self.retention.reigns(node, reign)
        node.lives.append(reign)
        if self.patience is not None:
            self.patience.watch(reign)
        for users in self.users:
            users.follow(reign)
        node.changed()

    def follow(self, node: Node, log: Log, *, start: int = 0, now: int = 0) -> None:
        """A node is a standby from now on, and holds ``log`` up to ``start``."""
        node.following = Following(self, node, log, start=start, now=now)
        node.lives.append(node.following)

    def connect(self, node: Node, now: int) -> None:
        """A standby streams from its upstream from now on."""
        assert node.following is not None
        assert node.upstream is not None
        upstream = self.nodes[node.upstream]
        connection = Connection(self, upstream, node, node.following, now)
        node.following.connections.append(connection)
        self.connections.append(connection)
        if upstream.reign is not None:
            upstream.reign.connections.append(connection)
        self.retention.connects(connection)

    def reconnect(self, node: Node, now: int) -> None:
        """A standby is connected again; what its upstream still believed to be a connection to it is dropped."""
        upstream, following = self.upstream(node), node.following
        assert upstream is not None
        assert following is not None
        for connection in self.connections:
            if connection.standby is node and connection.upstream is upstream:
                connection.upstream_loses(now)
        self._goes_on_along(node, self.log_of(upstream), now)
        self.note(now, node.name, f"connected to {upstream.name}")
        self.connect(node, now)
        following.connections[-1].catch_up(now)

    def _goes_on_along(self, node: Node, log: Log, now: int) -> None:
        """A standby's upstream writes, or follows, another history than before.

        On a new timeline its walsenders end, so that those that stream from it ask for that one too (PostgreSQL
        ``walsender.c:XLogSendPhysical``); in the same one they notice nothing.
        """
        following = node.following
        assert following is not None
        before = following.log.branch
        if log.branch == before:
            return
        following.follow(log, now)
        for connection in self.connections:
            if connection.upstream is node and not connection.closed:
                if self.branches[log.branch].timeline != self.branches[before].timeline:
                    connection.upstream_closes(now)
                elif not connection.lost:
                    self._goes_on_along(connection.standby, log, now)

    def log_of(self, node: Node) -> Log:
        """The history that a running node is on."""
        life = node.reign or node.following
        assert life is not None
        return life.log

    def standby_settings(self, name: str) -> Standby:
        """What a node is like as a standby."""
        return self.scenario.standbys.get(name) or Standby(wal_device=self.scenario.primary.wal_device)

    def link(self, here: str, there: str) -> Link:
        """The link from one node to another."""
        link = link_between(self.scenario, here, there)
        assert link is not None, f"no link from {here} to {there}"
        return link

    def wires(self, upstream: str, standby: str) -> tuple[Wire, Wire, Wire]:
        """The way out, the way back, and the way back of TCP's acknowledgements, which take no bandwidth."""
        there, back = f"link:{upstream}->{standby}", f"link:{standby}->{upstream}"
        return (
            self._wire(there, upstream, standby),
            self._wire(back, standby, upstream),
            self._wire(f"{back}:acknowledgements", standby, upstream),
        )

    def _wire(self, name: str, here: str, there: str) -> Wire:
        if name not in self._wires:
            link = self.link(here, there)
            if self.troubles is None:
                self._wires[name] = Wire(self.streams, name, link)
            else:
                self._wires[name] = TroubledWire(self.streams, name, link, self.troubles.link(here, there))
        return self._wires[name]

    def _node(self, name: str, place: int, upstream: str | None, log: Log) -> Node:
        scenario, streams, troubles = self.scenario, self.streams, self.troubles
        settings = scenario.primary if name == scenario.primary.name else scenario.standbys[name]
        pace = Pace(stretches) if troubles is not None and (stretches := troubles.device(name)) else None
        device = Device(streams, name, settings.wal_device, pace)
        draw = streams.draws(f"replay:{name}", self.standby_settings(name).replay.per_record).next
        node = Node(name, place, self.agenda, device, draw, log)
        node.upstream = upstream
        if troubles is not None:
            node.begin_life(self.agenda)
            node.pace = Pace(troubles.replay(name))
        elif name in contended(scenario):
            node.pace = Tempo()
        return node


def _first_rule(scenario: Scenario, mode: Mode | None) -> SyncRule:
    """What is in the configuration, or what a manager has named before the run."""
    if mode is None or not isinstance(scenario.failover, Patroni):
        return SyncRule.parse(scenario.primary.synchronous_standby_names)
    return named(mode, dict.fromkeys(scenario.direct, 0), (), scenario.failover.synchronous_node_count)
