"""A record, and what several metrics derive from it: each thing is derived once, when it is first needed."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from replsim.record import ACKNOWLEDGED, Record
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
    def acknowledged(self) -> Ints:
        """When each commit of the log was acknowledged at its client; `NEVER` where its client was told otherwise."""
        return np.where(self.column("outcome") == ACKNOWLEDGED, self.column("acknowledged"), NEVER)

    def reached(self, node: str, stage: str) -> Ints:
        """When a node's position had passed each commit of the log: never falls; `NEVER` where not by the end."""
        return self.once(_reached, node, stage)

    def within(self, times: NDArray[Any]) -> NDArray[np.bool_]:
        """Which of ``times`` lie in the window (its start included, its end not)."""
        inside: NDArray[np.bool_] = (times >= self.window[0]) & (times < self.window[1])
        return inside

    def of_writer(self, name: str | None) -> NDArray[np.bool_]:
        """The rows of `Record.commits` (all of them) that a writer or session group wrote; of everybody for None."""
        return self.once(_of_writer, name)


def _reached(facts: Facts, node: str, stage: str) -> Ints:
    return facts.record.position(node, stage).crossing(facts.column("lsn"))


def _of_writer(facts: Facts, name: str | None) -> NDArray[np.bool_]:
    commits = facts.record.commits
    if name is None:
        return np.ones(len(commits), dtype=bool)
    words = commits.words["writer"]
    return np.asarray(commits["writer"] == (words.index(name) if name in words else -1))
