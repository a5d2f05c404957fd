"""Whether a pool of connections ever makes work wait: then answers feed back, which this engine does not follow."""

from __future__ import annotations

import numpy as np

from replsim.engines.stages.columns import Ints, joined
from replsim.units import NEVER

__all__ = ["Pool"]


class Pool:
    """The connections of one group.

    Transaction k takes the connection that was k-th to become free, in the order in which the primary answers.  That
    order may differ by as much as ways back to clients do, and a wake-up, from the order in which clients know; so a
    pool counts as binding if a connection would be taken sooner than that after it became free.
    """

    def __init__(self, connections: int, wakeup: int) -> None:
        self._connections = connections
        self._wakeup = wakeup
        self._ways = NEVER, 0
        """The shortest and the longest way back so far."""
        self._submitted = np.empty(0, dtype=np.int64)
        self._learned = np.empty(0, dtype=np.int64)
        self._before = 0
        """Transactions in flight, less `_learned`, before the first of `_submitted`."""

    def binds(self, submitted: Ints, learned: Ints, ways: Ints, until: int) -> int | None:
        """When work first finds no free connection, or None.

        New are the ``submitted`` times, in order, and those when clients ``learned`` outcomes, with the ``ways`` that
        these took; of both, all that lie before ``until`` are known.
        """
        if len(ways):
            self._ways = min(self._ways[0], int(ways.min())), max(self._ways[1], int(ways.max()))
        spread = self._wakeup + max(self._ways[1] - self._ways[0], 0)
        submitted = joined([self._submitted, submitted])
        learned = joined([self._learned, learned])
        if not np.all(learned[1:] >= learned[:-1]):
            learned = np.sort(learned)
        ready = int(np.searchsorted(submitted, until - spread, side="left"))
        now = submitted[:ready]
        # Transaction i finds a connection if by then so many had been given back that all but one can be in use.
        first = max(self._connections - self._before, 0)
        needed = learned[first + self._before - self._connections :][: max(ready - first, 0)]
        short = np.flatnonzero(needed > now[first : first + len(needed)] - spread)
        if len(needed) < ready - first:
            short = np.append(short, len(needed))
        short = first + short
        gone = int(np.searchsorted(learned, now[-1] - spread, side="right")) if ready else 0
        self._submitted, self._learned = submitted[ready:], learned[gone:]
        self._before += ready - gone
        return int(now[short[0]]) if len(short) else None
