"""Everything that one run of one engine left behind."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from replsim.record.branch import Branch
from replsim.record.table import Table
from replsim.record.trajectory import Trajectory
from replsim.scenario import Scenario

__all__ = [
    "ACKNOWLEDGED",
    "ACKNOWLEDGED_LOCALLY",
    "DOWN",
    "FAILED",
    "OUTCOMES",
    "PENDING",
    "UNKNOWN",
    "Record",
    "Replies",
    "answered",
]

Ints = NDArray[np.int64]

OUTCOMES: Final = ("acknowledged", "acknowledged_locally", "failed", "unknown", "pending")
"""What became of a commit in its client's eyes; the `outcome` column holds the place in this tuple."""
ACKNOWLEDGED: Final = 0
ACKNOWLEDGED_LOCALLY: Final = 1
FAILED: Final = 2
UNKNOWN: Final = 3
PENDING: Final = 4
DOWN: Final[Mapping[str, tuple[str, ...]]] = {
    "crash": ("crash ends",),
    "stopped": ("started", "rejoined"),
    "rewinding": ("rejoined",),
    "rebuilding": ("rejoined", "rebuilt"),
}
"""The events with which a node goes down, and those with which it is up again after each."""


def answered(outcome: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Which commits their clients were told to stand, by the primary alone (a cancelled wait) or as the level asks."""
    return np.asarray((outcome == ACKNOWLEDGED) | (outcome == ACKNOWLEDGED_LOCALLY))


@dataclass(frozen=True, slots=True, eq=False)
class Replies:
    """One standby's replies, in order: when its upstream had processed each, and the positions it reported."""

    time: Ints
    write: Ints
    flush: Ints
    apply: Ints
    upstream: Ints | None = None
    """Who processed each, as a place among the scenario's nodes; None where it always was the scenario's upstream."""


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """The facts of a run, in columns; all times in nanoseconds since its start, `NEVER` where not by its end.

    ``commits``: one row a transaction, in the order of the log; those that were not inserted come last.

    ============ =====================================================================================
    writer       code of the writer or session group (``commits.words["writer"]``)
    client       the closed-loop client or the session's user, -1 for open-loop work
    key          the row written, -1 where the writer has no keys
    submitted    the scheduled arrival (open loop), or when the client chose to write (closed loop)
    started      when a connection took it up
    inserted     when its commit record entered the WAL
    flushed      when the primary's flush position passed it
    visible      when other sessions on the primary see it
    acknowledged when its client has the server's answer
    learned      when its client knows: as ``acknowledged``, but at the next poll for one that polls
    timeline     1 until a promotion
    lsn          where its commit record ends (bytes); `NEVER` where it was not inserted
    bytes        WAL that it wrote
    level        code of its ``synchronous_commit``
    outcome      place in `OUTCOMES`
    transaction  where clients try again: its number among the writer's, the same for every attempt
    attempt      where clients try again: 0 for the first attempt at it, 1 for the next
    ============ =====================================================================================

    ``positions[node][stage]``: on the primary ``insert`` and ``flush``; on a standby ``sent`` (by its
    upstream), ``receive``, ``write``, ``flush`` and ``apply``; on each ``kept``, where its oldest file of WAL begins,
    in a run in which somebody might need what is removed.  ``replies[standby]`` is what it reported.
    ``flush_starts[node]``: when each flush of its device began.  ``events``: time, node, what.
    ``notes``: what the scenario says and this engine did otherwise, by name; a simulator has none.

    ``stretch``: of a *section*, which holds no more of a run than what matters to a stretch of time: that stretch.
    Its rows and positions begin with the last that came before it.

    ``reads``: by session group, the reads of users who waited for what they saw, where something might happen to the
    cluster, in the order of issue: the columns of `replsim.analysis.reads` that say how each went, and ``commit``, the
    row that it follows.  All other reads cost the cluster nothing and are worked out from the positions.

    ``branches``: the histories of the log.  In a run in which no primary crashed and nobody was promoted there is
    one; else positions in ``positions`` and ``replies`` are coded (`replsim.record.branch.coded`), and commits are
    in the order of the branches.
    """

    scenario: Scenario
    seed: int
    engine: str
    commits: Table
    positions: Mapping[str, Mapping[str, Trajectory]]
    replies: Mapping[str, Replies]
    flush_starts: Mapping[str, Ints]
    events: Table
    notes: tuple[str, ...] = ()
    branches: tuple[Branch, ...] = ()
    stretch: tuple[int, int] | None = None
    reads: Mapping[str, Table] = field(default_factory=dict)

    @property
    def window(self) -> tuple[int, int]:
        """The measured part of the run: from the warm-up's end to the run's end (or of a section), in nanoseconds."""
        start, end = self.scenario.warmup, self.scenario.duration
        return (start, end) if self.stretch is None else (max(start, self.stretch[0]), max(start, self.stretch[1]))

    def position(self, node: str, stage: str) -> Trajectory:
        """The trajectory of one node at one stage; raises KeyError with what there is."""
        if node not in self.positions:
            raise KeyError(f"no node {node!r}; there are {', '.join(self.positions)}")
        stages = self.positions[node]
        if stage.startswith("reported_") and node in self.replies and stage[9:] in ("write", "flush", "apply"):
            replies = self.replies[node]
            return Trajectory.of(replies.time, getattr(replies, stage[9:]))
        if stage not in stages:
            raise KeyError(f"no stage {stage!r} on {node!r}; there are {', '.join(stages)}")
        return stages[stage]

    def digest(self) -> str:
        """A hash of every column: the same on every machine for the same scenario and seed."""
        hashed = hashlib.sha256()

        def feed(name: str, column: NDArray[np.generic]) -> None:
            hashed.update(f"{name}:{column.dtype.str}:{len(column)};".encode())
            hashed.update(np.ascontiguousarray(column).data)

        for name, column in self.commits.items():
            feed(f"commits.{name}", column)
        for node, stages in self.positions.items():
            for stage, trajectory in stages.items():
                feed(f"{node}.{stage}.time", trajectory.time)
                feed(f"{node}.{stage}.lsn", trajectory.lsn)
        for node, starts in self.flush_starts.items():
            feed(f"{node}.flush_starts", starts)
        for name, column in self.events.items():
            feed(f"events.{name}", column)
        for node, replies in self.replies.items():
            for part in ("time", "write", "flush", "apply"):
                feed(f"{node}.replies.{part}", getattr(replies, part))
            if replies.upstream is not None:
                feed(f"{node}.replies.upstream", replies.upstream)
        for group, table in self.reads.items():
            for name, column in table.items():
                feed(f"reads.{group}.{name}", column)
        return hashed.hexdigest()
