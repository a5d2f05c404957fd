"""Who waits for what under a rule that a manager changes while the primary runs."""

from __future__ import annotations

from collections.abc import Sequence

from replsim.engines.events.log import Log
from replsim.engines.events.release import Release
from replsim.engines.events.transactions import Transactions
from replsim.engines.events.uplink import Positions
from replsim.rules.acks import Level, SyncRule
from replsim.scenario import Scenario

__all__ = ["ManagedRelease"]


class ManagedRelease(Release):
    """All standbys of the primary are heard, and those count that the rule of the moment names.

    Simplification: a new rule is judged at once by what has been reported.
    """

    def __init__(
        self,
        scenario: Scenario,
        rule: SyncRule,
        levels: Sequence[Level],
        log: Log,
        transactions: Transactions,
        candidates: Sequence[str],
    ) -> None:
        # The manager looks at flush positions, whatever the clients wait for.
        super().__init__(scenario, rule, (*levels, "on"), log, transactions, candidates)
        self._flushed = 0
        self._counts = self._places_of(rule)

    def flushed(self, position: int, now: int) -> None:
        """As without a manager; under an empty rule nobody waits for more."""
        leader = self._leader
        super().flushed(position, now)
        self._flushed = position
        if self._rule.count == 0:
            self._let_go(leader, now)

    def news(self, candidate: int, positions: Positions) -> bool:
        """Whether a reply says anything that no earlier one said: the manager may look at it."""
        news = self._changed
        for level, place in self._places:
            told = self._told[level]
            if positions[place] > told[candidate]:
                told[candidate] = positions[place]
                news = True
        return news

    def reported(self, candidate: int, positions: Positions, now: int) -> None:
        """The primary has processed a reply of one standby that is up to date."""
        self._changed = False
        for level, place in self._places:
            reported = self._reported[level]
            reported[candidate] = max(reported[candidate], positions[place])
        self._judge(now)

    def obey(self, rule: SyncRule, now: int) -> None:
        """A new rule; an empty one wakes every waiter that is flushed (``SyncRepUpdateSyncStandbysDefined``)."""
        self._rule, self._counts = rule, self._places_of(rule)
        if rule.count == 0:
            self._let_go(-1, now)
        else:
            self._judge(now)

    def streaming(self) -> dict[str, int]:
        """The standbys that are connected and up to date, with the flush positions that they have reported."""
        reported = self._reported["on"]
        return {name: each for name, each in zip(self.candidates, reported, strict=True) if each >= 0}

    def _judge(self, now: int) -> None:
        for level in self.remote:
            reported = self._reported[level]
            released = self._rule.position([reported[each] for each in self._counts if reported[each] >= 0])
            if released > self._released[level]:
                self._released[level] = released
                self._wake(self._waiting[level], released, now + self._wakeup)

    def _let_go(self, leader: int, now: int) -> None:
        """Nobody who is flushed waits any more; the ``leader`` of a flush was not asleep."""
        lsn = self._log.lsn
        for level in self.remote:
            waiting = self._waiting[level]
            while waiting and lsn[waiting[0]] <= self._flushed:
                row = waiting.popleft()
                self._transactions.answered(row, now if row == leader else now + self._wakeup)

    def _places_of(self, rule: SyncRule) -> tuple[int, ...]:
        return tuple(self.candidates.index(name) for name in rule.candidates(self.candidates))
