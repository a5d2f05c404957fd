"""The primary: it inserts, flushes in groups, ships what it has flushed, and answers its clients."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, MutableSequence, Sequence

from replsim.engines.events.agenda import Agenda, Rank
from replsim.engines.events.device import Device
from replsim.engines.events.log import Log
from replsim.engines.events.release import Release
from replsim.engines.events.transactions import Transactions
from replsim.engines.events.wal_writer import WalWriter
from replsim.rules.acks import Level
from replsim.scenario import Scenario
from replsim.units import NEVER

__all__ = ["Primary"]


class Primary:
    """One WAL-write lock, one flush at a time, and each flush takes all that was inserted up to its start.

    Source: PostgreSQL ``xlog.c:XLogFlush`` and ``LWLockAcquireOrWait``.  A committer that finds the lock free
    flushes at once; one that finds it taken waits, and after the flush one of those still waiting, woken,
    starts the next.  A backend that arrives between a flush's end and that wake-up joins the next flush.
    """

    def __init__(
        self,
        scenario: Scenario,
        agenda: Agenda,
        device: Device,
        log: Log,
        transactions: Transactions,
        release: Release,
        levels: Sequence[Level],
        ship: MutableSequence[Callable[[int, int], None]],
        start: int,
    ) -> None:
        self._settings = scenario.primary
        self._agenda = agenda
        self._wakeup = scenario.wakeup
        self._device = device
        self._log = log
        self._transactions = transactions
        self._release = release
        self._levels = levels
        self.ship = ship
        """Called with the time and the position of each flush: the senders to the standbys."""
        self.wal_writer: WalWriter | None = None
        self.eager = False
        """Whether every insertion is noted when it happens, also during a flush: somebody may see it at once."""
        self.flushes = array("q")
        """When each flush ended, and in `flush_positions` up to where."""
        self.flush_positions = array("q")
        self.flushed = start
        self.asynchronous = start
        """Where the last commit ends that no backend flushes for (``asyncXactLSN``)."""
        self.busy = False
        """Whether the WAL-write lock is taken, or promised to a backend that is waking up."""
        self.room_until = NEVER
        """Where the device is full, and what happens then."""
        self.out_of_room: Callable[[int], None] | None = None
        self._wanted = 0
        """Where the last commit ends whose backend wants a flush."""
        self._started = 0
        self._target: int | None = None
        self._wake_at = NEVER

    def look(self, until: int) -> None:
        """Take note of all that was inserted up to ``until``."""
        log, levels = self._log, self._levels
        for row in self._transactions.take(until):
            step = log.steps[row]
            level = levels[step.group]
            if level == "off":
                self.asynchronous = log.lsn[row]
                self._transactions.answered(row, step.time)
                assert self.wal_writer is not None
                self.wal_writer.nudge(step.time)
            else:
                self._wanted = log.lsn[row]
                self._release.wait(row, level)

    def attend(self, now: int) -> None:
        """`look`, also while a flush is under way, which takes what was inserted by its start."""
        if self.busy and self._target is None and self._started <= now:
            self.look(self._started)
            self._target = self._log.position(self._started)
        self.look(now)

    def watch(self, now: int) -> None:
        """From now on every insertion is noted when it happens."""
        self.attend(now)
        self.eager = True
        self.expect_inserts()

    def expect_inserts(self) -> None:
        """While the lock is free, be there when the next step is due; while it is taken nobody needs to look."""
        if self.busy and not self.eager:
            return
        due = self._transactions.next_time()
        if due < self._wake_at:
            self._wake_at = due
            self._agenda.at(due, Rank.INSERT, 0, self._inserted)

    def flush_from(self, start: int, target: int | None = None) -> None:
        """Take the lock and flush from ``start`` on: up to ``target``, or to all that is inserted by then."""
        self.busy = True
        self._started = start
        self._target = target
        if self._device.size_matters or self.eager:
            self._agenda.at(start, Rank.FLUSH_START, 0, self._start_sized)
        else:
            # What the flush takes does not change when it ends, so its start needs no event.
            self._device.starts.append(start)
            end = self._device.done(start, self._device.write_time(0) + self._device.flush_time())
            self._agenda.at(end, Rank.FLUSH_END, 0, self._ended)

    def replied(self, candidate: int, positions: tuple[int, int, int], now: int) -> None:
        """A synchronous candidate's reply has been processed."""
        self._release.reported(candidate, positions, now)
        self.expect_inserts()

    def replied_again(self, candidate: int, now: int) -> None:
        """One has been processed that says nothing new; those who count may be others than before."""
        self._release.judge_again(candidate, now)
        self.expect_inserts()

    def close(self, now: int) -> int:
        """Nothing more comes: flush all that is in the log; returns where it ends."""
        self.look(now)
        self._log.close(now)
        self._wanted = self._log.position(now)
        if self._wanted > self.flushed and not self.busy:
            self.flush_from(now)
        return self._wanted

    def cancel(self, rows: Iterable[int], now: int) -> None:
        """Clients cancel their waits for standbys."""
        self._release.cancel(rows, now)
        self.expect_inserts()

    def cancel_all(self, group: int, now: int) -> None:
        """All clients of a group do."""
        waiting = self._release.waiting_for_standbys(self.flushed)
        self.cancel([row for row in waiting if self._log.steps[row].group == group], now)

    def _inserted(self, now: int) -> None:
        if now < self._wake_at:
            return
        self._wake_at = NEVER
        if self.busy and not self.eager:
            return
        self.attend(now)
        if self._wanted > self.flushed and not self.busy:
            self._lead(now)
        self.expect_inserts()

    def _lead(self, start: int) -> None:
        """A backend takes the lock at ``start``; it may sleep first, so that others can join."""
        if self._settings.commit_delay:
            self.busy = True
            self._agenda.at(start, Rank.FLUSH_START, 0, self._delay)
        else:
            self.flush_from(start)

    def _delay(self, now: int) -> None:
        """``commit_delay`` holds while enough others are active; a backend in a synchronous wait counts as active
        (``MinimumActiveBackends``)."""
        self.look(now)
        others = self._transactions.running(now) + self._release.count() - 1
        self.flush_from(now + (self._settings.commit_delay if others >= self._settings.commit_siblings else 0))

    def _start_sized(self, now: int) -> None:
        """The device's time depends on the bytes, so they are counted at the start."""
        self.look(now)
        if self._target is None:
            self._target = self._log.position(now)
        self._device.starts.append(now)
        work = self._device.write_time(self._target - self.flushed) + self._device.flush_time()
        end = self._device.done(now, work)
        self._agenda.at(end, Rank.FLUSH_END, 0, self._ended)

    def _ended(self, now: int) -> None:
        self.look(self._started)
        target = self._log.position(self._started) if self._target is None else self._target
        assert target >= self.flushed, "a flush went backwards"
        if target > self.room_until and self.out_of_room is not None:
            self.out_of_room(now)
            return
        self.flushed = target
        self.flushes.append(now)
        self.flush_positions.append(target)
        self.busy = False
        self._release.flushed(target, now)
        for ship in self.ship:
            ship(now, target)
        self.look(now)
        if self._wanted > target:
            self._lead(now + self._wakeup)
        if self.wal_writer is not None:
            self.wal_writer.flush_ended(now)
        self.expect_inserts()
