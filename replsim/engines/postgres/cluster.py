"""A primary and its standbys, started, connected through the links' proxies, and streaming."""

from __future__ import annotations

import contextlib
import secrets
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final

from replsim.engines.postgres import statements
from replsim.engines.postgres.binaries import Binaries
from replsim.engines.postgres.channel import Worker
from replsim.engines.postgres.job import pack
from replsim.engines.postgres.proxy import HOST, Job
from replsim.engines.postgres.server import USER, Server
from replsim.engines.postgres.settings import Settings, primary_settings, standby_settings
from replsim.engines.postgres.waldump import lsn_of_text
from replsim.engines.postgres.workspace import Workspace, tail
from replsim.errors import ServerFailed
from replsim.rules.acks import SyncRule
from replsim.scenario import Scenario
from replsim.scenario.failover import Manual
from replsim.scenario.topology import downstream, link_between

__all__ = ["Cluster"]

PATIENCE: Final = 120.0
"""Seconds for the standbys to stream, over links as slow as a scenario may have."""
UNSAFE: Final = {"fsync": "off"}
"""While servers are being made, nothing on them is worth a flush; before the run begins, flushes are on."""


class Cluster:
    """The servers of a scenario, by name, and the process that its links run in."""

    def __init__(self, scenario: Scenario, seed: int, workspace: Workspace, origin: int) -> None:
        self.scenario = scenario
        self.workspace = workspace
        self.binaries = Binaries.find()
        self.links = Worker(workspace, "replsim.engines.postgres.proxy")
        self.servers = {name: Server(workspace, self.binaries, name) for name in scenario.nodes}
        self._password = secrets.token_hex(16)
        self._seed = seed
        self._origin = origin
        self.reigning = scenario.primary.name
        """Who is the primary now."""
        self.pairs = (*((scenario.upstream(name), name) for name in scenario.standbys), *_later_pairs(scenario))
        """The upstream and the standby of each link, also of those that are used after a failover alone."""
        self.links_between = {*self.pairs, *((there, here) for here, there in self.pairs)}
        """As `pairs`, in both orders."""
        self._down: set[str] = set()
        self.base = 0
        """The position from which a record counts: where the WAL ended before the run."""

    @property
    def primary(self) -> Server:
        """The server that is the primary now."""
        return self.servers[self.reigning]

    def start(self) -> None:
        """Make all servers, let them stream, and have no WAL on the way.  Raises `ServerFailed` where one does not."""
        scenario, primary = self.scenario, self.primary
        self.links.give(self._origin, Job(pack(scenario), self._seed, self.pairs))
        primary.create(self._password)
        self._start(primary, primary_settings(scenario))
        primary.tell(statements.CREATE)
        for name in scenario.standbys:
            self.servers[name].copy(primary)
        self._ports: dict[tuple[str, str], int] = self.links.answer()
        self.links.ask("serve", primary.name, primary.port)
        # From the primary outwards: a standby finds its upstream, with a slot, when it starts.
        for upstream, name in downstream(scenario):
            self.servers[upstream].tell(f"SELECT pg_create_physical_replication_slot('{self.slot(name)}', true)")
            self._start(self.servers[name], self.settings(name))
            self.links.ask("serve", name, self.servers[name].port)
        self._wait_until(self._all_stream, "the standbys to stream")
        # A commit flushes what is inserted, also what nobody else would flush for a while.
        primary.tell(statements.COMMIT)
        self.base = int(primary.ask("SELECT (pg_current_wal_flush_lsn() - '0/0')::int8"))
        self._wait_until(self._all_caught_up, "the standbys to catch up")
        for name, server in self.servers.items():
            server.configure(self.settings(name))
            server.reload()
        self._wait_until(self._all_are_safe, "the settings to take effect")

    def _start(self, server: Server, settings: Settings) -> None:
        server.configure(settings | UNSAFE)
        server.start()

    def _all_stream(self) -> bool:
        """Whether each standby streams from its upstream, as that sees it."""
        names = [(self.scenario.upstream(name), name) for name in self.scenario.standbys]
        query = "SELECT count(*) FROM pg_stat_replication WHERE application_name = %s AND state = 'streaming'"
        return all(self.servers[upstream].ask(query, name) == 1 for upstream, name in names)

    def _all_caught_up(self) -> bool:
        query = "SELECT (pg_last_wal_replay_lsn() - '0/0')::int8"
        return all(int(self.servers[name].ask(query)) >= self.base for name in self.scenario.standbys)

    def _all_are_safe(self) -> bool:
        """Whether the settings of the run hold, and the candidates are synchronous."""
        if any(server.ask("SHOW fsync") != "on" for server in self.servers.values()):
            return False
        rule = SyncRule.parse(self.scenario.primary.synchronous_standby_names)
        candidates = rule.candidates(self.scenario.direct)
        query = "SELECT count(*) FROM pg_stat_replication WHERE sync_state <> 'async'"
        return int(self.primary.ask(query)) == len(candidates)

    def _wait_until(self, done: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not done():
            self.check()
            if time.monotonic() > deadline:
                raise ServerFailed(f"waited {PATIENCE:.0f} s in vain for {what}")
            time.sleep(0.02)

    def check(self) -> None:
        """Raises `ServerFailed` where a server has ended by itself."""
        for name, server in self.servers.items():
            if not server.is_running and name not in self._down:
                raise ServerFailed(f"the server {server.name} ended by itself:\n{tail(server.log)}")

    def pairs_of(self, name: str) -> list[tuple[str, str]]:
        """The links that a node is an end of."""
        return [pair for pair in self.pairs if name in pair]

    def stop(self, name: str, how: signal.Signals) -> None:
        """Stop a server, so that it is not missed."""
        self._down.add(name)
        self.servers[name].stop(how)

    def start_again(self, name: str) -> None:
        """Start a server that was stopped, with what is on its disk."""
        server = self.servers[name]
        self._start(server, self.settings(name))
        self._down.discard(name)
        server.configure(self.settings(name))
        server.reload()

    def promote(self, name: str) -> int:
        """Make a standby the primary: the old one is fenced, the new one replays what it has received and opens for
        writes, and those that streamed from the old one stream from it.  Gives the position where histories part."""
        old, new = self.reigning, self.servers[name]
        if self.servers[old].is_running:
            self.stop(old, signal.SIGQUIT)
        assert new.ask("SELECT pg_promote(true, 60)"), f"{name} was not promoted within 60 s"
        self.reigning = name
        new.configure(self._primary_settings())
        new.reload()
        for upstream, other in _later_pairs(self.scenario):
            new.tell(f"SELECT pg_create_physical_replication_slot('{self.slot(other)}', true)")
            if self.servers[other].is_running:
                route = self._route(upstream, other)
                self.servers[other].configure(standby_settings(self.scenario, other, self.slot(other), route))
                self.servers[other].reload()
        history = (new.data / "pg_wal" / "00000002.history").read_text().split()
        return lsn_of_text(history[1])

    def start_alone(self, name: str) -> None:
        """Start a server that was stopped, to be asked what it holds."""
        self._start(self.servers[name], primary_settings(self.scenario))

    def checkpoint(self) -> None:
        """Begin a checkpoint of the primary; nobody waits for its end."""

        def run() -> None:
            # A primary that goes down meanwhile has no checkpoint.
            with contextlib.suppress(ServerFailed, OSError):
                self.primary.tell("CHECKPOINT")

        threading.Thread(target=run, daemon=True).start()

    def release_waiters(self, server: Server) -> None:
        """Let every commit there that waits for standbys be done, and wait until all are."""
        server.configure(primary_settings(self.scenario) | {"synchronous_standby_names": ""})
        server.reload()
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        self._wait_until(lambda: server.ask(waiting) == 0, "the last commits")

    def slot(self, name: str) -> str:
        """The replication slot of a standby: slots take no capitals and no dashes."""
        return f"standby_{self.scenario.nodes.index(name)}"

    def settings(self, name: str) -> Settings:
        """The settings of a server once the run is on."""
        scenario = self.scenario
        if name == scenario.primary.name:
            return self._primary_settings()
        return standby_settings(scenario, name, self.slot(name), self._route(scenario.upstream(name), name))

    def _primary_settings(self) -> Settings:
        names = self.scenario.primary.synchronous_standby_names
        return primary_settings(self.scenario) | {"synchronous_standby_names": names}

    def _route(self, upstream: str, name: str) -> dict[str, str | int]:
        """How a standby connects to its upstream: through the link's proxy."""
        return {
            "host": HOST,
            "port": self._ports[upstream, name],
            "user": USER,
            "password": self._password,
            "application_name": name,
            "sslmode": "disable",
            "gssencmode": "disable",
        }


def _later_pairs(scenario: Scenario) -> Iterator[tuple[str, str]]:
    """Who streams from the standby that is to be promoted: whoever streamed from the primary, and has a link to it."""
    if isinstance(scenario.failover, Manual):
        new = scenario.failover.promote
        for name in scenario.direct:
            if name != new and link_between(scenario, new, name) and link_between(scenario, name, new):
                yield new, name
