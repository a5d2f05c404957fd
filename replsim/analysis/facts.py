"""A record, and what several metrics derive from it: each thing is derived once, when it is first needed."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from replsim.randomness import Streams
from replsim.randomness.arrivals import Open, arrivals
from replsim.record import Record, Trajectory, answered
from replsim.record.branch import branch_of, coded_as, distance, shared
from replsim.units import NEVER

__all__ = ["Facts"]

Ints = NDArray[np.int64]
T = TypeVar("T")


class Facts:
    """What follows from one record.

    The commits of the log are rows ``0 … count - 1``, in the log's order: commit i is the i-th.  A standby
    has a *prefix* of them; the number of commits in it says all about what a read there sees.
    """

    def __init__(self, record: Record) -> None:
        self.record = record
        self._derived: dict[object, Any] = {}

    def once(self, function: Callable[..., T], *arguments: Any) -> T:
        """``function(facts, *arguments)``, computed the first time and kept."""
        key = (function, arguments)
        if key not in self._derived:
            self._derived[key] = function(self, *arguments)
        value: T = self._derived[key]
        return value

    def streams(self) -> Streams:
        """The random streams that the analysis draws from."""
        return Streams(self.record.seed)

    def issued(self, streams: Streams, name: str, client: Open) -> tuple[int, Ints]:
        """When the reads of ``client`` are issued that the record tells of, and how many came before them."""
        return 0, arrivals(streams, name, client, self.record.scenario.duration)

    @property
    def window(self) -> tuple[int, int]:
        """The measured part of the run, in nanoseconds."""
        return self.record.window

    @property
    def window_seconds(self) -> float:
        """Its length in seconds."""
        return (self.window[1] - self.window[0]) / 1e9

    @cached_property
    def count(self) -> int:
        """The number of commits in the log."""
        return int(np.count_nonzero(self.record.commits["lsn"] != NEVER))

    def column(self, name: str) -> NDArray[Any]:
        """A column of the commits in the log."""
        column: NDArray[Any] = self.record.commits[name][: self.count]
        return column

    @cached_property
    def codes(self) -> Ints:
        """The position of each commit of the log, as `Record.positions` have it: its LSN, or coded by its branch."""
        lsn, branches = self.column("lsn"), self.record.branches
        if len(branches) < 2:
            return lsn
        firsts = np.array([branch.first for branch in branches])
        return coded_as(np.searchsorted(firsts, np.arange(self.count), side="right") - 1, lsn)

    def of_primary(self, stage: str) -> Trajectory:
        """The ``insert`` or ``flush`` position of whoever is the primary: at each moment the last that was promoted."""
        record, branches = self.record, self.record.branches
        if len(branches) < 2:
            return record.position(record.scenario.primary.name, stage)
        ends = [*(branch.start for branch in branches[1:]), NEVER]
        parts = []
        for branch, end in zip(branches, ends, strict=True):
            steps = record.position(branch.node, stage)
            mine = (steps.time >= branch.start) & (steps.time < end)
            parts.append((steps.time[mine], steps.lsn[mine]))
        return Trajectory.of(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    def behind(self, node: str, moments: Ints) -> Ints:
        """How many bytes of the primary's log a node has not applied at each moment."""
        ahead = self.of_primary("insert").at(moments)
        return distance(self.record.branches, ahead, self.record.position(node, "apply").at(moments))

    @cached_property
    def acknowledged(self) -> Ints:
        """When each commit of the log was acknowledged at its client; `NEVER` where its client was told otherwise."""
        return np.where(answered(self.column("outcome")), self.column("acknowledged"), NEVER)

    def reached(self, node: str, stage: str) -> Ints:
        """When a node's position had passed each commit of the log: never falls; `NEVER` where not by the end."""
        return self.once(_reached, node, stage)

    def shown(self, node: str, moments: Ints) -> Ints:
        """One more than the newest commit of its history that a node has applied at each moment; 0 for none.

        Of a real primary that was replaced nobody knows what it showed: it is taken to have shown what it inserted.
        """
        stage = "apply" if "apply" in self.record.positions[node] else "insert"
        applied = self.record.position(node, stage).at(moments)
        found = np.zeros(len(moments), dtype=np.int64)
        for branch in np.unique(branch_of(applied)).tolist():
            mine = branch_of(applied) == branch
            rows = self.once(_history, branch)
            found[mine] = np.append(0, rows + 1)[np.searchsorted(self.codes[rows], applied[mine], side="right")]
        return found

    def among(self, branch: int) -> NDArray[np.bool_]:
        """Which commits are part of one branch's history."""
        there = np.ones(self.count, dtype=bool)
        if len(self.record.branches) > 1:
            there[:] = False
            there[self.once(_history, branch)] = True
        return there

    def within(self, times: NDArray[Any]) -> NDArray[np.bool_]:
        """Which of ``times`` lie in the window (its start included, its end not)."""
        inside: NDArray[np.bool_] = (times >= self.window[0]) & (times < self.window[1])
        return inside

    def of_writer(self, name: str | None) -> NDArray[np.bool_]:
        """The rows of `Record.commits` (all of them) that a writer or session group wrote; of everybody for None."""
        return self.once(_of_writer, name)


def _reached(facts: Facts, node: str, stage: str) -> Ints:
    return facts.record.position(node, stage).crossing(facts.codes)


def _history(facts: Facts, branch: int) -> Ints:
    """The commits of one branch's history: its own, and what it shares with others."""
    branches = facts.record.branches
    ends = np.array([shared(branches, each, branch) for each in range(len(branches))])
    return np.flatnonzero(facts.column("lsn") <= ends[branch_of(facts.codes)])


def _of_writer(facts: Facts, name: str | None) -> NDArray[np.bool_]:
    commits = facts.record.commits
    if name is None:
        return np.ones(len(commits), dtype=bool)
    words = commits.words["writer"]
    return np.asarray(commits["writer"] == (words.index(name) if name in words else -1))
