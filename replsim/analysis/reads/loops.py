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
def looked_at_standby(
    code: int, nodes: Ints, moments: Ints, applied: Ints, latest: Ints, seen: Ints, ahead: Bools
) -> None:
    """The looks at node ``code``: how many commits each sees, and whether it sees one not acknowledged by then."""
    place = 0
    for i in range(len(nodes)):
        if nodes[i] == code:
            place = rank(applied, moments[i], True, place)
            seen[i], ahead[i] = place, latest[place] > moments[i]


@compiled
def looked_at_primary(
    code: int, nodes: Ints, moments: Ints, visible: Ints, newest: Ints, told: Ints, seen: Ints, ahead: Bools
) -> None:
    """The same at the primary, which shows what is ``visible``; commits were ``told`` at the other times."""
    place = known = 0
    for i in range(len(nodes)):
        if nodes[i] == code:
            place = rank(visible, moments[i], True, place)
            known = rank(told, moments[i], True, known)
            seen[i], ahead[i] = newest[place], place > known


@compiled
def judged(
    issued: Ints,
    seen: Ints,
    acknowledged: tuple[Ints, Ints, Ints],
    ends: Ints,
    out: tuple[Ints, Ints, Ints, Ints, Ints],
) -> None:
    """How many commits were acknowledged when each read was issued, and the columns ``saw``, ``should``, ``versions``
    and ``age``.

    ``acknowledged``: the times, the newest commit by their number, and the first acknowledgement after a prefix.
    """
    times, newest, first = acknowledged
    told, saw, should, versions, age = out
    place = 0
    for i in range(len(issued)):
        place = rank(times, issued[i], True, place)
        told[i] = place
        saw[i], should[i] = ends[seen[i]], ends[newest[place]]
        versions[i] = max(newest[place] - seen[i], 0)
        age[i] = max(issued[i] - first[seen[i]], 0)
