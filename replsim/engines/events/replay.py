"""A standby's startup process: a serial server behind the standby's flush."""

from __future__ import annotations

from array import array
from bisect import bisect_right

import numpy as np

from replsim.engines.events.columns import Ints, ints
from replsim.engines.events.log import Log
from replsim.randomness import Streams
from replsim.record import Trajectory
from replsim.scenario.nodes import Standby
from replsim.units import SECOND

__all__ = ["Replay"]


class Replay:
    """It replays commits in the order of the log, and only what the standby has flushed.

    A flush hands it a batch: all commits that end at or before the flushed position.  It starts when it is woken,
    or goes on if it is still busy.  A commit's cost is its records' and its bytes'; under
    ``recovery_min_apply_delay`` it waits at each commit record, and everything behind it waits too.
    """

    def __init__(self, streams: Streams, node: str, standby: Standby, log: Log, wakeup: int) -> None:
        self._log = log
        self._wakeup = wakeup
        self._delay = standby.recovery_min_apply_delay
        self._per_record = standby.replay.per_record.constant
        self._draw = streams.draws(f"replay:{node}", standby.replay.per_record).next
        self._bandwidth = standby.replay.bandwidth
        self._count = 0
        """Commits handed over so far."""
        self._position = 0
        self.positions = array("q")
        """Where each batch ends; the receiver adds to it once a batch is written, before it hands it over."""
        self._starts = array("q")
        """Per batch: when its replay begins, its first commit, and when it has been replayed."""
        self._firsts = array("q")
        self._ends = array("q")
        self._applied = array("q")
        """Commit by commit, where costs are random or commits are delayed: when each has been replayed."""
        self._even = self._per_record is not None and not self._delay
        self.free = 0
        """When it will have replayed all that it was handed."""

    def hand_over(self, now: int, position: int) -> range:
        """The standby has flushed up to ``position`` at ``now``; returns the rows of the commits in this batch."""
        start = self.free if self.free > now else now + self._wakeup
        rows = range(self._count, self._log.count_up_to(position))
        end = start
        if rows:
            end = start + self._cost(self._count - 1, rows[-1]) if self._even else self._each(rows, start)
        self._starts.append(start)
        self._firsts.append(self._count)
        self._ends.append(end)
        assert self.positions[len(self._ends) - 1] == position, "a batch was handed over that was not announced"
        self._count = rows.stop
        self._position = position
        self.free = end
        return rows

    def applied(self, row: int) -> int:
        """When commit ``row``, which has been handed over, is (or will be) replayed."""
        if not self._even:
            return self._applied[row]
        batch = bisect_right(self._firsts, row) - 1
        return self._starts[batch] + self._cost(self._firsts[batch] - 1, row)

    def position(self, time: int) -> int:
        """The position replayed by ``time``, which is not before the last batch but one was handed over."""
        batch = len(self._ends) - 1
        while batch >= 0 and self._starts[batch] > time:
            batch -= 1
        if batch < 0:
            return 0
        if self._ends[batch] <= time:
            return self.positions[batch]
        low, high = self._firsts[batch], self._count if batch == len(self._ends) - 1 else self._firsts[batch + 1]
        while low < high:
            middle = (low + high) // 2
            if self.applied(middle) <= time:
                low = middle + 1
            else:
                high = middle
        if low > self._firsts[batch]:
            return self._log.lsn[low - 1]
        return self.positions[batch - 1] if batch else 0

    def trajectory(self, end: int) -> Trajectory:
        """The applied position up to ``end``: a step at each commit, and one at the end of each batch."""
        starts, firsts = ints(self._starts), ints(self._firsts)
        lsn, count = ints(self._log.lsn)[: self._count], self._count
        if self._even and count:
            cost = self._costs()
            sizes = np.diff(np.append(firsts, count))
            before = np.concatenate([[0], cost])[firsts]
            applied = cost + np.repeat(starts - before, sizes)
        else:
            applied = ints(self._applied)
        time = np.concatenate([applied, ints(self._ends)])
        position = np.concatenate([lsn, ints(self.positions)[: len(self._ends)]])
        order = np.lexsort((position, time))
        time, position = time[order], np.maximum.accumulate(position[order]) if len(order) else position
        upto = int(np.searchsorted(time, end, side="right"))
        return Trajectory.of(time[:upto], position[:upto])

    def _cost(self, before: int, row: int) -> int:
        """The cost of all commits after ``before`` up to ``row``, at the constant cost of a record."""
        records, lsn = self._log.records, self._log.lsn
        assert self._per_record is not None
        cost = (records[row] - (records[before] if before >= 0 else 0)) * self._per_record
        if self._bandwidth is not None:
            cost += self._bytes_cost(lsn[row]) - self._bytes_cost(lsn[before] if before >= 0 else 0)
        return cost

    def _bytes_cost(self, lsn: int) -> int:
        """The cost of the first ``lsn`` bytes: differences of it add up exactly, however batches are cut."""
        assert self._bandwidth is not None
        return lsn // self._bandwidth * SECOND + lsn % self._bandwidth * SECOND // self._bandwidth

    def _costs(self) -> Ints:
        """`_cost` from the first commit to each, as an array."""
        assert self._per_record is not None
        cost = ints(self._log.records)[: self._count] * self._per_record
        if self._bandwidth is not None:
            lsn = ints(self._log.lsn)[: self._count]
            cost = cost + lsn // self._bandwidth * SECOND + lsn % self._bandwidth * SECOND // self._bandwidth
        return np.asarray(cost)

    def _each(self, rows: range, start: int) -> int:
        """Replay commit by commit; returns the end."""
        records, lsn, steps = self._log.records, self._log.lsn, self._log.steps
        time = start
        for row in rows:
            if self._delay:
                time = max(time, steps[row].time + self._delay)
            count = records[row] - (records[row - 1] if row else 0)
            time += sum(self._draw() for _ in range(count))
            if self._bandwidth is not None:
                time += self._bytes_cost(lsn[row]) - self._bytes_cost(lsn[row - 1] if row else 0)
            self._applied.append(time)
        return time
