"""The life of one read: when it looked where, what it saw there, and what it should have seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from replsim.analysis.facts import Facts
from replsim.analysis.life import commit_life
from replsim.analysis.reads import facts_reads
from replsim.errors import NotInResult
from replsim.units import NEVER

__all__ = ["ReadLife", "choose_read", "read_life"]

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ReadLife:
    """One read; all times in nanoseconds, `NEVER` where it did not happen by the run's end.

    ``missed`` is the row of the first commit that it should have seen and did not, None for a fresh read.
    """

    number: int
    reader: str
    node: str
    issued: int
    arrived: int
    """When it came to the node that it read from."""
    looked: int
    """When it looked there: at once, or after it had waited."""
    answered: int
    tries: int
    """Nodes that it came to."""
    diverted: bool
    """It went to the primary, and not because its route chose that."""
    saw: int
    """Where the newest commit that it saw ends (bytes)."""
    should: int
    """Where the newest commit ends that had been acknowledged when it was issued."""
    versions: int
    age: int
    missed: int | None
    writer: str
    """Who wrote it; empty for a fresh read."""
    inserted: int
    acknowledged: int
    applied: int
    """When the first missed commit was inserted, acknowledged at its client, and applied on the read's node."""
    lost: bool
    """Whether the cluster went on without that commit."""

    @property
    def late_by(self) -> int | None:
        """How much later the read would have had to look to see the first commit that it missed."""
        return None if self.missed is None or self.applied == NEVER else self.applied - self.looked


def choose_read(facts: Facts, which: str | int = "stalest") -> int:
    """The number of the ``stalest`` read within the window, the ``median`` one of the stale ones, or a number.

    Raises `NotInResult` where there is none.
    """
    table = facts_reads(facts)
    if isinstance(which, int) or which.lstrip("-").isdigit():
        number = int(which)
        if not 0 <= number < len(table):
            raise NotInResult(f"no read {number}: they are numbered from 0 to {len(table) - 1}")
        return number
    if which not in ("stalest", "median"):
        raise NotInResult(f"{which!r} is no way to choose a read: stalest, median or its number")
    within = np.flatnonzero(facts.within(table["time"]) & (table["answered"] < NEVER))
    stale = within[table["versions"][within] > 0]
    if len(stale):
        order = stale[np.argsort(table["age"][stale], kind="stable")]
        return int(order[-1] if which == "stalest" else order[(len(order) - 1) // 2])
    if not len(within):
        raise NotInResult("no read of the measured window was answered")
    return int(within[0])


def read_life(facts: Facts, number: int) -> ReadLife:
    """What became of one read, by its place in the table of reads."""
    table = facts_reads(facts)
    node = table.words["node"][table["node"][number]]
    row = {name: int(table[name][number]) for name in ("time", "saw", "should", "versions", "age", "tries")}
    missed, writer, inserted, told, applied, lost = None, "", NEVER, NEVER, NEVER, False
    if row["versions"]:
        # The first commit after what it saw that had been acknowledged when it was issued.
        seen = int(np.searchsorted(facts.codes, row["saw"], side="right"))
        known = facts.acknowledged[seen:] <= row["time"]
        missed = seen + int(np.argmax(known))
        commits = facts.record.commits
        writer = str(commits.words["writer"][commits["writer"][missed]])
        inserted, told = int(facts.column("inserted")[missed]), int(facts.acknowledged[missed])
        # Not where the node's log merely reached that far: one that was lost is applied by nobody who went on without.
        life = commit_life(facts, missed)
        applied = life.time(node, "apply") or NEVER
        lost = life.undone is not None
    return ReadLife(
        number=number,
        reader=table.words["reader"][table["reader"][number]],
        node=node,
        issued=row["time"],
        arrived=int(table["arrived"][number]),
        looked=int(table["looked"][number]),
        answered=int(table["answered"][number]),
        tries=row["tries"],
        diverted=bool(table["diverted"][number]),
        saw=row["saw"],
        should=row["should"],
        versions=row["versions"],
        age=row["age"],
        missed=missed,
        writer=writer,
        inserted=inserted,
        acknowledged=told,
        applied=applied,
        lost=lost,
    )
