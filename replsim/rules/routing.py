"""Which node a read goes to."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_serializer, model_validator

__all__ = ["Route"]


class Route(BaseModel):
    """A routing rule, written as one word (a policy or a node's name), as ``{weighted: {s1: 3, s2: 1}}`` or as
    ``{quorum: 2}``.

    ``primary`` and a node's name send every read there; ``random``, ``round_robin`` and ``weighted`` spread
    reads over the standbys (or over ``among``); ``nearest`` takes the one with the shortest mean network time.
    ``quorum`` asks all of them at once and takes the newest of so many first answers.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    policy: Literal["primary", "node", "random", "round_robin", "nearest", "weighted", "quorum"] = Field(exclude=True)
    node: str | None = None
    weighted: dict[str, float] | None = None
    quorum: Annotated[int, Field(ge=1, strict=True)] | None = None
    among: tuple[str, ...] | None = None

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, value: Any) -> Any:
        if isinstance(value, str):
            if value in ("primary", "random", "round_robin", "nearest"):
                return {"policy": value}
            return {"policy": "node", "node": value}
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

    @model_serializer(mode="plain")
    def _as_written(self) -> Any:
        if self.policy == "node":
            return self.node
        if self.policy == "weighted":
            return {"weighted": self.weighted}
        among = {} if self.among is None else {"among": list(self.among)}
        if self.policy == "quorum":
            return {"quorum": self.quorum} | among
        return {"policy": self.policy} | among if among else self.policy

    def nodes(self, primary: str, standbys: tuple[str, ...]) -> tuple[str, ...]:
        """The nodes that reads may go to (all of them, for a quorum), in a fixed order; without a standby that is
        the primary."""
        if self.policy == "primary":
            return (primary,)
        if self.policy == "node":
            assert self.node is not None
            return (self.node,)
        if self.policy == "weighted":
            assert self.weighted is not None
            return tuple(self.weighted)
        return self.among or standbys or (primary,)

    def choose(self, first: int, u: NDArray[np.float64], distances: NDArray[np.float64]) -> NDArray[np.int64]:
        """For reads ``first``, ``first + 1``, …: the index of each one's node in `nodes`.  A quorum chooses none.

        ``u`` is one uniform a read; ``distances`` the mean one-way network time to each node.
        """
        count = len(distances)
        assert self.policy != "quorum", "a quorum asks every node"
        if self.policy == "round_robin":
            return (first + np.arange(len(u))) % count
        if self.policy == "random":
            return (u * count).astype(np.int64)
        if self.policy == "weighted":
            assert self.weighted is not None
            edges = np.cumsum(list(self.weighted.values()))
            return np.minimum(np.searchsorted(edges / edges[-1], u, side="right"), count - 1)
        return np.full(len(u), int(np.argmin(distances)), dtype=np.int64)
