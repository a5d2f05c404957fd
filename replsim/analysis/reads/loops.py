"""Looks and their judgement as compiled loops: one pass over reads each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from replsim.analysis.tally_loops import NEVER, bin_of
from replsim.kernels.compiled import compiled, part
from replsim.kernels.loops import rank

__all__ = ["counted", "judged", "looked_at_primary", "looked_at_standby"]

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


@part
def missed(issued: int, seen: int, newest: int, first: Ints) -> tuple[int, int]:
    """How many commits a read missed up to the ``newest`` acknowledged, and since when, by the first acknowledgement
    after each prefix."""
    return max(newest - seen, 0), max(issued - first[seen], 0)


@compiled
def judged(issued: Ints, seen: Ints, times: Ints, newest: Ints, first: Ints, versions: Ints, age: Ints) -> None:
    """The columns ``versions`` and ``age`` of reads in order of their issue.

    Of the acknowledgements: their times, the newest commit by their number, and the first of them after a prefix.
    """
    told = 0
    for i in range(len(issued)):
        while told < len(times) and times[told] <= issued[i]:
            told += 1
        versions[i], age[i] = missed(issued[i], seen[i], newest[told], first)


@part
def note(value: int, place: int, sums: Ints, held: Ints) -> None:
    """Count a value of the spread at ``place``."""
    sums[place, 0] += value
    sums[place, 1] = max(sums[place, 1], value)
    held[place, bin_of(value)] += 1


@compiled
def counted(
    reads: tuple[Ints, Ints, Ints, Ints],
    shown: Ints,
    newest_visible: Ints,
    acknowledged: tuple[Ints, Ints, Ints, Ints],
    window: tuple[int, int],
    places: Ints,
    out: tuple[Ints, Ints, Ints],
) -> None:
    """Count the reads of a window, in order of their issue, by node: the looks and the judgement of all the above.

    Of the ``reads``: node, issue, look and answer.  ``shown``: when each node shows one commit more.  Of the
    acknowledgements: as for `judged`, and the latest by prefix.  ``places`` has a place in each of them, to go on from.
    ``out``: numbers of reads, of stale ones and of those ahead; sums and largest values; and counts in bins.
    """
    node, issued, looked, answered = reads
    times, newest, first, latest = acknowledged
    numbers, sums, held = out
    told = places[-2]
    for i in range(len(node)):
        if not window[0] <= issued[i] < window[1] or answered[i] == NEVER:
            continue
        here, moment = node[i], looked[i]
        while told < len(times) and times[told] <= issued[i]:
            told += 1
        places[here] = rank(shown[here], moment, True, places[here])
        seen = places[here]
        if here == 0:
            places[-1] = rank(times, moment, True, places[-1])
            ahead = seen > places[-1]
            seen = newest_visible[seen]
        else:
            ahead = latest[seen] > moment
        versions, age = missed(issued[i], seen, newest[told], first)
        numbers[here, 0] += 1
        numbers[here, 1] += versions > 0
        numbers[here, 2] += ahead
        note(answered[i] - issued[i], 0, sums[here], held[here])
        note(versions, 1, sums[here], held[here])
        note(age, 2, sums[here], held[here])
    places[-2] = told
