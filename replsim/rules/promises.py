"""What readers are promised, and how the promise is kept."""

from __future__ import annotations

from functools import reduce
from typing import Annotated, Final, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from replsim.units import SECOND, Duration

__all__ = ["OF_A_USER", "Guarantee", "Promise"]

Ints = NDArray[np.int64]
T = TypeVar("T", int, NDArray[np.int64])

Guarantee = Literal["none", "read_your_writes", "monotonic_reads", "bounded_staleness", "causal"]

OF_A_USER: Final = ("read_your_writes", "monotonic_reads", "causal")
"""The guarantees that are about what one user wrote and read before."""


class Promise(BaseModel):
    """A guarantee, and what is done for a read that would break it.

    A read carries a *token*: the position up to which it must see the log.  A node that has not replayed so far may
    let it wait, or send it away.  Positions are compared as raw LSNs, as real systems do.  The primary takes every
    read as it comes.

    Source of the definitions: Terry et al. 1994, "Session guarantees for weakly consistent replicated data".
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    guarantee: Guarantee = "none"
    """``read_your_writes``: a read sees its user's writes that were acknowledged to it.  ``monotonic_reads``: no less
    than the user's earlier reads, once answered.  ``causal``: both.  ``bounded_staleness``: all that was acknowledged
    to anybody ``bound`` before its issue."""
    bound: Duration | None = None
    """How old what a read misses may be, under ``bounded_staleness``."""
    by: Literal["wait", "primary", "another"] = "wait"
    """What a read does at a node that is behind its token.  ``wait``: it waits there (as ``WAIT FOR LSN``).
    ``primary``: it goes to the primary.  ``another``: to the next node of its route, and after the last to the
    primary.  Being sent away costs the way back and the way there."""
    timeout: Annotated[Duration, Field(gt=0)] = SECOND
    """How long a read waits, under ``by: wait``."""
    at_timeout: Literal["primary", "stale"] = "primary"
    """What it does then: it goes to the primary (as MaxScale's ``causal_reads``), or it reads what is there."""

    @property
    def promises(self) -> bool:
        """Whether anything is promised."""
        return self.guarantee != "none"

    def attempts(self, nodes: int) -> int:
        """How many nodes a read may come to, with so many nodes in its route."""
        if not self.promises:
            return 1
        return nodes + 1 if self.by == "another" else 2

    def token(self, written: T, read: T, bounded: T) -> T:
        """Up to where a read must see the log: of the user's newest acknowledged write, the most that its answered
        reads saw, and what was acknowledged ``bound`` ago, those that count."""
        if self.guarantee == "read_your_writes":
            return written
        if self.guarantee == "monotonic_reads":
            return read
        if self.guarantee == "bounded_staleness":
            return bounded
        assert self.guarantee == "causal"
        return reduce(np.maximum, (written, read))
