"""Reads that queue for a node's servers: first come, first served, as a function of arrays."""

from __future__ import annotations

from heapq import heapreplace

import numpy as np
from numpy.typing import NDArray

__all__ = ["served_from"]

Ints = NDArray[np.int64]


def served_from(ready: Ints, service: Ints, servers: int) -> Ints:
    """When each read begins to be served.  Reads are in the order in which they come.

    One server is Lindley's recursion, a running maximum; servers whose reads all take the same time take turns, so
    each is a queue of its own.  Else reads take the server that is free first, one after the other.
    """
    assert np.all(np.diff(ready) >= 0)
    count = len(ready)
    if servers == 1 or count <= servers:
        return _one_server(ready, service) if servers == 1 else ready
    if np.all(service == service[0]):
        begins = np.empty(count, dtype=np.int64)
        for turn in range(servers):
            begins[turn::servers] = _one_server(ready[turn::servers], service[turn::servers])
        return begins
    free = [0] * servers
    found = []
    for come, takes in zip(ready.tolist(), service.tolist(), strict=True):
        begin = max(come, free[0])
        heapreplace(free, begin + takes)
        found.append(begin)
    return np.array(found, dtype=np.int64)


def _one_server(ready: Ints, service: Ints) -> Ints:
    """Each is served once it is there, and the one before it is done."""
    done_before = np.cumsum(service) - service
    begins: Ints = np.maximum.accumulate(ready - done_before) + done_before
    return begins
