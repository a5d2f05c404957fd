"""The primary's log as it is inserted: one row a commit, in the order of the WAL."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from copy import copy

from replsim.engines.events.clients import Step
from replsim.scenario import Scenario
from replsim.units import NEVER, SECOND

__all__ = ["Log"]

_UNKNOWN = array("q", [NEVER]) * 4096


class Log:
    """The commits inserted so far, as columns, and the position that the WAL has reached.

    Background WAL is a fluid in whole records: it adds to positions what has accrued by the time in question,
    and needs no event of its own.
    """

    def __init__(self, scenario: Scenario) -> None:
        self._background = scenario.background
        self._closed = NEVER
        """When its primary shut down: no background WAL comes after that."""
        self._foreground_bytes = 0
        self._foreground_records = 0
        self.branch = 0
        """Its place among all the histories of the run."""
        self.first = 0
        """The first row of its own: those before it are shared with the log that it forked from."""
        self._forked = 0, 0
        self._cut = 0
        """Where it forked, and how many records were whole: what there was of one more, from `_cut` on, is none."""
        self.steps: list[Step] = []
        """The step of each commit that put it into the log: who wrote it, when it was submitted and started."""
        self.lsn = array("q")
        self.records = array("q")
        """Cumulated WAL records up to and including each commit, the background's with them."""
        self._begins = array("q")
        """Where background WAL is written: where each commit's own bytes begin."""
        self._pieces = array("q")
        """Where each chunk of WAL ends that a transaction wrote before its commit, where it begins,"""
        self._piece_begins = array("q")
        self._piece_records = array("q")
        """and the cumulated records up to there."""
        self.checkpoints: list[tuple[int, int]] = []
        """Where the record of each checkpoint ends, and its redo point; kept where WAL that is removed matters."""
        self.images: dict[int, int] = {}
        """Bytes of full-page images, by row, where there are any."""
        self.visible = array("q")
        self.acknowledged = array("q")
        self.learned: dict[int, int] = {}
        """When the client knows, by row, where that is later than the answer: for clients that poll."""
        self.cancelled: set[int] = set()
        """The rows whose wait for standbys was cancelled."""
        self.deserted: dict[int, int] = {}
        """The rows whose clients have disconnected without an answer, and when."""

    def position(self, time: int) -> int:
        """The end of the WAL at ``time``, of all that has been added up to then."""
        if self._background is None:
            return self._foreground_bytes
        return self._foreground_bytes + self._background_records(time) * self._background.record

    def close(self, time: int) -> None:
        """Its primary shuts down."""
        self._closed = time

    def add_bytes(self, size: int, time: int) -> None:
        """WAL of a transaction that still runs: nobody waits for it, but it takes its place in the stream."""
        self._foreground_bytes += size
        end = self.position(time)
        self._pieces.append(end)
        self._piece_begins.append(end - size)
        background = 0 if self._background is None else self._background_records(time)
        self._piece_records.append(self._foreground_records + background)

    def add_commit(self, step: Step, images: int, records: int) -> int:
        """Insert a commit record (and its full-page ``images``) at ``step.time``; returns its row."""
        row = len(self.steps)
        self.steps.append(step)
        self._foreground_bytes += step.rest + images
        self._foreground_records += records
        if self._background is None:
            self.lsn.append(self._foreground_bytes)
            self.records.append(self._foreground_records)
        else:
            background = self._background_records(step.time)
            self.lsn.append(self._foreground_bytes + background * self._background.record)
            self.records.append(self._foreground_records + background)
            self._begins.append(self.lsn[-1] - step.rest - images)
        if images:
            self.images[row] = images
        if row >= len(self.visible):
            self.visible.extend(_UNKNOWN)
            self.acknowledged.extend(_UNKNOWN)
        return row

    def fork(self, branch: int, position: int, time: int) -> Log:
        """Another log: the same up to ``position``, and on from there at ``time`` with commits of its own."""
        child = copy(self)
        child.branch, child._closed = branch, NEVER
        count = child.first = self.count_up_to(position)
        child.steps, child.lsn, child.records = self.steps[:count], self.lsn[:count], self.records[:count]
        child._cut, records = self.whole(position, count)
        child._forked = position, records
        background = child._background_records(time) if child._background is not None else 0
        child._foreground_bytes = position - background * (self._background.record if self._background else 0)
        child._foreground_records = records - background
        pieces = bisect_right(self._pieces, position)
        child._begins, child._pieces = self._begins[:count], self._pieces[:pieces]
        child._piece_begins, child._piece_records = self._piece_begins[:pieces], self._piece_records[:pieces]
        child.checkpoints = [each for each in self.checkpoints if each[0] <= position]
        child.images, child.learned, child.cancelled, child.deserted = {}, {}, set(), {}
        child.visible = array("q", [NEVER]) * count + _UNKNOWN
        child.acknowledged = child.visible[:]
        return child

    def count_up_to(self, lsn: int, known: int = 0) -> int:
        """How many commits end at or before ``lsn``; ``known`` of them are known to."""
        return bisect_right(self.lsn, lsn, known)

    def whole(self, position: int, rows: int) -> tuple[int, int]:
        """Where the last record ends that is whole at ``position``, and how many records there are up to there.

        ``rows`` is the number of commits up to ``position``.  What stands behind the last commit or chunk is background
        WAL up to where the next one begins, of which a part may be there.
        """
        end, records = (self.lsn[rows - 1], self.records[rows - 1]) if rows else (0, 0)
        if end < self._forked[0] <= position:
            end, records = self._forked
        elif end < self._forked[0]:
            position = min(position, self._cut)
        piece = bisect_right(self._pieces, position) if position > end else 0
        if piece and self._pieces[piece - 1] > end:
            end, records = self._pieces[piece - 1], self._piece_records[piece - 1]
        if self._background is None or end == position:
            return end, records
        if rows < len(self._begins):
            position = min(position, self._begins[rows])
        if piece < len(self._piece_begins):
            position = min(position, self._piece_begins[piece])
        behind = (position - end) // self._background.record
        return end + behind * self._background.record, records + behind

    def _background_records(self, time: int) -> int:
        assert self._background is not None
        return self._background.wal * min(time, self._closed) // SECOND // self._background.record
