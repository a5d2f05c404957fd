"""The judgement of reads, from outside: from when each was issued and what it saw, not from how it went about it.

What a read *should* have seen is every commit that had been acknowledged to its client when the read was issued: from
then on, somebody could know of it.  What it was *promised* to see is less, and is judged by membership in what it saw.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from replsim.analysis.reads.groups import Looks
from replsim.analysis.reads.history import History
from replsim.analysis.reads.views import Views
from replsim.analysis.sightings import Rows
from replsim.kernels import worth_compiling
from replsim.kernels.places import plain
from replsim.rules.promises import Promise
from replsim.units import NEVER

__all__ = ["Column", "Judge"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Column = NDArray[Any] | Callable[[], NDArray[Any]]
"""A column, or what makes it when somebody asks for it."""


class Judge:
    """Judges the reads of one record, group by group."""

    def __init__(self, views: Views) -> None:
        self._views = views
        self._facts = views.facts
        self._acknowledged = views.acknowledged

    @cached_property
    def _rows(self) -> Rows:
        return Rows(self._facts.column("key").astype(np.int64), self._acknowledged, self._facts.acknowledged)

    @cached_property
    def _ends(self) -> Ints:
        """Where a number of commits of the log ends."""
        return np.concatenate([[0], self._facts.codes])

    def columns(self, name: str, promise: Promise, looks: Looks) -> dict[str, Column]:
        """The columns of one group's reads."""
        count, seen, walk = len(looks.issued), looks.seen, looks.walk
        own, back = self._own(name, looks), self._back(looks)
        columns: dict[str, Column] = {
            "time": looks.issued,
            "arrived": walk.arrived,
            "looked": walk.looked,
            "answered": walk.answered,
            "session": np.broadcast_to(np.int64(-1), count) if looks.user is None else looks.user,
            "node": walk.node.astype(np.int16),
            "key": np.broadcast_to(np.int64(-1), count) if looks.key is None else looks.key,
            "tries": walk.tries,
            "waited": walk.waited,
            "queued": walk.queued,
            "served": walk.served,
            "timed_out": walk.timed_out,
            "diverted": walk.diverted,
            "saw": partial(np.take, self._ends, seen),
            "should": lambda: self._ends[self._acknowledged.newest(self._acknowledged.by(looks.issued))],
            **self._against_the_log(looks.issued, seen),
            "ahead": looks.ahead,
            "own": own,
            "back": back,
            "kept": self._kept(promise, looks, own, back),
        }
        if looks.key is None:
            zeros = np.broadcast_to(np.int64(0), count)
            return columns | {"key_should": zeros, "key_versions": zeros, "key_age": zeros}
        row = self._rows.missed(looks.key, seen, self._acknowledged.by(looks.issued))
        return columns | {
            "key_should": self._ends[row.newest],
            "key_versions": row.versions,
            "key_age": np.maximum(looks.issued - row.since, 0),
        }

    def _against_the_log(self, issued: Ints, seen: Ints) -> dict[str, Ints]:
        """What each read missed of all that had been acknowledged when it was issued."""
        acknowledged = self._acknowledged
        if worth_compiling(len(issued)):
            from replsim.analysis.reads import loops

            versions, age = np.empty((2, len(issued)), dtype=np.int64)
            by_count = acknowledged.times, acknowledged.newest_by_count, acknowledged.first_by_prefix
            loops.judged(plain(issued), seen, *by_count, versions, age)
            return {"versions": versions, "age": age}
        newest = acknowledged.newest(acknowledged.by(issued))
        return {
            "versions": np.maximum(newest - seen, 0),
            "age": np.maximum(issued - acknowledged.first_after(seen), 0),
        }

    def _own(self, name: str, looks: Looks) -> Bools:
        """Whether each read of a user saw its newest write that had been acknowledged (read your writes)."""
        if looks.user is None:
            return np.broadcast_to(np.True_, len(looks.issued))
        facts = self._facts
        mine, told = facts.of_writer(name)[: facts.count], self._acknowledged.by(looks.issued)
        own = np.ones(len(looks.issued), dtype=bool)
        for reads, there in self._by_history(looks):
            user, seen = looks.user[reads], looks.seen[reads]
            for part, most in ((there, seen), (~there, np.zeros_like(seen))):
                writes = Rows(np.where(mine & part, facts.column("client"), -1), self._acknowledged, facts.acknowledged)
                own[reads] &= writes.newest(user, told[reads]) <= most
        return own

    def _back(self, looks: Looks) -> Bools:
        """Whether each read of a user saw less than one before it, which had been answered (monotonic reads)."""
        count = len(looks.issued)
        if looks.user is None:
            return np.broadcast_to(np.False_, count)
        order = np.arange(count)
        done = looks.walk.answered < NEVER
        back = np.zeros(count, dtype=bool)
        for reads, there in self._by_history(looks):
            user, issued, seen = looks.user[reads], looks.issued[reads], looks.seen[reads]
            for part, most in ((np.append(True, there), seen), (np.append(False, ~there), np.zeros_like(seen))):
                of = done & part[looks.seen]
                history = History(looks.user[of], looks.walk.answered[of], looks.seen[of], order[of], room=count + 1)
                back[reads] |= history.most(user, issued, order[reads]) > most
        return back

    def _by_history(self, looks: Looks) -> Iterator[tuple[Bools, Bools]]:
        """Reads by the history that they looked at, each with the commits that are part of it."""
        facts, branch = self._facts, self._views.histories(looks.walk.node, looks.walk.looked)
        for each in np.unique(branch).tolist():
            yield branch == each, facts.among(each)

    def _fresh(self, looks: Looks, bound: int) -> Bools:
        """Whether each read saw what had been acknowledged for so long; what its node has lost is not late."""
        acknowledged = self._acknowledged
        told, fresh = acknowledged.by(looks.issued - bound), np.ones(len(looks.issued), dtype=bool)
        for reads, there in self._by_history(looks):
            everybody = Rows(np.where(there, 0, -1), acknowledged, self._facts.acknowledged)
            fresh[reads] = (
                everybody.newest(np.zeros(np.count_nonzero(reads), np.int64), told[reads]) <= looks.seen[reads]
            )
        return fresh

    def _kept(self, promise: Promise, looks: Looks, own: Bools, back: Bools) -> Bools:
        """Whether what the group promises was kept; nothing is broken by a read that is not answered yet."""
        if promise.guarantee == "none":
            return np.broadcast_to(np.True_, len(looks.issued))
        if promise.bound is not None:
            kept = self._fresh(looks, promise.bound)
        else:
            kept = {"read_your_writes": own, "monotonic_reads": ~back, "causal": own & ~back}[promise.guarantee]
        return np.asarray(kept | (looks.walk.answered == NEVER))
