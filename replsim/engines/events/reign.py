"""A reign: what a node is made of while it is the primary."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from replsim.engines.events.clients import Clients, Step
from replsim.engines.events.log import Log
from replsim.engines.events.managed_release import ManagedRelease
from replsim.engines.events.primary import Primary
from replsim.engines.events.release import Release
from replsim.engines.events.transactions import Transactions
from replsim.engines.events.wal_writer import WalWriter
from replsim.rules.acks import SyncRule
from replsim.scenario import Scenario
from replsim.units import NEVER

if TYPE_CHECKING:
    from replsim.engines.events.connection import Connection
    from replsim.engines.events.node import Node

__all__ = ["Reign"]


class Reign:
    """The log that a primary writes, its backends, and those who wait for what."""

    def __init__(
        self,
        scenario: Scenario,
        node: Node,
        log: Log,
        groups: Sequence[Clients],
        rule: SyncRule,
        direct: Sequence[str],
        *,
        managed: bool = False,
        start: int = 0,
        now: int = 0,
    ) -> None:
        self.node = node
        self.log = log
        self.start, self.began = start, now
        """The position from which it goes on, and when."""
        self.ended = NEVER
        self.dismissed = False
        """Whether its clients are gone."""
        self.connections: list[Connection] = []
        """To the standbys that stream from it, and those that did."""
        self.first_flush = len(node.device.starts)
        self.transactions = Transactions(groups, log, scenario.wakeup, fresh=now == 0)
        # A manager may empty the rule and fill it again, so that the levels that the clients ask for stay.
        waits = [group.level if managed else rule.in_force(group.level) for group in groups]
        kind = ManagedRelease if managed else Release
        heard = tuple(direct) if managed else rule.candidates(direct)
        self.release = kind(scenario, rule, waits, log, self.transactions, heard)
        self.primary = Primary(
            scenario, node.agenda, node.device, log, self.transactions, self.release, waits, node.ship, start
        )
        if (
            "off" in waits
            or scenario.background is not None
            or any(writer.chunk for writer in scenario.writers.values())
        ):
            self.primary.wal_writer = WalWriter(scenario, node.agenda, log, self.primary)

    @property
    def managed(self) -> ManagedRelease:
        """Who waits, under a manager that names the synchronous standbys."""
        assert isinstance(self.release, ManagedRelease)
        return self.release

    def open(self, now: int) -> None:
        """Begin to serve."""
        if self.primary.wal_writer is not None:
            self.primary.wal_writer.sleep(now)
        self.primary.expect_inserts()

    def join(self, steps: Iterable[Step]) -> None:
        """Clients come, with what they are going to do next."""
        self.transactions.join(steps)
        self.primary.expect_inserts()

    def abandon(self, now: int) -> list[Step]:
        """Everything dies: the commits whose clients wait for an answer that will not come.

        A backend that was about to wake up has answered nobody either, though its client is taken to go on.
        """
        log, waiting = self.log, []
        for row in range(log.first, len(log.steps)):
            if log.visible[row] > now:
                if log.visible[row] == NEVER and row not in log.deserted:
                    waiting.append(log.steps[row])
                log.visible[row] = log.acknowledged[row] = NEVER
                log.learned[row] = log.deserted.get(row, now)
        self.release.forget()
        return waiting

    def leaves(self, candidate: int, now: int, *, late: bool) -> None:
        """A synchronous candidate has disconnected: the next reply of another one may release what waited for it.

        ``late`` says that all replies of this moment have been processed before.
        """
        others = [each for each in self.connections if each.candidate is not None and not (each.closed or each.lost)]
        for connection in others:
            connection.receiver.finish(now)
        self.release.leave(candidate)
        for connection in others:
            connection.attend(now, late=late)
