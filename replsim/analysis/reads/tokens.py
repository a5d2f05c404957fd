"""What a session's token means to a node: a raw LSN, which a failover may make a lie."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from replsim.record import Trajectory
from replsim.record.branch import lsn_of
from replsim.units import NEVER

__all__ = ["first_at"]

Ints = NDArray[np.int64]


def first_at(position: Trajectory, lsn: Ints, since: Ints) -> Ints:
    """When a node that has a (coded) position is first at or past each LSN, from ``since`` on; `NEVER` if it is not.

    A node that goes over to another history may fall back to a lower LSN; then it counts from there.
    """
    raw = lsn_of(position.lsn)
    begins = np.append(0, np.flatnonzero(np.diff(raw) < 0) + 1)
    found = np.where(lsn == 0, since, NEVER)
    for begin, end in zip(begins, [*begins[1:], len(raw)], strict=True):
        times = np.append(position.time[begin:end], NEVER)
        passes = np.maximum(times[np.searchsorted(raw[begin:end], lsn, side="left")], since)
        until = position.time[end] if end < len(raw) else NEVER
        found = np.where((found == NEVER) & (passes < until), passes, found)
    return found
