"""Build and wire: every part of a cluster, connected, before time begins."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import networkx as nx

from replsim.engines.events.agenda import Agenda
from replsim.engines.events.clients import Clients
from replsim.engines.events.device import Device
from replsim.engines.events.groups import groups
from replsim.engines.events.log import Log
from replsim.engines.events.primary import Primary
from replsim.engines.events.receiver import Receiver
from replsim.engines.events.release import Release
from replsim.engines.events.replay import Replay
from replsim.engines.events.sender import Sender
from replsim.engines.events.transactions import Transactions
from replsim.engines.events.uplink import Positions, Uplink
from replsim.engines.events.wal_writer import WalWriter
from replsim.engines.events.wire import Wire
from replsim.randomness import Streams
from replsim.rules.acks import Level, SyncRule
from replsim.scenario import Scenario
from replsim.scenario.network import Link
from replsim.scenario.topology import topology

__all__ = ["Cluster", "StandbyParts"]


@dataclass(slots=True)
class StandbyParts:
    """The processes of one standby, and the sender that feeds it."""

    sender: Sender
    device: Device
    receiver: Receiver
    replay: Replay
    uplink: Uplink


@dataclass(slots=True)
class Cluster:
    """A scenario's cluster, ready to run on its `agenda`."""

    scenario: Scenario
    streams: Streams
    agenda: Agenda = field(default_factory=Agenda)
    groups: list[Clients] = field(init=False)
    log: Log = field(init=False)
    transactions: Transactions = field(init=False)
    release: Release = field(init=False)
    device: Device = field(init=False)
    primary: Primary = field(init=False)
    standbys: dict[str, StandbyParts] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        scenario = self.scenario
        name = scenario.primary.name
        rule = SyncRule.parse(scenario.primary.synchronous_standby_names)
        self.groups = groups(scenario, self.streams)
        self.log = Log(scenario)
        self.transactions = Transactions(self.groups, self.log, scenario.wakeup)
        waits = [_waits_at(group.level, rule) for group in self.groups]
        self.release = Release(scenario, rule, waits, self.log, self.transactions)
        self.device = Device(self.streams, name, scenario.primary.wal_device)
        self.primary = Primary(scenario, self.agenda, self.device, self.log, self.transactions, self.release, waits)
        if (
            "off" in waits
            or scenario.background is not None
            or any(writer.chunk for writer in scenario.writers.values())
        ):
            self.primary.wal_writer = WalWriter(scenario, self.agenda, self.log, self.primary)
        graph = topology(scenario)
        # From the source of the WAL outwards, so that events of equal time go in the direction of the stream.
        for node, (upstream, standby) in enumerate(nx.bfs_edges(graph, name), 1):
            self._add_standby(node, upstream, standby, graph.edges[upstream, standby])

    def start(self) -> None:
        """Begin at time zero."""
        if self.primary.wal_writer is not None:
            self.primary.wal_writer.sleep(0)
        self.primary.expect_inserts()

    def _add_standby(self, node: int, upstream: str, name: str, edge: dict[str, Link]) -> None:
        scenario, streams, agenda = self.scenario, self.streams, self.agenda
        standby = scenario.standbys[name]
        link, back = edge["link"], edge["back"]
        device = Device(streams, name, standby.wal_device)
        replay = Replay(streams, name, standby, self.log, scenario.wakeup)
        candidate = self.release.candidates.index(name) if name in self.release.candidates else None
        news, heard = self._heard(candidate)
        uplink = Uplink(agenda, node, Wire(streams, f"link:{name}->{upstream}", back), scenario.wakeup, news, heard)
        receiver = Receiver(
            agenda, node, device, replay, uplink,
            wakeup=scenario.wakeup,
            status_interval=standby.wal_receiver_status_interval,
            feedback=self._feedback(),
            # The reply about a batch's write also tells what has been replayed by then.
            eager_write=candidate is not None and bool({"remote_write", "remote_apply"} & set(self.release.remote)),
            eager_apply=candidate is not None and "remote_apply" in self.release.remote,
        )  # fmt: skip
        sender = Sender(
            agenda, node, Wire(streams, f"link:{upstream}->{name}", link), receiver.deliver,
            wakeup=scenario.wakeup,
            message_bytes=scenario.settings.message_bytes,
            window=link.window,
            acknowledgements=Wire(streams, f"link:{name}->{upstream}:acknowledgements", back),
        )  # fmt: skip
        ships = self.primary.ship if upstream == scenario.primary.name else self.standbys[upstream].receiver.ship
        ships.append(sender.ship)
        self.standbys[name] = StandbyParts(sender, device, receiver, replay, uplink)

    def _heard(
        self, candidate: int | None
    ) -> tuple[Callable[[Positions], bool] | None, Callable[[Positions, int], None] | None]:
        """What a synchronous candidate's replies are asked, and whom they reach; nothing for other standbys."""
        if candidate is None or not self.release.remote:
            return None, None
        release, primary = self.release, self.primary
        return (
            lambda positions: release.news(candidate, positions),
            lambda positions, now: primary.replied(candidate, positions, now),
        )

    def _feedback(self) -> Callable[[range], Iterable[int]] | None:
        """Which of a batch's commits ask a standby for a reply once they are replayed: those at ``remote_apply``."""
        asking = {group.index for group in self.groups if group.level == "remote_apply"}
        if not asking:
            return None
        steps = self.log.steps
        return lambda rows: [row for row in rows if steps[row].group in asking]


def _waits_at(level: Level, rule: SyncRule) -> Level:
    """The level in force: with an empty ``synchronous_standby_names`` every level above ``off`` is ``local``."""
    return "local" if rule.count == 0 and level != "off" else level
