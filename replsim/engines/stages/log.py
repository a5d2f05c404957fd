"""The part of the log that some actor still has to deal with: one row a commit, in the order of the WAL."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from replsim.engines.stages.columns import Ints, chained, cut, joined
from replsim.engines.stages.intake import Group, Transactions
from replsim.engines.stages.kernels.pages import Pages, images
from replsim.engines.stages.kernels.primary_flush import ASYNCHRONOUS, CHUNK, WAITS, Inserts
from replsim.engines.stages.kernels.standby_state import Additions
from replsim.randomness import Streams
from replsim.randomness.keys import KeyDraws
from replsim.rules.acks import LEVELS
from replsim.scenario import Scenario
from replsim.units import SECOND

__all__ = ["Log", "Rows"]


class Rows(NamedTuple):
    """Commits in the order of the log."""

    group: NDArray[np.int16]
    number: Ints
    client: Ints
    submitted: Ints
    inserted: Ints
    lsn: Ints
    bytes: Ints
    way: Ints
    level: NDArray[np.int8]
    """The level in force."""


class Log:
    """What is inserted, with the position at which it ends."""

    def __init__(self, scenario: Scenario, streams: Streams, groups: tuple[Group, ...]) -> None:
        self._background = scenario.background
        self._bytes = 0
        self._records = 0
        self.first = 0
        """The row of the first commit that is kept."""
        self.rows: Rows | None = None
        self._first_added = 0
        """The place of the first addition that is kept, commit or chunk."""
        self._added: Additions | None = None
        self.has_chunks = any(group.chunk for group in groups)
        self._level = np.array([LEVELS.index(group.level) for group in groups] or [0], dtype=np.int8)
        self._asks = np.array([group.declared == "remote_apply" for group in groups] or [False])
        self._group_records = np.array([group.records for group in groups] or [1], dtype=np.int64)
        self._pages = Pages(scenario.primary.checkpoints) if scenario.primary.checkpoints else None
        self._keys: dict[int, KeyDraws] = {}
        if self._pages is not None:
            for place, (name, writer) in enumerate(scenario.writers.items()):
                if writer.keys is not None:
                    self._keys[place] = KeyDraws(streams.uniforms(f"writer:{name}:keys"), writer.keys)
        self._drawn_keys: dict[int, tuple[int, Ints]] = {}

    def append(self, new: Transactions) -> Inserts:
        """Insert ``new``; returns all of it as the primary sees it."""
        adds = new.adds
        if self._keys:
            image = self._images(new)
            adds = adds + image
            new = new._replace(size=new.size + image)
        total = self._bytes + np.cumsum(adds)
        records = self._group_records[new.group]
        if self.has_chunks:
            records = np.where(new.commits, records, 0)
        records = self._records + np.cumsum(records)
        if len(total):
            self._bytes, self._records = int(total[-1]), int(records[-1])
        end = total
        if self._background is not None:
            background = self._background_records(new.inserted)
            end, records = total + background * self._background.record, records + background
        level = self._level[new.group]
        kind = np.where(level == 0, np.int8(ASYNCHRONOUS), np.int8(WAITS))
        rows = Rows(
            new.group, new.number, new.client, new.submitted, new.inserted, end, new.size, new.way, level
        )  # fmt: skip
        asks = self._asks[new.group] & new.commits
        added = Additions(new.inserted, end - adds, end, records, new.commits, asks)
        self._added = added if self._added is None else chained([self._added, added])
        if self.has_chunks:
            kind = np.where(new.commits, kind, np.int8(CHUNK))
            rows = cut(rows, new.commits)
        self.rows = rows if self.rows is None else chained([self.rows, rows])
        return Inserts(new.inserted, total, end, kind, np.empty(0, dtype=np.int64))

    @property
    def end(self) -> int:
        """The place behind the last addition."""
        return self._first_added + (0 if self._added is None else len(self._added.end))

    def added(self, place: int) -> Additions:
        """What was added from ``place`` on, as a standby sees it."""
        assert self._added is not None
        return cut(self._added, slice(place - self._first_added, None))

    def drop(self, row: int, place: int) -> None:
        """Nobody will ask any more for the commits before ``row``, and for the additions before ``place``."""
        assert self.rows is not None
        assert self._added is not None
        self.rows = cut(self.rows, slice(row - self.first, None))
        self._added = cut(self._added, slice(place - self._first_added, None))
        self.first, self._first_added = row, place

    def _background_records(self, time: Ints) -> Ints:
        assert self._background is not None
        wal, record = self._background.wal, self._background.record
        return (time // SECOND * wal + time % SECOND * wal // SECOND) // record

    def _images(self, new: Transactions) -> Ints:
        """Bytes of full-page images that each commit adds."""
        assert self._pages is not None
        page = np.full(len(new.group), -1, dtype=np.int64)
        for place, keys in self._keys.items():
            mine = np.flatnonzero((new.group == place) & new.commits)
            first, drawn = self._drawn_keys.get(place, (0, np.empty(0, dtype=np.int64)))
            last = int(new.number[mine].max(initial=first - 1)) + 1
            if last > first + len(drawn):
                drawn = joined([drawn, keys.block(last - first - len(drawn))])
            page[mine] = drawn[new.number[mine] - first] // self._pages.rows_per_page
            self._drawn_keys[place] = first, drawn
        return images(page, new.inserted, self._pages)
