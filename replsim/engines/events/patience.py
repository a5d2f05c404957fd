"""What ends a transaction that takes too long: its client's driver, or the server."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from replsim.engines.events.agenda import Rank
from replsim.engines.events.clients import Step
from replsim.units import NEVER

if TYPE_CHECKING:
    from replsim.engines.events.cluster import Cluster
    from replsim.engines.events.reign import Reign

__all__ = ["Patience"]


class Patience:
    """Time-outs of transactions.

    A driver counts from the moment at which it sent the transaction.  One that *disconnects* (pgjdbc's
    ``socketTimeout``) never learns the outcome; the backend does not look at its socket while it works, and goes on,
    with its locks, to its end.  One that *cancels* (pgjdbc's ``setQueryTimeout``, asyncpg's ``timeout``) has
    the backend signalled: a transaction that executes is undone, a commit that waits for standbys stands unreplicated
    (``syncrep.c:SyncRepWaitForLSN``), and so does one that is being flushed, as soon as it waits: until then a commit
    holds off interrupts.  What the request's own connection takes is left out.

    The server's ``statement_timeout`` is switched off before a commit (``postgres.c:finish_xact_command``), and so ends
    executions and waits for locks, but no wait for standbys.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._early: dict[Reign, list[int]] = {}
        """The rows whose wait will be cancelled as soon as it begins: they are not flushed yet."""

    def watch(self, reign: Reign) -> None:
        """See to the transactions of a reign.  They are looked at as they start, so that none is looked at too late."""
        reign.primary.eager = True
        reign.transactions.begun = lambda step: self._begins(reign, step)
        reign.primary.ship.append(lambda now, position: self._flushed(reign, position, now))

    def _begins(self, reign: Reign, step: Step) -> None:
        group = self._cluster.groups[step.group]
        if group.timeout is not None:
            # A server that stood still has seen the start too late.
            at = max(step.started + group.timeout, self._cluster.agenda.now)
            self._cluster.agenda.at(at, Rank.TIMEOUT, 0, lambda now: self._driver_ends(step, now))
        if group.statement_timeout is not None:
            at = step.started + step.request + self._cluster.scenario.wakeup + group.statement_timeout
            reign.node.agenda.at(at, Rank.TIMEOUT, 0, lambda now: self._abort(reign, step, now))

    def _driver_ends(self, step: Step, now: int) -> None:
        """Wherever the transaction is by now; nowhere, if it has been answered or its primary is gone."""
        for reign in [each for each in self._cluster.reigns if each.ended == NEVER]:
            if not self._cluster.groups[step.group].disconnects:
                # A server that stands still has the signal when it goes on.
                reign.node.agenda.at(now, Rank.TIMEOUT, 0, partial(self._cancel, reign, step))
            elif reign.transactions.disconnect(step, now):
                reign.primary.expect_inserts()

    def _cancel(self, reign: Reign, step: Step, now: int) -> None:
        row = reign.transactions.rows.get((step.group, step.number))
        if row is None:
            self._abort(reign, step, now)
        elif reign.log.lsn[row] <= reign.primary.flushed:
            reign.primary.cancel([row], now)
        else:
            self._early.setdefault(reign, []).append(row)

    def _abort(self, reign: Reign, step: Step, now: int) -> None:
        if reign.ended != NEVER:
            return
        learned = reign.transactions.abort(step, now)
        if learned is not None:
            self._cluster.succession.stranded.failed.append((step, learned))
            reign.primary.expect_inserts()

    def _flushed(self, reign: Reign, position: int, now: int) -> None:
        waiting = self._early.pop(reign, None)
        if waiting is None:
            return
        reign.primary.cancel([row for row in waiting if reign.log.lsn[row] <= position], now)
        later = [row for row in waiting if reign.log.lsn[row] > position]
        if later:
            self._early[reign] = later
