"""Transactions on their way to the log: connection pools, execution and row locks, in the order of time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import heapify, heappop, heappush

from replsim.engines.events.clients import ATTEMPT, Clients, Step, What
from replsim.engines.events.log import Log
from replsim.errors import ScenarioError
from replsim.units import NEVER

__all__ = ["Transactions"]


class Transactions:
    """Every transaction that has a next step, by time.

    A step is taken when the primary looks (`take`), not by an event of its own: between two looks nothing
    could have seen it.
    """

    def __init__(self, groups: Sequence[Clients], log: Log, wakeup: int, *, fresh: bool) -> None:
        self._groups = groups
        self._log = log
        self._wakeup = wakeup
        self._hold = -1
        """The server stands still until then: what would happen before happens at that moment."""
        self._steps: list[Step] = []
        self._locks: dict[int, deque[Step] | int] = {}
        """By key: the steps that wait for its holder, or the time at which it was last released."""
        self.hearers: list[Callable[[int, int, int], None]] = []
        """Told of each commit that is answered: its row, when it is visible, and when its client has the answer."""
        self._heir: Callable[[list[Step]], None] | None = None
        """Where the clients write from now on, after they have left this primary."""
        self.begun: Callable[[Step], None] | None = None
        """Told of each start of a transaction that ends if it takes too long."""
        self.rows: dict[tuple[int, int], int] = {}
        """Of such transactions, by group and number: the rows that are not answered yet."""
        self.gone: dict[tuple[int, int], tuple[Step, int]] = {}
        """Those that are not in the log while their clients have disconnected, and when these did."""
        if fresh:
            for group in groups:
                for step in group.first():
                    heappush(self._steps, step)

    def next_time(self) -> int:
        """When the next step that touches the log or a lock is due; `NEVER` if every client waits."""
        steps = self._steps
        while steps and steps[0].what == What.START:
            self._start(heappop(steps))
        return max(steps[0].time, self._hold) if steps else NEVER

    def hold(self, until: int) -> None:
        """The server stands still until ``until``: its clients' steps wait."""
        self._hold = max(self._hold, until)

    def take(self, until: int) -> Iterator[int]:
        """Take every step due at or before ``until``; yields the row of each commit record inserted."""
        steps, log, groups = self._steps, self._log, self._groups
        while steps and steps[0].time <= until:
            step = heappop(steps)
            what = step.what
            if step.time < self._hold and what != What.START:  # which is not the server's doing
                heappush(steps, step._replace(time=self._hold))
            elif what == What.INSERT:
                group = groups[step.group]
                images = group.page_images(step.number, step.time) if group.logs_pages else 0
                row = log.add_commit(step, images, group.records)
                if group.impatient:
                    self._logged(step, row)
                yield row
                if group.in_order:
                    self._push(group.next_after(step))
            elif what == What.START:
                self._start(step)
            elif what == What.CHUNK:
                log.add_bytes(step.size, step.time)
            else:
                self._lock(step)

    def answered(self, row: int, visible: int) -> None:
        """Commit ``row`` is ``visible`` and its answer on the way: its client goes on, its locks are free."""
        log = self._log
        done = log.steps[row]
        group = self._groups[done.group]
        log.visible[row] = visible
        if group.answer_time is not None and not group.polls:
            log.acknowledged[row] = learned = visible + group.answer_time
        else:
            log.acknowledged[row], learned = group.times(done, visible)
            log.learned[row] = learned
        if group.locks:
            self._unlock(group.key(done.number), visible)
        left = False
        if group.impatient:
            left = self._left_alone(row, done)
            learned = log.learned.get(row, learned)
        step = None if left else group.answered(done, learned)
        if step is not None:
            self.add(step, done.submitted)
        for hear in self.hearers:
            hear(row, visible, log.acknowledged[row])

    def add(self, step: Step, before: int) -> None:
        """A client goes on with a new transaction; the one before it was submitted at ``before``."""
        group = self._groups[step.group]
        if group.goes_round and step.time <= before:
            raise ScenarioError([group.no_time])
        self._push(step)

    def join(self, steps: Iterable[Step]) -> None:
        """Clients come, with what they are going to do next."""
        for step in steps:
            heappush(self._steps, step)

    def leave(self, now: int) -> tuple[list[Step], list[Step]]:
        """Every connection is broken: what is still to start, and what had started (one step a transaction)."""
        coming = [step for step in self._steps if step.started > now]
        under_way = sorted(step for step in self._unfinished() if step.started <= now)
        self._steps.clear()
        self.rows.clear()
        self._locks.clear()
        return coming, under_way

    def hand_over(self, now: int, heir: Callable[[list[Step]], None]) -> list[Step]:
        """The clients go elsewhere with what starts after ``now``; what has started ends here, and then they follow."""
        coming = [step for step in self._steps if step.started > now]
        self._steps = [step for step in self._steps if step.started <= now]
        heapify(self._steps)
        self._heir = heir
        return coming

    def disconnect(self, begun: Step, now: int) -> bool:
        """The client of a transaction that is under way here leaves it; returns whether there is such a one."""
        key = begun.group, begun.number
        row = self.rows.get(key)
        if row is not None:
            self._log.deserted[row] = self._log.learned[row] = now
        elif self._has(key):
            self.gone[key] = begun, now
        else:
            return False
        self._goes_on(begun, now)
        return True

    def abort(self, begun: Step, now: int) -> int | None:
        """A transaction that has not reached the log ends; returns when its client knows, None where there is none."""
        key, group = (begun.group, begun.number), self._groups[begun.group]
        if not self._has(key):
            return None
        asks = any((step.group, step.number) == key and step.what == What.LOCK for step in self._steps)
        self._steps = [step for step in self._steps if (step.group, step.number) != key]
        heapify(self._steps)
        if group.locks and not asks:
            self._leave_lock(key, now)
        _, learned = group.times(begun, now)
        self._goes_on(begun, learned)
        return learned

    def running(self, now: int) -> int:
        """How many transactions execute on the server: not those on their way to it, nor those blocked on a lock.

        Source: PostgreSQL ``procarray.c:MinimumActiveBackends``.
        """
        groups = self._groups
        return sum(
            step.what == What.INSERT and step.started + groups[step.group].to_server <= now for step in self._steps
        )

    def remaining(self, until: int) -> list[Step]:
        """What was submitted by ``until``, has a connection and has not reached the log."""
        return [step for step in self._unfinished() if step.submitted <= until]

    def _unfinished(self) -> list[Step]:
        """The next step of each transaction that is to reach the log, and whose client is there."""
        steps = [step for step in self._steps if step.what != What.CHUNK]
        steps += [step for waiting in self._locks.values() if not isinstance(waiting, int) for step in waiting]
        return [step for step in steps if (step.group, step.number) not in self.gone] if self.gone else steps

    def _push(self, step: Step | None) -> None:
        if step is None:
            return
        if self._heir is None:
            heappush(self._steps, step)
        else:
            self._heir([step])

    def _start(self, step: Step) -> None:
        """A connection takes the transaction up; from here the time of its next step is known."""
        group = self._groups[step.group]
        if group.impatient and self.begun is not None:
            self.begun(step)
        for later in group.steps_of(step):
            heappush(self._steps, later)
        if step.number < ATTEMPT:
            self._push(group.next_after(step))

    def _lock(self, step: Step) -> None:
        group = self._groups[step.group]
        key = group.key(step.number)
        held = self._locks.get(key, 0)
        if isinstance(held, int):
            self._locks[key] = deque()
            self._locked(step, held)
        else:
            held.append(step)

    def _unlock(self, key: int, visible: int) -> None:
        waiting = self._locks[key]
        assert not isinstance(waiting, int), "a lock was released that nobody held"
        if waiting:
            self._locked(waiting.popleft(), visible)
        else:
            self._locks[key] = visible

    def _locked(self, step: Step, released: int) -> None:
        """A transaction has its lock: at once, or once it is woken where the last holder ``released`` it later."""
        time = step.time if released <= step.time else released + self._wakeup
        for later in self._groups[step.group].execute(step, time):
            heappush(self._steps, later)

    def _leave_lock(self, key: tuple[int, int], now: int) -> None:
        """A transaction that ends waits for its row's lock no longer, or has it and gives it away."""
        row = self._groups[key[0]].key(key[1])
        waiting = self._locks[row]
        assert not isinstance(waiting, int), "a transaction executed without its lock"
        queued = [step for step in waiting if (step.group, step.number) == key]
        if queued:
            waiting.remove(queued[0])
        else:
            self._unlock(row, now)

    def _has(self, key: tuple[int, int]) -> bool:
        return any((step.group, step.number) == key for step in self._unfinished())

    def _goes_on(self, done: Step, learned: int) -> None:
        step = self._groups[done.group].given_up(done, learned)
        if step is not None:
            self.add(step, done.submitted)

    def _logged(self, step: Step, row: int) -> None:
        key = step.group, step.number
        self.rows[key] = row
        if key in self.gone:
            self._log.deserted[row] = self._log.learned[row] = self.gone.pop(key)[1]

    def _left_alone(self, row: int, done: Step) -> bool:
        """Whether the client had left before the answer was sent; one that leaves before it arrives misses it too."""
        log, group = self._log, self._groups[done.group]
        del self.rows[done.group, done.number]
        left = row in log.deserted
        if not left and group.disconnects:
            assert group.timeout is not None
            if log.acknowledged[row] > done.started + group.timeout:
                log.deserted[row] = done.started + group.timeout
        if row in log.deserted:
            log.acknowledged[row], log.learned[row] = NEVER, log.deserted[row]
        return left
