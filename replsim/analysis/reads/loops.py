"""Looks and their judgement as compiled loops: one pass over reads each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from replsim.kernels.compiled import compiled
from replsim.kernels.loops import rank

__all__ = ["judged", "looked_at_primary", "looked_at_standby"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@compiled
def looked_at_standby(looks: Ints, moments: Ints, applied: Ints, latest: Ints, seen: Ints, ahead: Bools) -> None:
    """Some ``looks``: how many commits each sees, and whether it sees one not acknowledged by then."""
    place = 0
    for n in range(len(looks)):
        i = looks[n]
        place = rank(applied, moments[i], True, place)
        seen[i], ahead[i] = place, latest[place] > moments[i]


@compiled
def looked_at_primary(
    looks: Ints, moments: Ints, visible: Ints, newest: Ints, told: Ints, seen: Ints, ahead: Bools
) -> None:
    """The same at the primary, which shows what is ``visible``; commits were ``told`` at the other times."""
    place = known = 0
    for n in range(len(looks)):
        i = looks[n]
        place = rank(visible, moments[i], True, place)
        known = rank(told, moments[i], True, known)
        seen[i], ahead[i] = newest[place], place > known


@compiled
def judged(issued: Ints, seen: Ints, times: Ints, newest: Ints, first: Ints, versions: Ints, age: Ints) -> None:
    """The columns ``versions`` and ``age`` of reads in order of their issue.

    Of the acknowledgements: their times, the newest commit by their number, and the first of them after a prefix.
    """
    told = 0
    for i in range(len(issued)):
        while told < len(times) and times[told] <= issued[i]:
            told += 1
        versions[i] = max(newest[told] - seen[i], 0)
        age[i] = max(issued[i] - first[seen[i]], 0)
