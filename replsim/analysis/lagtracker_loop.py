"""`replsim.analysis.lagtracker` as one compiled loop over replies, with the ring as the walsender keeps it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from replsim.kernels.compiled import compiled, part

__all__ = ["lags", "shown"]

Ints = NDArray[np.int64]

NONE = -1

# What is kept for each of write, flush and apply, by place.
HEAD = 0  # the number of the next note to read
LAST_AT = 1  # the note read last: its time, or `NONE` where it is forgotten, and its position
LAST_LSN = 2


@part
def read(state: Ints, now: int, position: int, count: int, kept_at: Ints, kept_lsn: Ints) -> int:
    """What a reply at ``now`` that reports ``position`` finds, of so many notes kept so far."""
    head, places = state[HEAD], len(kept_at) - 1
    lag = NONE
    while head < count and kept_lsn[head & places] <= position:
        state[LAST_AT], state[LAST_LSN] = kept_at[head & places], kept_lsn[head & places]
        lag = now - kept_at[head & places]
        head += 1
    if head == state[HEAD] and head < count:
        since, lsn = kept_at[head & places], kept_lsn[head & places]
        if state[LAST_AT] != NONE:
            fraction = (position - state[LAST_LSN]) / (lsn - state[LAST_LSN])
            since = state[LAST_AT] + int((since - state[LAST_AT]) * fraction)
        lag = now - since
    if head == count:
        state[LAST_AT] = NONE
    state[HEAD] = head
    return lag


@compiled
def lags(
    notes: tuple[Ints, Ints],
    time: Ints,
    reported: tuple[Ints, Ints, Ints],
    ring: int,
    kept: tuple[Ints, Ints],
    states: tuple[Ints, Ints, Ints],
    out: tuple[Ints, Ints, Ints],
) -> None:
    """What each reply finds for write, flush and apply.

    ``kept`` has places for ``ring`` notes, a power of two of them; each of ``states`` is three zeros.
    """
    at, lsn = notes
    kept_at, kept_lsn = kept
    places = len(kept_at) - 1
    write, flush, apply = states
    write[LAST_AT] = flush[LAST_AT] = apply[LAST_AT] = NONE
    taken = count = 0
    for i in range(len(time)):
        now = time[i]
        while taken < len(at) and at[taken] <= now:
            # With a full ring, a new note takes the place of the newest.
            if count - min(write[HEAD], flush[HEAD], apply[HEAD]) < ring - 1:
                count += 1
            kept_at[(count - 1) & places], kept_lsn[(count - 1) & places] = at[taken], lsn[taken]
            taken += 1
        out[0][i] = read(write, now, reported[0][i], count, kept_at, kept_lsn)
        out[1][i] = read(flush, now, reported[1][i], count, kept_at, kept_lsn)
        out[2][i] = read(apply, now, reported[2][i], count, kept_at, kept_lsn)


@compiled
def shown(lag: Ints, all_applied: NDArray[np.bool_], out: Ints) -> None:
    """What the view shows after each reply."""
    latest, before = NONE, False
    for i in range(len(lag)):
        if lag[i] != NONE or (all_applied[i] and before):
            latest = lag[i]
        before = all_applied[i]
        out[i] = latest
