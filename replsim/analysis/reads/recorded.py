"""The reads of users who waited for what they saw while things broke: how each went is recorded, what it saw is not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from replsim.analysis.reads.capacity import Turns
from replsim.analysis.reads.groups import Looks
from replsim.analysis.reads.views import Views
from replsim.analysis.reads.walk import Walk

__all__ = ["Recorded"]

Ints = NDArray[np.int64]


class Recorded:
    """One session group's users.  Their nodes serve every read at once: who would queue for its turn is refused."""

    def __init__(self, views: Views, name: str) -> None:
        self.stream = f"session:{name}"
        self._views = views
        self._table = table = views.facts.record.reads[name]
        self.numbers = np.arange(len(table))
        none = np.zeros(len(table), dtype=np.int64)
        self._walk = Walk(
            table["node"], table["arrived"], table["looked"], table["answered"], table["tries"], table["waited"],
            none, none, table["timed_out"].astype(bool), table["diverted"].astype(bool),
        )  # fmt: skip

    def follow(self, turns: Turns | None) -> tuple[Ints, Walk]:
        """Every read's way; nobody waits for its turn."""
        assert turns is None or not turns.queued.any()
        return self._table["time"], self._walk

    def looks(self, issued: Ints, walk: Walk) -> Looks:
        """What they saw."""
        key = self._views.facts.record.commits["key"][self._table["commit"]].astype(np.int64)
        return Looks(issued, walk, self._table["session"], key, *self._views.looked(walk.node, walk.looked))
