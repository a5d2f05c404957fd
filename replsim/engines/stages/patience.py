"""Whether a connection lasts while its link is cut, or a node at one end stands still."""

from __future__ import annotations

import numpy as np

from replsim.engines.stages.columns import Ints
from replsim.engines.stages.troubles import Troubles
from replsim.scenario.network import Link
from replsim.units import NEVER

__all__ = ["Patience"]


class Patience:
    """One end of a connection, which listens to the other: ``wal_sender_timeout``, or ``wal_receiver_timeout``.

    From the start of a silence on it gives up once it has heard nothing for the timeout; it would have asked for an
    answer before, so that what it heard last is at most half a timeout before that start.  It goes on listening until
    the stream has certainly gone on: TCP waits at most as long as the cut, and one retransmission timeout more.
    """

    def __init__(self, troubles: Troubles, here: str, there: str, link: Link, timeout: int) -> None:
        self._timeout = timeout
        silences = troubles.silences(here, there) if timeout else []
        self._watches = [
            (start - timeout // 2, 2 * end - start + link.retransmission_timeout) for start, end in silences
        ]
        """For each of them, when it has heard something last, and when the stream has gone on."""

    def gives_up(self, heard: Ints, end: int) -> int:
        """When it may give up; `NEVER` if it does not.

        It ``heard`` something at these times, all later than those told before.  ``end`` is the end of the run if
        these are the last, else -1.
        """
        found, going_on = NEVER, []
        for last, resumed in self._watches:
            until = resumed + self._timeout
            new = heard[slice(*np.searchsorted(heard, [last, until], side="right"))]
            over = len(heard) > 0 and heard[-1] > until
            times = np.concatenate([[last], new, [until if over else min(end, until)]])
            silent = np.flatnonzero(np.diff(times) >= self._timeout)
            if len(silent):
                found = min(found, int(times[silent[0]]) + self._timeout)
            if not over:
                going_on.append((int(times[-2]), resumed))
        self._watches = going_on
        return found
