"""The synchronous standbys as a kernel, where candidates come and go: replies become positions that are released.

A reply counts while its candidate is there and up to date; the rule is judged at each one that counts, over those who
are there (``SyncRepReleaseWaiters``, `replsim.rules.acks.SyncRule.position`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from replsim.engines.stages.kernels.release import Heard, Rule
from replsim.engines.stages.kernels.standby_state import Replies
from replsim.kernels.compiled import compiled, part

__all__ = ["EACH", "KINDS", "Present", "initial", "judge"]

Ints = NDArray[np.int64]

KINDS = 3
AWAY = -1
"""In place of what a candidate has reported."""


class Present(NamedTuple):
    """When each candidate counts: candidate c from each start before the end, from ``first[c]`` to ``first[c + 1]``."""

    first: Ints
    start: Ints
    end: Ints


# What the state holds: the released positions; then, for each candidate, the reply and the stretch looked at, and what
# it has reported.
EACH = 2 + KINDS


def initial(candidates: int) -> Ints:
    """The state at time zero: all are there, and have reported nothing."""
    return np.zeros(KINDS + EACH * candidates, dtype=np.int64)


@part
def of(candidate: int) -> int:
    """Where the part of the state begins that is about a candidate."""
    return KINDS + EACH * candidate


@part
def position(s: Ints, kind: int, rule: Rule, candidates: int, room: Ints) -> int:
    """The position that those who are there release; `AWAY` where they are too few."""
    count = 0
    for c in range(candidates):
        reported = s[of(c) + 2 + kind]
        if reported == AWAY or (count == rule.need and not rule.any):
            continue
        n = count
        while n > 0 and room[n - 1] > reported:
            room[n] = room[n - 1]
            n -= 1
        room[n] = reported
        count += 1
    return int(room[count - rule.need]) if 0 < rule.need <= count else AWAY


@part
def earliest(s: Ints, heard: Heard, order: Ints, before: int) -> int:
    """The candidate whose reply comes next, or -1."""
    found, time = -1, before
    for c in range(len(order)):
        at = heard.first[c] + s[of(c)]
        if at == heard.first[c + 1] or heard.time[at] > time:
            continue
        if heard.time[at] < time or (found >= 0 and order[c] < order[found]):
            found, time = c, heard.time[at]
    return found


@part
def leave(s: Ints, time: int, present: Present, candidates: int) -> None:
    """Those are away by ``time`` who have left before."""
    for c in range(candidates):
        place = of(c)
        while present.end[present.first[c] + s[place + 1]] <= time:
            s[place + 1] += 1
            for kind in range(KINDS):
                s[place + 2 + kind] = AWAY


@compiled
def judge(
    s: Ints, heard: Heard, order: Ints, present: Present, before: int, rule: Rule, room: Ints, out: Replies
) -> int:
    """Deal with the replies ``before`` a time; returns how many steps the released positions made.

    The state is moved on.  Of replies at one time that of the candidate comes first whose ``order`` is lowest; the last
    stretch of each never ends.  ``room`` is for one position a candidate; what is released counts as reported by one
    standby.
    """
    steps, candidates = 0, len(order)
    while True:
        c = earliest(s, heard, order, before)
        if c < 0:
            return steps
        place = of(c)
        at = heard.first[c] + s[place]
        time = heard.time[at]
        leave(s, time, present, candidates)
        s[place] += 1
        if present.start[present.first[c] + s[place + 1]] > time:
            continue
        rises = False
        for kind in range(KINDS):
            if len(heard.reported[kind]):
                s[place + 2 + kind] = max(s[place + 2 + kind], heard.reported[kind][at])
                released = position(s, kind, rule, candidates, room)
                if released > s[kind]:
                    s[kind], rises = released, True
        if rises:
            out.time[steps], out.write[steps], out.flush[steps], out.apply[steps] = time, s[0], s[1], s[2]
            steps += 1
