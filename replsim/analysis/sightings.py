"""What a look at a node at one moment shows, and what it misses: the arithmetic of stale reads.

The commits of the log are numbered from 0 in its order.  A look at a standby sees a prefix of them.  It
*misses* those after the prefix that had been acknowledged to their clients before the read was issued.  On
the primary a commit is visible no later than it is acknowledged, so a look there misses nothing, though what
it sees is not a prefix: a commit that still waits for standbys is invisible while later ones may be seen.

All of it is binary searches in sorted arrays and running maxima over the log, so the cost of a read does not
depend on how many commits it missed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from replsim.analysis.facts import Facts
from replsim.kernels.places import ranks
from replsim.units import NEVER

__all__ = ["Acknowledged", "Rows", "Visible", "ahead_on_standby", "count_by"]

Ints = NDArray[np.int64]


def count_by(times: Ints, moments: Ints) -> Ints:
    """How many of the sorted ``times`` are at or before each moment."""
    return ranks(times, moments, "right")


class Acknowledged:
    """The acknowledgements of all commits, in the order in which clients had them."""

    def __init__(self, facts: Facts) -> None:
        told = facts.acknowledged
        number = int(np.count_nonzero(told < NEVER))
        in_order = bool(np.all(told[1:] >= told[:-1]))
        self.order = np.arange(number) if in_order else np.argsort(told, kind="stable")[:number]
        self.times = told[:number] if in_order else told[self.order]
        self.newest_by_count = np.arange(number + 1)
        """By the number of acknowledgements: one more than the newest commit among them; 0 for none."""
        self.first_by_prefix = np.append(told, NEVER)
        """Per length of a prefix of the log: the earliest acknowledgement of what is not in it."""
        self.latest_within = np.append(-1, told)
        """Per length of a prefix of the log: the latest acknowledgement in it (never falls; -1 for length 0)."""
        if not in_order:
            np.maximum.accumulate(self.order + 1, out=self.newest_by_count[1:])
            first = self.first_by_prefix[::-1]
            np.minimum.accumulate(first, out=first)
            np.maximum.accumulate(self.latest_within, out=self.latest_within)

    def by(self, moments: Ints) -> Ints:
        """How many commits had been acknowledged at each moment."""
        return count_by(self.times, moments)

    def newest(self, told: Ints) -> Ints:
        """One more than the newest commit of the log among the first ``told`` acknowledged; 0 for none."""
        return self.newest_by_count[told]

    def first_after(self, seen: Ints) -> Ints:
        """The earliest acknowledgement of a commit that is not among the first ``seen`` of the log."""
        return self.first_by_prefix[seen]


def ahead_on_standby(acknowledged: Acknowledged, seen: Ints, moments: Ints) -> NDArray[np.bool_]:
    """Whether the first ``seen`` commits hold one that had not been acknowledged at the moment of the look."""
    return acknowledged.latest_within[seen] > moments


class Visible:
    """The commits of the log as the primary shows them, in the order in which they became visible."""

    def __init__(self, facts: Facts) -> None:
        visible = facts.column("visible")
        # Whoever is acknowledged was visible before: nothing that a look at the primary misses can be stale.
        assert np.all(visible <= facts.acknowledged), "a commit is acknowledged before it is visible"
        order = np.argsort(visible, kind="stable")
        self.times = visible[order]
        self.newest_by_count = np.concatenate([[0], np.maximum.accumulate(order + 1)])

    def newest(self, moments: Ints) -> Ints:
        """One more than the newest commit of the log that is visible at each moment; 0 for none."""
        return self.newest_by_count[count_by(self.times, moments)]

    def ahead(self, acknowledged: Acknowledged, moments: Ints) -> NDArray[np.bool_]:
        """Whether a commit was visible that had not been acknowledged at the moment of the look."""
        return count_by(self.times, moments) > acknowledged.by(moments)


@dataclass(frozen=True, slots=True, eq=False)
class Missed:
    """Per read, of the commits to its own row: the newest acknowledged, and those missed."""

    newest: Ints
    """One more than the newest acknowledged commit to the row; 0 for none."""
    versions: Ints
    """Commits to the row after what it saw, up to that one."""
    since: Ints
    """When the first missed was acknowledged; `NEVER` where none was missed."""


class Rows:
    """The commits of the log grouped by the row that they wrote (or by whatever labels them; -1 is no group)."""

    def __init__(self, labels: Ints, acknowledged: Acknowledged, told: Ints) -> None:
        count = len(labels)
        self._size = count + 1
        self._known, group = np.unique(labels[labels >= 0], return_inverse=True)
        self._direct = len(self._known) > 0 and int(self._known[-1]) < 8 * count + 65_536
        if self._direct:
            self._table = np.full(int(self._known[-1]) + 2, -1, dtype=np.int64)
            self._table[self._known] = np.arange(len(self._known))
        groups = np.full(count, -1, dtype=np.int64)
        groups[labels >= 0] = group

        # By (group, place in the log): where a commit is, and the first acknowledgement among those after it.
        numbers = np.flatnonzero(groups >= 0)
        codes = groups[numbers] * self._size + numbers
        order = np.argsort(codes)
        self._codes = codes[order]
        self._firsts = _first_of_rest(groups[numbers[order]], told[numbers[order]])
        # By (group, place among the acknowledgements): the newest commit so far.
        places = np.flatnonzero(groups[acknowledged.order] >= 0)
        commits = acknowledged.order[places]
        codes = groups[commits] * self._size + places
        order = np.argsort(codes)
        self._told = codes[order]
        self._newest = np.maximum.accumulate(groups[commits[order]] * self._size + commits[order])

    def missed(self, labels: Ints, seen: Ints, told: Ints) -> Missed:
        """For reads of ``labels`` that saw the first ``seen`` commits when ``told`` had been acknowledged."""
        group = self._groups(labels)
        newest = self._newest_code(group, told)
        missed = newest % self._size > seen
        missed[newest == 0] = False
        versions, since = np.zeros_like(seen), np.full_like(seen, NEVER)
        # Only what is missing needs more: the commits to the row from the first unseen one on.
        first = np.searchsorted(self._codes, group[missed] * self._size + seen[missed])
        last = np.searchsorted(self._codes, newest[missed] - 1)
        versions[missed] = last - first + 1
        since[missed] = self._firsts[first]
        return Missed(newest % self._size, versions, since)

    def newest(self, labels: Ints, told: Ints) -> Ints:
        """One more than the newest commit of each label among the first ``told`` acknowledged; 0 for none."""
        newest: Ints = self._newest_code(self._groups(labels), told) % self._size
        return newest

    def _groups(self, labels: Ints) -> Ints:
        if not len(self._known):
            return np.full(len(labels), -1, dtype=np.int64)
        if self._direct:
            # Past the table's end, and for no label (-1), its last place says: no group.
            group: Ints = self._table[np.minimum(labels, len(self._table) - 1)]
            return group
        place = np.minimum(np.searchsorted(self._known, labels), len(self._known) - 1)
        return np.where(self._known[place] == labels, place, -1)

    def _newest_code(self, group: Ints, told: Ints) -> Ints:
        """``group * size + newest + 1``, or 0."""
        if not len(self._told):
            return np.zeros_like(group)
        at = np.searchsorted(self._told, group * self._size + told) - 1
        code = self._newest[at]
        return np.where((at >= 0) & (code // self._size == group), code + 1, 0)


def _first_of_rest(groups: Ints, told: Ints) -> Ints:
    """In each run of equal (rising) groups: the earliest of ``told`` from each place to the run's end."""
    if not len(told):
        return told
    # Ranks are small, so that group and rank fit one number, whose running minimum from the end stays in its group.
    times, rank = np.unique(told, return_inverse=True)
    codes = groups * len(times) + rank
    firsts: Ints = np.minimum.accumulate(codes[::-1])[::-1] % len(times)
    return np.asarray(times[firsts], dtype=np.int64)
