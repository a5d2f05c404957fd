"""Who waits for what: commits whose flush is done or not, and the positions that release them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from replsim.engines.events.log import Log
from replsim.engines.events.transactions import Transactions
from replsim.engines.events.uplink import Positions
from replsim.rules.acks import REMOTE_LEVELS, Level, SyncRule
from replsim.scenario import Scenario

__all__ = ["Release"]


class Release:
    """The commits that wait, by level, in the order of the log; a position releases all that end at or before it.

    Source: PostgreSQL ``syncrep.c``.  A standby's reply moves what it has *reported*; the rule turns what all
    candidates reported into one position a level (`SyncRule.position`); every waiter up to there is woken.
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
        self._log = log
        self._transactions = transactions
        self._wakeup = scenario.wakeup
        self._rule = rule
        self.candidates = candidates
        """The standbys whose replies count, best priority first."""
        self._waiting: dict[Level, deque[int]] = {level: deque() for level in levels}
        self.remote = tuple(level for level in REMOTE_LEVELS if level in levels)
        self._places = tuple((level, REMOTE_LEVELS.index(level)) for level in self.remote)
        """Each level that somebody waits at, and the place of its position in a reply."""
        self._told = {level: [0] * len(self.candidates) for level in self.remote}
        """What the candidates have sent, processed by the primary or still on its way."""
        self._reported = {level: [0] * len(self.candidates) for level in self.remote}
        self._released = dict.fromkeys(self.remote, 0)
        self._parted = False
        """Whether a candidate is away, or is back but not up to date yet: what those reported is -1."""
        self._changed = False
        """Whether candidates came or went since the last reply: the next one may release, whatever it says."""
        self._leader = -1
        """The first commit, of whatever level, that waits for a flush: its backend is the one that flushes."""

    def wait(self, row: int, level: Level) -> None:
        """Commit ``row`` waits at ``level`` (``local`` or remote); rows come in the order of the log."""
        if self._leader < 0:
            self._leader = row
        self._waiting[level].append(row)

    def count(self) -> int:
        """How many commits wait, at any level."""
        return sum(len(waiting) for waiting in self._waiting.values())

    def flushed(self, position: int, now: int) -> None:
        """The primary's flush has reached ``position``: the leader of the group goes on, the others wake."""
        lsn = self._log.lsn
        leader = self._leader
        if leader >= 0 and lsn[leader] <= position:
            self._leader = -1
        waiting = self._waiting.get("local")
        while waiting and lsn[waiting[0]] <= position:
            row = waiting.popleft()
            self._transactions.answered(row, now if row == leader else now + self._wakeup)

    def news(self, candidate: int, positions: Positions) -> bool:
        """Whether a reply that a candidate sends now can release anything once it is processed.

        It cannot where it repeats what an earlier one on the same stream says, or where what it reports has been
        released already: a position at or below the released one never raises the k-th largest or the minimum.
        """
        news = self._changed
        for level, place in self._places:
            position = positions[place]
            told = self._told[level]
            if position > told[candidate]:
                told[candidate] = position
                news = news or position > self._released[level]
        return news

    def reported(self, candidate: int, positions: Positions, now: int) -> None:
        """The primary has processed a reply of one candidate that is up to date."""
        changed, self._changed = self._changed, False
        for level, place in self._places:
            reported = self._reported[level]
            position = positions[place]
            if position > reported[candidate]:
                reported[candidate] = position
            elif not changed:
                continue
            counted = [each for each in reported if each >= 0] if self._parted else reported
            released = self._rule.position(counted)
            if released > self._released[level]:
                self._released[level] = released
                self._wake(self._waiting[level], released, now + self._wakeup)

    def judge_again(self, candidate: int, now: int) -> None:
        """The primary has processed a reply that says nothing new, of a candidate that may not be up to date."""
        if self._changed and all(self._reported[level][candidate] >= 0 for level in self.remote):
            self.reported(candidate, (-1, -1, -1), now)

    def waiting_for_standbys(self, flushed: int) -> list[int]:
        """The commits that wait for standbys: those that the primary has ``flushed``."""
        lsn = self._log.lsn
        return [row for level in self.remote for row in self._waiting[level] if lsn[row] <= flushed]

    def cancel(self, rows: Iterable[int], now: int) -> None:
        """Commits wait for standbys no longer.

        Source: ``syncrep.c:SyncRepWaitForLSN``: the commit stands, and the backend warns that it may not have been
        replicated.
        """
        for row in rows:
            for level in self.remote:
                if row in self._waiting[level]:
                    self._waiting[level].remove(row)
                    self._log.cancelled.add(row)
                    self._transactions.answered(row, now + self._wakeup)

    def forget(self) -> None:
        """Nobody waits any more."""
        self._leader = -1
        for waiting in self._waiting.values():
            waiting.clear()

    def leave(self, candidate: int) -> None:
        """A candidate has disconnected: it counts no more, and with ``FIRST`` the next in the list takes its place.

        Nothing is released by that alone: only a reply does (``SyncRepReleaseWaiters``).
        """
        self._parted = self._changed = True
        for level in self.remote:
            self._told[level][candidate] = self._reported[level][candidate] = -1

    def join(self, candidate: int) -> None:
        """A candidate is connected and up to date again: from its next reply on it counts."""
        for level in self.remote:
            self._told[level][candidate] = self._reported[level][candidate] = 0
        self._parted = any(each < 0 for level in self.remote for each in self._reported[level])
        self._changed = True

    def _wake(self, waiting: deque[int], position: int, visible: int) -> None:
        lsn = self._log.lsn
        answered = self._transactions.answered
        while waiting and lsn[waiting[0]] <= position:
            answered(waiting.popleft(), visible)
