"""Branches of the log: what a crash or a promotion makes of one history, and how positions on all of them compare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from replsim.units import NEVER

__all__ = [
    "LSN",
    "SHIFT",
    "Branch",
    "branch_of",
    "coded",
    "coded_as",
    "distance",
    "held",
    "lsn_of",
    "shared",
    "timelines",
]

Ints = NDArray[np.int64]

SHIFT: Final = 48
"""A coded position is its branch, shifted by so many bits, plus its LSN: 256 TiB of WAL a run."""
LSN: Final = (1 << SHIFT) - 1
"""Those bits of a coded position that are its LSN."""


@dataclass(frozen=True, slots=True)
class Branch:
    """A history of its own.  Branch 0 is the log as it begins; each crash of a primary and each promotion may fork it.

    A promotion starts a new timeline.  A primary that crashes and comes back goes on in its timeline, but what it
    had not flushed is gone, and the LSNs are used again: that is a branch as well.
    """

    timeline: int
    """1 until a promotion."""
    parent: int
    """The branch that it forked from, -1 for the first."""
    fork: int
    """The position up to which it is the same as its parent."""
    start: int
    """When it began, in nanoseconds."""
    node: str
    """The primary that writes it."""
    first: int = 0
    """The first of its own commits among the rows of the record."""


def coded(branches: Sequence[Branch], branch: int, time: Ints, lsn: Ints) -> Ints:
    """Positions of a node on ``branch``, as one number each that rises along every history and at every fork.

    What lies before a fork, or was before the branch began, is coded as the parent's.  On the first branch a coded
    position is its LSN.
    """
    if branch == 0:
        return lsn
    code = np.array(lsn, dtype=np.int64)
    own = np.full(len(code), branch, dtype=np.int64)
    while branch > 0:
        at = branches[branch]
        before = (own == branch) & ((code < at.fork) | (time < at.start))
        own[before] = branch = at.parent
    return (own << SHIFT) | code


def coded_as(branch: Ints, lsn: Ints) -> Ints:
    """Positions that lie on ``branch`` itself, coded; elementwise."""
    return np.asarray((branch.astype(np.int64) << SHIFT) | lsn)


def branch_of(code: Ints) -> Ints:
    """The branch of coded positions."""
    return np.asarray(code >> SHIFT)


def lsn_of(code: Ints) -> Ints:
    """The LSN of coded positions."""
    return np.asarray(code & LSN)


def shared(branches: Sequence[Branch], here: int, there: int) -> int:
    """The position up to which two branches are the same history; `NEVER` of one and itself."""
    position = NEVER
    while here != there:
        # A branch has a higher number than the one that it forked from.
        newer = max(here, there)
        position = min(position, branches[newer].fork)
        if here > there:
            here = branches[here].parent
        else:
            there = branches[there].parent
    return position


def timelines(branches: Sequence[Branch], branch: int) -> set[int]:
    """The timelines in the history of a branch: its own, and those that it came from."""
    found = set()
    while branch >= 0:
        found.add(branches[branch].timeline)
        branch = branches[branch].parent
    return found


def distance(branches: Sequence[Branch], ahead: Ints, behind: Ints) -> Ints:
    """How many bytes of the history at ``ahead`` a node at ``behind`` lacks, both coded; elementwise.

    What it holds of another history is of no use to it.
    """
    if len(branches) < 2:
        return ahead - behind
    leads, follows = branch_of(ahead), branch_of(behind)
    own = lsn_of(behind)
    for lead, follow in {*zip(leads.tolist(), follows.tolist(), strict=True)}:
        if lead != follow:
            chosen = (leads == lead) & (follows == follow)
            own[chosen] = np.minimum(own[chosen], shared(branches, lead, follow))
    return lsn_of(ahead) - own


def held(branches: Sequence[Branch], branch: int, codes: Ints) -> Ints:
    """Up to which LSN of one branch's history nodes at coded positions hold it; elementwise."""
    if len(branches) < 2:
        return codes
    own, found = lsn_of(codes), branch_of(codes)
    for each in np.unique(found).tolist():
        if each != branch:
            chosen = found == each
            own[chosen] = np.minimum(own[chosen], shared(branches, branch, each))
    return own
