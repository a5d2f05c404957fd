"""The primary's log as it is inserted: one row a commit, in the order of the WAL."""

from __future__ import annotations

from array import array
from bisect import bisect_right

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
        self._foreground_bytes = 0
        self._foreground_records = 0
        self.steps: list[Step] = []
        """The step of each commit that put it into the log: who wrote it, when it was submitted and started."""
        self.lsn = array("q")
        self.records = array("q")
        """Cumulated WAL records up to and including each commit, the background's with them."""
        self.pieces = array("q")
        """Where each chunk of WAL ends that a transaction wrote before its commit."""
        self.images: dict[int, int] = {}
        """Bytes of full-page images, by row, where there are any."""
        self.visible = array("q")
        self.acknowledged = array("q")
        self.learned: dict[int, int] = {}
        """When the client knows, by row, where that is later than the answer: for clients that poll."""

    def position(self, time: int) -> int:
        """The end of the WAL at ``time``, of all that has been added up to then."""
        if self._background is None:
            return self._foreground_bytes
        return self._foreground_bytes + self._background_records(time) * self._background.record

    def add_bytes(self, size: int, time: int) -> None:
        """WAL of a transaction that still runs: nobody waits for it, but it takes its place in the stream."""
        self._foreground_bytes += size
        self.pieces.append(self.position(time))

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
        if images:
            self.images[row] = images
        if row == len(self.visible):
            self.visible.extend(_UNKNOWN)
            self.acknowledged.extend(_UNKNOWN)
        return row

    def count_up_to(self, lsn: int, known: int = 0) -> int:
        """How many commits end at or before ``lsn``; ``known`` of them are known to."""
        return bisect_right(self.lsn, lsn, known)

    def whole(self, position: int, rows: int) -> int:
        """Where the last record ends that is whole at ``position``, up to which there are ``rows`` commits."""
        end = self.lsn[rows - 1] if rows else 0
        if end == position:
            return end
        piece = bisect_right(self.pieces, position)
        end = max(end, self.pieces[piece - 1] if piece else 0)
        if self._background is None:
            return end
        behind = (position - end) // self._background.record
        if rows < len(self.lsn):
            # Part of a commit that is still to come looks like background WAL.
            behind = min(behind, self.records[rows] - 1 - (self.records[rows - 1] if rows else 0))
        return end + behind * self._background.record

    def background_records_in(self, size: int) -> int:
        """How many whole records of background WAL ``size`` bytes without a commit hold."""
        return 0 if self._background is None else size // self._background.record

    def _background_records(self, time: int) -> int:
        assert self._background is not None
        return self._background.wal * time // SECOND // self._background.record
