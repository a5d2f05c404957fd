"""A read that asks several nodes, and takes the newest of the first answers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["newest_of_first"]

Ints = NDArray[np.int64]


def newest_of_first(quorum: int, answered: Ints, seen: Ints) -> tuple[Ints, Ints]:
    """Which node's answer each read takes, and when it has it.

    ``answered`` and ``seen`` have a row a node and a column a read: when the node's answer is back, and how much
    it saw.  A read is done with its ``quorum``-th answer, and takes the newest of these (of equals, the earliest
    to come; answers of one moment come in the order of the nodes).

    Source: Bailis et al. 2012, section 2.2: a coordinator sends the read to all N replicas and returns the most
    recent of the first R responses.
    """
    nodes, reads = answered.shape
    assert 1 <= quorum <= nodes
    order = np.argsort(answered, axis=0, kind="stable")[:quorum]
    first = np.argmax(np.take_along_axis(seen, order, axis=0), axis=0)
    columns = np.arange(reads)
    return order[first, columns], answered[order[-1], columns]
