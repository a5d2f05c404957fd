"""A standby's startup process: a serial server behind the standby's flush."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from heapq import heappop, heappush

import numpy as np

from replsim.engines.events.columns import Ints, ints
from replsim.engines.events.log import Log
from replsim.scenario.nodes import Standby
from replsim.units import SECOND

__all__ = ["Replay"]


class Replay:
    """It replays commits in the order of the log, and only what the standby has flushed.

    A flush hands it a batch: all commits that end at or before the flushed position.  It starts when it is woken,
    or goes on if it is still busy.  A commit's cost is that of the records and the bytes since the last one; what
    stands behind the last commit of a batch, which is background WAL, is replayed with the batch.  Under
    ``recovery_min_apply_delay`` it waits at each commit record, and everything behind it waits too.

    A record of which only a part has come is left for the next batch: where the WAL writer flushes whole pages,
    the reply after a replay reports less than was flushed.
    """

    def __init__(
        self, draw: Callable[[], int], standby: Standby, log: Log, wakeup: int, *, start: int = 0, now: int = 0
    ) -> None:
        self._log = log
        self._wakeup = wakeup
        self._delay = standby.recovery_min_apply_delay
        self._per_record = standby.replay.per_record.constant
        self._draw = draw
        self._bandwidth = standby.replay.bandwidth
        self._count = self._first = log.count_up_to(start)
        """Commits handed over so far."""
        self._start, self._records_done = log.whole(start, self._count)
        self._born = now
        """When it began; `_start` is what was replayed then."""
        """Records and bytes that belong to the batches so far, where costs are random or commits are delayed;"""
        self._bytes_done = self._start
        self._cost_done = 0
        """and their cost, where costs are even."""
        self.positions = array("q")
        """Where each batch ends; the receiver adds to it once a batch is written, before it hands it over."""
        self._whole = array("q")
        """Where the last record of each batch ends that is whole in it: replay can go no further."""
        self._starts = array("q")
        """Per batch: when its replay begins, its first commit, and when it has been replayed."""
        self._firsts = array("q")
        self._ends = array("q")
        self._bases = array("q")
        """Per batch, where costs are even: the cost of all that came before it."""
        self._applied = array("q")
        """Commit by commit, where costs are random or commits are delayed: when each has been replayed."""
        self._even = self._per_record is not None and not self._delay
        if self._even:
            self._cost_done = self._cost(self._records_done, self._start)
        self._free = 0
        self._awaited: list[tuple[int, int, Callable[[int], None]]] = []
        """Who waits for a position that has not been handed over, in the order in which they came."""
        self._asked = 0
        self.free = 0
        """When it will have replayed all that it was handed."""

    def follow(self, log: Log) -> None:
        """What comes next is in another log, which holds all that was handed over so far."""
        self._log = log

    def hand_over(self, now: int, position: int) -> range:
        """The standby has flushed up to ``position`` at ``now``; returns the rows of the commits in this batch."""
        start = self._free if self._free > now else now + self._wakeup
        rows = range(self._count, self._log.count_up_to(position, self._count))
        whole, records = self._log.whole(position, rows.stop)
        if self._even:
            cost = self._cost(records, whole)
            end = start + cost - self._cost_done
            self._bases.append(self._cost_done)
            self._cost_done = cost
        else:
            end = self._replay(self._each(rows, start), records, whole)
            self._records_done, self._bytes_done = records, whole
        self._whole.append(whole)
        self._starts.append(start)
        self._firsts.append(self._count)
        self._ends.append(end)
        assert self.positions[len(self._ends) - 1] == position, "a batch was handed over that was not announced"
        self._count = rows.stop
        self._free = self.free = end
        while self._awaited and self._awaited[0][0] <= whole:
            lsn, _, tell = heappop(self._awaited)
            tell(self._when(lsn))
        return rows

    def applied(self, row: int) -> int:
        """When commit ``row``, which has been handed over, is (or will be) replayed."""
        return self._replayed(row)

    def count(self, time: int) -> int:
        """How many commits have been replayed by ``time``."""
        return self._first + bisect_right(range(self._first, self._count), time, key=self.applied)

    def call_when(self, lsn: int, tell: Callable[[int], None]) -> None:
        """Say when ``lsn`` will have been replayed, as far as that is known, once it is."""
        if lsn <= (self._whole[-1] if self._whole else self._start):
            tell(self._when(lsn))
        else:
            self._asked += 1
            heappush(self._awaited, (lsn, self._asked, tell))

    def _when(self, lsn: int) -> int:
        """When it has, or will have, replayed up to ``lsn``, which it was handed over."""
        if lsn <= self._start:
            return self._born
        row = bisect_left(self._log.lsn, lsn)
        if row < self._count:
            return self.applied(row)
        # Behind the last commit there is background WAL.
        return int(self._told(np.array([self._ends[bisect_left(self._whole, lsn)]]))[0])

    def position(self, time: int) -> int:
        """The position replayed by ``time``, which is not before the last batch but one was handed over."""
        batch = len(self._ends) - 1
        while batch >= 0 and self._starts[batch] > time:
            batch -= 1
        if batch < 0:
            return self._start
        if self._ends[batch] <= time:
            return self._whole[batch]
        low, high = self._firsts[batch], self._count if batch == len(self._ends) - 1 else self._firsts[batch + 1]
        while low < high:
            middle = (low + high) // 2
            if self._replayed(middle) <= time:
                low = middle + 1
            else:
                high = middle
        if low > self._firsts[batch]:
            return self._log.lsn[low - 1]
        return self._whole[batch - 1] if batch else self._start

    def trajectory(self, end: int) -> tuple[Ints, Ints]:
        """The applied position up to ``end``, as times and positions: a step at each commit and one at the end of
        each batch, after the one that it began with."""
        starts, firsts = ints(self._starts), ints(self._firsts)
        lsn, count = ints(self._log.lsn)[self._first : self._count], self._count
        if self._even and len(lsn):
            sizes = np.diff(np.append(firsts, count))
            applied = self._costs() + np.repeat(starts - ints(self._bases), sizes)
        else:
            applied = ints(self._applied)
        time = np.concatenate([applied, ints(self._ends)])
        position = np.concatenate([lsn, ints(self._whole)])
        order = np.lexsort((position, time))
        time, position = self._told(time[order]), np.maximum.accumulate(position[order]) if len(order) else position
        # What takes no time while replay stands still has ended, in its own time, when it came to stand: perhaps in a
        # former life.
        time = np.maximum(time, self._born)
        upto = int(np.searchsorted(time, end, side="right"))
        return np.append(self._born, time[:upto]), np.append(self._start, position[:upto])

    def _replayed(self, row: int) -> int:
        """`applied`, in its own time."""
        if not self._even:
            return self._applied[row - self._first]
        batch = bisect_right(self._firsts, row) - 1
        return self._starts[batch] + self._cost(self._log.records[row], self._log.lsn[row]) - self._bases[batch]

    def _own(self, time: int) -> int:
        """Its own time, in which its work is reckoned, at ``time``."""
        return time

    def _told(self, own: Ints) -> Ints:
        """Its own times as times."""
        return own

    def _cost(self, records: int, position: int) -> int:
        """The cost of the first ``records`` records and ``position`` bytes, at the constant cost of a record."""
        assert self._per_record is not None
        return records * self._per_record + (self._bytes_cost(position) if self._bandwidth is not None else 0)

    def _bytes_cost(self, lsn: int) -> int:
        """The cost of the first ``lsn`` bytes: differences of it add up exactly, however batches are cut."""
        assert self._bandwidth is not None
        return lsn // self._bandwidth * SECOND + lsn % self._bandwidth * SECOND // self._bandwidth

    def _costs(self) -> Ints:
        """`_cost` up to each commit, as an array."""
        assert self._per_record is not None
        cost = ints(self._log.records)[self._first : self._count] * self._per_record
        if self._bandwidth is not None:
            lsn = ints(self._log.lsn)[self._first : self._count]
            cost = cost + lsn // self._bandwidth * SECOND + lsn % self._bandwidth * SECOND // self._bandwidth
        return np.asarray(cost)

    def _each(self, rows: range, start: int) -> int:
        """Replay commit by commit; returns the end."""
        records, lsn, steps = self._log.records, self._log.lsn, self._log.steps
        time = start
        for row in rows:
            if self._delay:
                time = max(time, self._own(steps[row].time + self._delay))
            time = self._replay(time, records[row], lsn[row])
            self._records_done, self._bytes_done = records[row], lsn[row]
            self._applied.append(time)
        return time

    def _replay(self, time: int, records: int, position: int) -> int:
        """Replay on from ``time``, up to so many records and to ``position``; returns the end."""
        time += sum(self._draw() for _ in range(records - self._records_done))
        if self._bandwidth is not None:
            time += self._bytes_cost(position) - self._bytes_cost(self._bytes_done)
        return time
