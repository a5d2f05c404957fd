"""The primary's log as it is inserted: one row a commit, in the order of the WAL."""

from __future__ import annotations

from array import array
from bisect import bisect_right

from replsim.engines.events.clients import Step
from replsim.scenario import Scenario
from replsim.units import NEVER, SECOND

__all__ = ["Log"]


class Log:
    """The commits inserted so far, as columns, and the position that the WAL has reached.

    Background WAL is a fluid in whole records: it adds to positions what has accrued by the time in question,
    and needs no event of its own.
    """

    def __init__(self, scenario: Scenario) -> None:
        self._background = scenario.background
        self._foreground_bytes = 0
        self._foreground_records = 0
        self.inserted = array("q")
        self.lsn = array("q")
        self.bytes = array("q")
        self.records = array("q")
        """Cumulated WAL records up to and including each commit, the background's with them."""
        self.group = array("h")
        self.number = array("q")
        """Which transaction of its group it is, from 0: the place of its draws in that group's streams."""
        self.client = array("q")
        self.submitted = array("q")
        self.started = array("q")
        self.visible = array("q")
        self.acknowledged = array("q")
        self.learned = array("q")

    def position(self, time: int) -> int:
        """The end of the WAL at ``time``, of all that has been added up to then."""
        if self._background is None:
            return self._foreground_bytes
        return self._foreground_bytes + self._background_records(time) * self._background.record

    def add_bytes(self, size: int) -> None:
        """WAL of a transaction that still runs: nobody waits for it, but it takes its place in the stream."""
        self._foreground_bytes += size

    def add_commit(self, step: Step, images: int, records: int) -> int:
        """Insert a commit record (and its full-page ``images``) at ``step.time``; returns its row."""
        time = step.time
        self._foreground_bytes += step.rest + images
        self._foreground_records += records
        if self._background is None:
            self.lsn.append(self._foreground_bytes)
            self.records.append(self._foreground_records)
        else:
            background = self._background_records(time)
            self.lsn.append(self._foreground_bytes + background * self._background.record)
            self.records.append(self._foreground_records + background)
        self.inserted.append(time)
        self.bytes.append(step.size + images)
        self.group.append(step.group)
        self.number.append(step.number)
        self.client.append(step.client)
        self.submitted.append(step.submitted)
        self.started.append(step.started)
        self.visible.append(NEVER)
        self.acknowledged.append(NEVER)
        self.learned.append(NEVER)
        return len(self.lsn) - 1

    def count_up_to(self, lsn: int) -> int:
        """How many commits end at or before ``lsn``."""
        return bisect_right(self.lsn, lsn)

    def _background_records(self, time: int) -> int:
        assert self._background is not None
        return self._background.wal * time // SECOND // self._background.record
