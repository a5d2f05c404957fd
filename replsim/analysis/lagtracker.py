"""PostgreSQL's lag tracker: how a walsender works out ``write_lag``, ``flush_lag`` and ``replay_lag``.

Source: ``walsender.c``, functions ``LagTrackerWrite``, ``LagTrackerRead`` and ``ProcessStandbyReplyMessage``
(the same from version 10 to 17).  The rules:

- At each pass of sending, the walsender notes (position up to which there is WAL to send, time), unless that
  position is the one noted before.  The notes are in a ring of 8192, of which 8191 can be in use; with a
  full ring, a new note takes the place of the newest.
- A reply reads, for each of write, flush and apply, all notes up to the reported position: the lag is the
  reply's time minus that of the newest note read.
- A reply that reads none, with notes still ahead, takes a time between the last note read and the next one,
  in proportion to the position; with none read before, the next note's own time.  With no notes ahead there
  is nothing to say (-1).
- Once a reply leaves no notes ahead, the last one read is forgotten.
- A value of -1 leaves the one shown before, unless this and the reply before it both reported that all that
  was sent is applied: then -1 is shown, as NULL.

(PostgreSQL counts microseconds; here they are nanoseconds.)
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Final

import numpy as np
from numpy.typing import NDArray

from replsim.kernels import worth_compiling
from replsim.kernels.places import plain

__all__ = ["RING", "lags", "shown"]

Ints = NDArray[np.int64]

RING: Final = 8192


def lags(notes: tuple[Ints, Ints], time: Ints, reported: tuple[Ints, Ints, Ints], ring: int = RING) -> list[Ints]:
    """What each reply finds for write, flush and apply: nanoseconds, or -1.

    ``notes`` are times and positions, positions rising strictly; a note of the same time as a reply is taken
    to be there for it.  ``time`` and ``reported`` are the replies' times of processing and their positions.
    """
    if worth_compiling(len(time)):
        from replsim.analysis import lagtracker_loop

        out, states = np.empty((3, len(time)), dtype=np.int64), np.zeros((3, 3), dtype=np.int64)
        kept = np.empty((2, 1 << ring.bit_length()), dtype=np.int64)
        at, lsn = map(plain, notes)
        columns = plain(reported[0]), plain(reported[1]), plain(reported[2])
        lagtracker_loop.lags((at, lsn), plain(time), columns, ring, (kept[0], kept[1]), (*states,), (*out,))
        return list(out)
    there = np.searchsorted(notes[0], time, side="right")
    slowest = np.minimum.reduce([np.searchsorted(notes[1], position, side="right") for position in reported])
    read_before = np.concatenate([[0], slowest[:-1]])[: len(time)]
    if not len(time) or np.max(there - read_before) < ring:
        return [_all_at_once(notes, there, time, position) for position in reported]
    return _one_by_one(notes, there, time, reported, ring)


def shown(lag: Ints, all_applied: NDArray[np.bool_]) -> Ints:
    """What the view shows after each reply: the lag last found, -1 for NULL.

    ``all_applied``: which replies report as applied all that had been sent when they were processed.
    """
    if worth_compiling(len(lag)):
        from replsim.analysis import lagtracker_loop

        out = np.empty(len(lag), dtype=np.int64)
        lagtracker_loop.shown(lag, all_applied, out)
        return out
    clears = all_applied & np.concatenate([[False], all_applied[:-1]])[: len(lag)]
    latest = np.maximum.accumulate(np.where((lag != -1) | clears, np.arange(len(lag)), -1))
    return np.where(latest >= 0, lag[latest], -1)


def _all_at_once(notes: tuple[Ints, Ints], there: Ints, time: Ints, position: Ints) -> Ints:
    """One position's lags where the ring never fills: a note's place is then its number."""
    at, lsn = notes
    head = np.searchsorted(lsn, position, side="right")
    before = np.concatenate([[0], head[:-1]])
    crossed = head > before
    ahead = there > head
    # The last note read is remembered from the reply that read it, if that one left notes ahead.
    reader = np.maximum.accumulate(np.where(crossed, np.arange(len(head)), -1))
    remembered = (reader >= 0) & ahead[reader]
    last, following = np.maximum(head - 1, 0), np.minimum(head, len(at) - 1)
    since = at[following] if len(at) else np.zeros_like(time)
    if len(at):
        between = remembered & ahead
        gap = np.where(between, lsn[following] - lsn[last], 1)
        fraction = np.where(between, position - lsn[last], 0) / gap
        estimate = at[last] + ((at[following] - at[last]) * fraction).astype(np.int64)
        since = np.where(crossed, at[last], np.where(between, estimate, since))
    return np.where(crossed | ahead, time - since, -1)


def _one_by_one(
    notes: tuple[Ints, Ints], there: Ints, time: Ints, reported: tuple[Ints, Ints, Ints], ring: int
) -> list[Ints]:
    """All positions' lags where the ring may fill: reply by reply, with the notes that it kept."""
    at, lsn = notes[0].tolist(), notes[1].tolist()
    kept_at: list[int] = []
    kept_lsn: list[int] = []
    heads = [0, 0, 0]
    last: list[int | None] = [None, None, None]  # the note read last, forgotten when none is ahead
    found: list[list[int]] = [[], [], []]
    taken = 0
    rows = zip(there.tolist(), time.tolist(), *(position.tolist() for position in reported), strict=True)
    for arrived, now, *positions in rows:
        room = ring - 1 - (len(kept_at) - min(heads))
        kept_at += at[taken : min(arrived, taken + room)]
        kept_lsn += lsn[taken : min(arrived, taken + room)]
        if arrived - taken > room:
            kept_at[-1], kept_lsn[-1] = at[arrived - 1], lsn[arrived - 1]
        taken = arrived
        for place, position in enumerate(positions):
            head = bisect_right(kept_lsn, position, heads[place])
            lag = -1
            if head > heads[place]:
                lag = now - kept_at[head - 1]
                last[place] = head - 1
            elif head < len(kept_at):
                lag = now - _between(kept_at, kept_lsn, last[place], head, position)
            if head == len(kept_at):
                last[place] = None
            heads[place] = head
            found[place].append(lag)
    return [np.array(column, dtype=np.int64) for column in found]


def _between(at: list[int], lsn: list[int], last: int | None, head: int, position: int) -> int:
    if last is None:
        return at[head]
    fraction = (position - lsn[last]) / (lsn[head] - lsn[last])
    return at[last] + int((at[head] - at[last]) * fraction)
