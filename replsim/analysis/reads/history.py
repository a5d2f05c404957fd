"""What users had done by a moment: the newest of their writes, the most that their reads saw."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["History"]

Ints = NDArray[np.int64]


class History:
    """Values that become known to users at times; `most` gives the largest that a user knew of at a moment.

    ``order`` settles what happens at one moment: an entry counts for a question of the same time only if its order is
    below the question's; all orders are below ``room``.  Without orders, it counts.
    """

    def __init__(self, users: Ints, times: Ints, values: Ints, order: Ints | None = None, *, room: int = 1) -> None:
        assert np.all(values >= 0)
        self._times, at = np.unique(times, return_inverse=True)
        self._room = room
        self._size = (len(self._times) + 1) * self._room
        assert int(users.max(initial=0) + 1) * self._size < 2**62, "too many users and times to number"
        codes = users * self._size + at * self._room + (0 if order is None else order)
        by_code = np.argsort(codes, kind="stable")
        self._codes = codes[by_code]
        self._users = users[by_code]
        values = values[by_code]
        # Values are ranked, so that a user and a rank fit one number, whose running maximum stays with its user.
        self._known, rank = np.unique(values, return_inverse=True)
        self._most = np.maximum.accumulate(self._users * len(self._known) + rank) if len(values) else values

    def most(self, users: Ints, moments: Ints, order: Ints | None = None) -> Ints:
        """The largest value known to each user at a moment, 0 for none."""
        if not len(self._codes):
            return np.zeros(len(users), dtype=np.int64)
        if order is None:
            at = np.searchsorted(self._times, moments, side="right")
            codes = users * self._size + at * self._room
        else:
            at = np.searchsorted(self._times, moments, side="left")
            same = np.append(self._times, -1)[at] == moments
            codes = users * self._size + at * self._room + np.where(same, order, 0)
        last = _searched(self._codes, codes) - 1
        found = (last >= 0) & (self._users[last] == users)
        return np.where(found, self._known[self._most[last] % len(self._known)], 0)


def _searched(known: Ints, asked: Ints) -> Ints:
    """``searchsorted``, which is several times faster for many questions if they come in order."""
    if len(asked) < 10_000:
        return np.searchsorted(known, asked, side="left")
    order = np.argsort(asked)
    found = np.empty(len(asked), dtype=np.int64)
    found[order] = np.searchsorted(known, asked[order], side="left")
    return found
