"""Replay that queries on its standby hold up."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import NamedTuple

from typing_extensions import override

from replsim.engines.events.log import Log
from replsim.engines.events.pace import Pace, Stretch
from replsim.engines.events.paced_replay import PacedReplay
from replsim.scenario.nodes import FOR_EVER, Standby
from replsim.units import NEVER

__all__ = ["ContestedReplay"]


class _Part(NamedTuple):
    """What a batch has still to do, in its replay's own time."""

    batch: int
    rows: range
    costs: list[int]
    """What each of its commits costs beyond waiting for its turn and its delay,"""
    rest: int
    """and what comes after the last."""


class ContestedReplay(PacedReplay):
    """A `PacedReplay` on a standby with queries, each of which conflicts with whatever is replayed next.

    Source: PostgreSQL ``standby.c:ResolveRecoveryConflictWithVirtualXIDs``.  Replay waits until the query ends, or
    ``max_standby_streaming_delay`` after the *receipt time* at the latest, and then cancels it.  That time is set when
    replay has run out of WAL and finds no more than one chunk of it, that is, what one flush of the walreceiver
    covered (``xlogrecovery.c:WaitForWALToBecomeAvailable``).  A standby that is behind does not set it, so that all
    queries share one grace.

    Under ``recovery_min_apply_delay`` a query is met when the turn of the next commit has come, not before.  The grace
    has begun all the same, so the delay uses it up; and a standby that is always the delay behind does not set the
    receipt time for as long as there is work.
    """

    def __init__(
        self,
        draw: Callable[[], int],
        standby: Standby,
        log: Log,
        wakeup: int,
        *,
        start: int = 0,
        now: int = 0,
        pace: Pace,
        queries: Sequence[tuple[int, int]],
        tell: Callable[[int, int, list[int]], None],
    ) -> None:
        """``queries``: from when to when each runs; ``tell`` hears of each wait, its end, and which were cancelled."""
        super().__init__(draw, standby, log, wakeup, start=start, now=now, pace=pace)
        self._grace = standby.max_standby_streaming_delay
        self._queries = queries
        self._tell = tell
        self._met = {place for place, (begin, _) in enumerate(queries) if begin < now}
        """The queries that replay has met, or that died with a former life of the standby."""
        self._receipt = now
        self._looks = now
        """When replay has run out of what it found at its last look, and looks again;"""
        self._found = 0
        """how many chunks it will find, as far as they have come, and when it will have replayed these."""
        self._found_end = now

    @override
    def hand_over(self, now: int, position: int) -> range:
        self._look(now)
        idle = self.free <= now
        if idle:
            self._found = 0
        begins = now + self._wakeup
        if idle and self._stands(begins):
            # It looks when it goes on.
            self._looks, idle = self._goes_on(begins), False
        elif idle:
            self._receipt = begins
            count = self._log.count_up_to(position, self._count)
            turn = self._turn(begins, self._count, count)
            costs = self._per_record and count > self._count
            if self._meet(turn) and not costs and self._may_cost_nothing(position):
                self._free = self._pace.own(turn) + 1
        rows = super().hand_over(now, position)
        if idle:
            self._looks, self._found = self.free, 0
        else:
            self._found += 1
            self._found_end = self.free
        return rows

    def contest(self, now: int) -> bool:
        """A query has begun, or replay goes on after a pause: returns whether it waits, so that all that was foreseen
        comes later."""
        self._look(now + 1)
        if self.free <= now or self._stands(now):
            return False
        before, looks = self._pace.own(self._looks), self._looks
        row = self.count(now)
        turn = self._turn(now, row, self._count)
        pending = self._pending(row) if self._delay else []
        if not self._meet(turn):
            return False
        self._plan_anew(pending, self._pace.own(turn))
        self.free = self._pace.when(self._free)
        self._looks = self._pace.when(before) if looks > now else looks
        self._found_end = self.free
        return True

    def _turn(self, now: int, row: int, end: int) -> int:
        """When it works next, which it would from ``now`` on but for the delay of commit ``row``, if that is below
        ``end``."""
        if not self._delay or row >= end:
            return now
        turn = max(now, self._log.steps[row].time + self._delay)
        return self._goes_on(turn) if self._stands(turn) else turn

    def _due(self, row: int) -> int:
        """When a commit's delay has passed, in its own time."""
        return self._pace.own(self._log.steps[row].time + self._delay)

    def _pending(self, row: int) -> list[_Part]:
        """What is left of each batch from commit ``row`` on, where commits are delayed."""
        found = []
        for batch in range(max(bisect_right(self._firsts, row) - 1, 0), len(self._ends)):
            first = self._firsts[batch]
            last = self._firsts[batch + 1] if batch + 1 < len(self._firsts) else self._count
            time, costs = self._starts[batch], []
            for each in range(first, last):
                applied = self._applied[each - self._first]
                costs.append(applied - max(time, self._due(each)))
                time = applied
            skipped = max(row - first, 0)
            found.append(_Part(batch, range(first + skipped, last), costs[skipped:], self._ends[batch] - time))
        return found

    def _plan_anew(self, pending: Sequence[_Part], begins: int) -> None:
        """A wait has been put in at ``begins``: a commit whose delay passes meanwhile waits for nothing more."""
        time = -1
        for part in pending:
            if time >= 0:
                self._starts[part.batch] = time
            elif part.rows and part.rows.start > self._firsts[part.batch]:
                time = self._applied[part.rows.start - 1 - self._first]
            else:
                time = self._starts[part.batch]
            for row, cost in zip(part.rows, part.costs, strict=True):
                time = max(time, self._due(row)) + cost
                # What costs nothing is done when the wait is over, all the same.
                self._applied[row - self._first] = time = max(time, begins + 1)
            self._ends[part.batch] = time = time + part.rest
        if pending:
            self._free = time

    def _look(self, now: int) -> None:
        """Take note of the looks that replay had before ``now``."""
        while self._found and self._looks < now:
            if self._found == 1:
                self._receipt = self._looks
            self._looks, self._found = self._found_end, 0

    def _meet(self, now: int) -> bool:
        """Replay is about to work at ``now``, and perhaps waits for queries first; returns whether it does."""
        limit = NEVER if self._grace == FOR_EVER else self._receipt + self._grace
        time, cancelled = now, []
        while met := [
            place for place, (begin, end) in enumerate(self._queries) if place not in self._met and begin <= time < end
        ]:
            self._met.update(met)
            time = max(time, min(limit, max(self._queries[place][1] for place in met)))
            cancelled += [place for place in met if self._queries[place][1] > time]
        if time > now:
            self._pace.add(Stretch(now, time, 0))
        if time > now or cancelled:
            self._tell(now, time, cancelled)
        return time > now

    def _stands(self, time: int) -> bool:
        return self._pace.own(time) == self._pace.own(time + 1)

    def _goes_on(self, time: int) -> int:
        return self._pace.when(self._pace.own(time) + 1) - 1
