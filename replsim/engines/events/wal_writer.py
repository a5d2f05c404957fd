"""The WAL writer: it flushes what no backend waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from replsim.engines.events.agenda import Agenda, Rank
from replsim.engines.events.log import Log
from replsim.scenario import Scenario

if TYPE_CHECKING:
    from replsim.engines.events.primary import Primary

__all__ = ["WalWriter"]


class WalWriter:
    """It wakes every ``wal_writer_delay``, or when ``wal_writer_flush_after`` has gathered.

    Source: PostgreSQL ``xlog.c:XLogBackgroundFlush`` and ``XLogSetAsyncXactLSN``.  It flushes whole pages first,
    and the rest of the last page only when there is no new page; hence a commit is lost by a crash for up to
    three times ``wal_writer_delay``.  Its longer sleep on an idle system is left out: a commit ends it at once.
    """

    def __init__(self, scenario: Scenario, agenda: Agenda, log: Log, primary: Primary) -> None:
        self._agenda = agenda
        self._log = log
        self._primary = primary
        self._wakeup = scenario.wakeup
        self._delay = scenario.primary.wal_writer_delay
        self._page = scenario.settings.page_bytes
        self._pages = scenario.primary.wal_writer_flush_after // self._page
        self._due = 0
        self._asleep = False
        self._waits = False
        """Whether it wants the lock, which somebody else holds."""
        self._flushes = False
        self._nudged = False
        """Whether somebody tried to wake it while it was awake: it looks once more before it sleeps."""

    def sleep(self, now: int) -> None:
        """Go to sleep at ``now``, for the delay."""
        self._asleep = True
        self._wake_at(now + self._delay)

    def nudge(self, inserted: int) -> None:
        """An asynchronous commit was inserted: wake if enough whole pages wait for a flush (0: at once)."""
        if not self._asleep:
            self._nudged = True
        elif self._enough():
            wake = max(inserted + self._wakeup, self._agenda.now)
            if wake < self._due:
                self._wake_at(wake)

    def flush_ended(self, now: int) -> None:
        """Some flush has ended: its own, or one that held the lock it waits for."""
        if self._flushes:
            self._flushes = False
            self.sleep(now)
            if self._nudged and self._enough():
                self._wake_at(now)
        elif self._waits and not self._primary.busy:
            self._waits = False
            self._flush(now, now + self._wakeup)

    def _enough(self) -> bool:
        return self._primary.asynchronous // self._page - self._primary.flushed // self._page >= self._pages

    def _wake_at(self, time: int) -> None:
        self._due = time
        self._agenda.at(time, Rank.WAL_WRITER, 0, self._wake)

    def _wake(self, now: int) -> None:
        if now < self._due or not self._asleep:
            return
        self._asleep = False
        if self._primary.busy:
            # Nobody may look now: the flush under way takes what was noted by its end as inserted before its start.
            self._waits = True
        else:
            self._primary.look(now)
            self._flush(now, now)
        self._primary.expect_inserts()

    def _flush(self, now: int, start: int) -> None:
        position = self._log.position(now)
        target = position - position % self._page
        if target <= self._primary.flushed:
            target = self._primary.asynchronous
        if target <= self._primary.flushed:
            self.sleep(now)
        else:
            self._flushes = True
            self._nudged = False
            self._primary.flush_from(start, target)
