"""The primary's answers as a kernel: when each commit was flushed, and when the rule released it.

A commit's position counts from the reply that first reported it: FIRST n takes the latest of the n best priorities,
ANY n the n-th earliest of all (`replsim.rules.acks.SyncRule.position`, turned round).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from replsim.kernels.compiled import compiled, part

__all__ = ["Ends", "Heard", "Released", "Rule", "Waiting", "initial", "release"]

Ints = NDArray[np.int64]

NEVER = 2**63 - 1
OFF, LOCAL = 0, 1
"""Levels: at once; once flushed here; and from 2 on, once the rule has it written, flushed and replayed there."""
UNKNOWN = -1


class Rule(NamedTuple):
    """Who must have a commit."""

    wakeup: int
    any: bool
    """ANY, else FIRST."""
    need: int


class Waiting(NamedTuple):
    """Commits in the order of the log: when inserted, where each ends, and the level in force."""

    inserted: Ints
    lsn: Ints
    level: NDArray[np.int8]


class Ends(NamedTuple):
    """The primary's flushes: when each ended, and up to where."""

    time: Ints
    position: Ints


class Heard(NamedTuple):
    """The replies of all candidates, one after the other: candidate c's from ``first[c]`` to ``first[c + 1]``."""

    first: Ints
    time: Ints
    reported: tuple[Ints, Ints, Ints]


class Released(NamedTuple):
    """Room for when each commit was flushed, and when it was visible."""

    flushed: Ints
    visible: Ints


# What the state holds, by place; then, for each level above `LOCAL` and candidate, the reply looked at.
DONE = 0  # commits answered, of those that the kernel was given; 0 between two calls
FLUSH = 1  # the flush looked at
LED = 2  # whether that flush has had its leader
FIELDS = 3


def initial(candidates: int) -> Ints:
    """The state at time zero."""
    return np.zeros(FIELDS + 3 * candidates, dtype=np.int64)


@part
def told(s: Ints, kind: int, lsn: int, rule: Rule, heard: Heard, complete: bool, times: Ints) -> int:
    """When the rule releases a commit that ends at ``lsn``; `UNKNOWN` where that depends on replies to come.

    ``times`` is room for one time a candidate.
    """
    candidates = len(heard.first) - 1
    if not 0 < rule.need <= candidates:
        return NEVER
    reported = heard.reported[kind]
    bound = NEVER
    asked = candidates if rule.any else rule.need
    for c in range(asked):
        place = FIELDS + kind * candidates + c
        at, stop = heard.first[c] + s[place], heard.first[c + 1]
        while at < stop and reported[at] < lsn:
            at += 1
        s[place] = at - heard.first[c]
        time = heard.time[at] if at < stop else NEVER
        if at == stop and not complete:
            bound = min(bound, heard.time[stop - 1] if stop > heard.first[c] else 0)
        n = c
        while n > 0 and times[n - 1] > time:
            times[n] = times[n - 1]
            n -= 1
        times[n] = time
    released = times[rule.need - 1]
    return released if released <= bound else UNKNOWN


@compiled
def release(
    s: Ints, waiting: Waiting, ends: Ends, heard: Heard, complete: bool, rule: Rule, times: Ints, out: Released
) -> None:
    """Answer every commit whose answer follows from the flushes and replies that are known; the state is moved on.

    ``complete`` says that there are no others; ``times`` is room for one time a candidate.  The first commit in a
    flush that waits for it leads it: it goes on at its end, where others at ``local`` have to be woken.
    """
    for i in range(len(waiting.lsn)):
        lsn, level = waiting.lsn[i], waiting.level[i]
        while s[FLUSH] < len(ends.time) and ends.position[s[FLUSH]] < lsn:
            s[FLUSH] += 1
            s[LED] = 0
        if s[FLUSH] == len(ends.time) and not complete:
            return
        flushed = ends.time[s[FLUSH]] if s[FLUSH] < len(ends.time) else NEVER
        visible = waiting.inserted[i]
        if level == LOCAL and flushed < NEVER:
            visible = flushed + rule.wakeup if s[LED] else flushed
        elif level > LOCAL:
            visible = told(s, level - 2, lsn, rule, heard, complete, times)
            if visible == UNKNOWN:
                return
            visible = visible if visible == NEVER else visible + rule.wakeup
        elif level == LOCAL:
            visible = NEVER
        if level != OFF:
            s[LED] = 1
        out.flushed[i], out.visible[i] = flushed, visible
        s[DONE] = i + 1
