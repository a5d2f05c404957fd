"""Which node a read goes to."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_serializer, model_validator

from replsim.units import SECOND, Duration, Size

__all__ = ["NOWHERE", "POLICIES", "Route"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

NOWHERE: Final = -1
"""The place of a read that no node of its route may take: it goes to the primary."""

Policy = Literal[
    "primary", "node", "random", "round_robin", "nearest", "weighted", "quorum", "least_lag", "per_session"
]
POLICIES: Final = ("primary", "random", "round_robin", "nearest", "least_lag", "per_session")
"""The policies that are written as one word."""


class Route(BaseModel):
    """A routing rule: one word (a policy or a node's name), or a policy and what narrows it.

    ``primary`` and a node's name send every read there.  ``random``, ``round_robin`` and ``{weighted: {s1: 3, s2: 1}}``
    spread reads over the standbys (or over ``among``); ``nearest`` takes the one with the shortest mean network time,
    ``least_lag`` the one that was least behind, in bytes, when the router last looked (of equals any, at random), and
    ``per_session`` one standby for each user, at random, for good (as pgpool-II).  ``{quorum: 2}`` asks all of them at
    once and takes the newest of so many first answers.

    A router looks at the standbys' lag every ``poll`` (1 s).  It shuns one that is more than ``max_lag`` behind the
    primary in time (as ProxySQL's ``max_replication_lag``), or ``max_lag_bytes`` in bytes (as pgpool-II's
    ``delay_threshold``), until the next look that finds it near enough.  Where all are shunned, or the one for this
    session is, reads go to the primary.

    For a user who writes, ``primary_after_write: 2s`` sends its reads to the primary for so long after a write was
    acknowledged (as Rails).  ``until_caught_up`` does so until a standby has replayed that write (as GitLab): the
    ``chosen`` one, ``all``, or ``any``, which lets reads go to those that have not.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    policy: Policy = Field(exclude=True)
    node: str | None = None
    weighted: dict[str, float] | None = None
    quorum: Annotated[int, Field(ge=1, strict=True)] | None = None
    among: tuple[str, ...] | None = None
    max_lag: Duration | None = None
    max_lag_bytes: Size | None = None
    poll: Annotated[Duration, Field(gt=0)] | None = None
    primary_after_write: Annotated[Duration, Field(gt=0)] | None = None
    until_caught_up: Literal["chosen", "all", "any"] | None = None

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"policy": value} if value in POLICIES else {"policy": "node", "node": value}
        if isinstance(value, dict) and "policy" not in value:
            for policy in ("node", "weighted", "quorum"):
                if policy in value:
                    return {"policy": policy, **value}
            return {"policy": "round_robin", **value}
        return value

    @model_validator(mode="after")
    def _weights(self) -> Route:
        if self.policy == "weighted" and not (self.weighted and all(weight > 0 for weight in self.weighted.values())):
            raise ValueError("weighted needs at least one node, each with a weight above zero")
        return self

    @model_serializer(mode="wrap")
    def _as_written(self, handler: Any) -> Any:
        given = {name: value for name, value in handler(self).items() if value is not None}
        if self.policy in given:  # a node, weights or a quorum name their policy
            return self.node if given == {"node": self.node} else given
        return {"policy": self.policy, **given} if given else self.policy

    @property
    def looks_at_lag(self) -> bool:
        """Whether it depends on how far nodes are behind."""
        return self.policy == "least_lag" or self.max_lag is not None or self.max_lag_bytes is not None

    @property
    def looks_at_writes(self) -> bool:
        """Whether it depends on what the user wrote."""
        return self.primary_after_write is not None or self.until_caught_up is not None

    @property
    def poll_interval(self) -> int:
        """Nanoseconds between two looks at the standbys' lag; the first is at time zero."""
        return self.poll or SECOND

    def nodes(self, primary: str, standbys: tuple[str, ...]) -> tuple[str, ...]:
        """The nodes that reads may go to (all of them, for a quorum), in a fixed order; without a standby that is
        the primary.  Reads that none of these may take go to the primary as well."""
        if self.policy == "primary":
            return (primary,)
        if self.policy == "node":
            assert self.node is not None
            return (self.node,)
        if self.policy == "weighted":
            assert self.weighted is not None
            return tuple(self.weighted)
        return self.among or standbys or (primary,)

    def open(self, lag: Ints, lag_bytes: Ints, up: Bools | None = None) -> Bools:
        """Which nodes may take reads, given their lags (in nanoseconds and bytes, a row a look, a column a node), and
        which of them are up (None: all)."""
        near = np.ones(lag.shape, dtype=bool) if up is None else up.copy()
        if self.max_lag is not None:
            near &= lag <= self.max_lag
        if self.max_lag_bytes is not None:
            near &= lag_bytes <= self.max_lag_bytes
        if self.policy == "least_lag":
            least = np.where(near, lag_bytes, np.iinfo(np.int64).max).min(axis=1, keepdims=True)
            near &= lag_bytes == least
        return near

    def choose(self, numbers: Ints, u: Floats, distances: Floats, open_: Bools, look: Ints | None) -> Ints:
        """The place in `nodes` of each read's node, `NOWHERE` where none is open.  A quorum chooses none.

        ``numbers`` count the reads (for a round robin), ``u`` is one uniform a read (one a user, for
        ``per_session``), ``distances`` the mean one-way network time to each node, ``look`` the row of ``open_`` that
        holds for each read (None where one row holds for all).
        """
        assert self.policy != "quorum", "a quorum asks every node"
        if look is None or len(open_) == 1:
            return self._among(numbers, u, distances, open_[0])
        chosen = np.full(len(u), NOWHERE, dtype=np.int64)
        sets, which = np.unique(open_, axis=0, return_inverse=True)
        kind = which.ravel()[look]
        for place, row in enumerate(sets):
            mine = np.flatnonzero(kind == place)
            chosen[mine] = self._among(numbers[mine], u[mine], distances, row)
        return chosen

    def _among(self, numbers: Ints, u: Floats, distances: Floats, open_: Bools) -> Ints:
        """`choose` where the same nodes are open to all of the reads."""
        places = np.flatnonzero(open_)
        count = len(places)
        if not count:
            return np.full(len(u), NOWHERE, dtype=np.int64)
        if self.policy == "per_session":
            home = (u * len(open_)).astype(np.int64)
            return np.where(open_[home], home, NOWHERE)
        if self.policy == "round_robin":
            return places[numbers % count]
        if self.policy in ("random", "least_lag"):
            chosen = (u * count).astype(np.int64)
            return chosen if count == len(open_) else places[chosen]
        if self.policy == "weighted":
            assert self.weighted is not None
            edges = np.cumsum(np.array(list(self.weighted.values()))[places])
            return places[np.minimum(np.searchsorted(edges / edges[-1], u, side="right"), count - 1)]
        return np.full(len(u), places[np.argmin(distances[places])], dtype=np.int64)
