"""A router's looks at the lag of its nodes, while the cluster runs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from replsim.engines.events.agenda import Agenda, Rank
from replsim.engines.events.sights import Sights
from replsim.rules.routing import Route

__all__ = ["Lookout"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class Lookout:
    """What a route found when it last looked: which of its nodes are open to reads."""

    def __init__(self, agenda: Agenda, sights: Sights, route: Route, nodes: Sequence[str]) -> None:
        self._agenda, self._sights = agenda, sights
        self._route, self._nodes = route, nodes
        self._lags: tuple[Ints, Ints] | None = None
        """By node, at the last look: in nanoseconds and in bytes."""
        self._open = np.ones((1, len(nodes)), dtype=bool)

    def start(self) -> None:
        """Look for the first time, and again and again, where the route asks for lag."""
        if self._route.looks_at_lag:
            self._agenda.at(0, Rank.LOOK, 0, self._look)

    @property
    def open(self) -> Bools:
        """As `Route.choose` wants it: one row, a column a node.  Which of them are up, a router knows at once."""
        up = np.array([[self._sights.up(node) for node in self._nodes]])
        if up.all():
            return self._open
        return up if self._lags is None else self._route.open(*self._lags, up)

    def _look(self, now: int) -> None:
        lags = np.array([[self._sights.lag(node, now) for node in self._nodes]], dtype=np.int64)
        self._lags = lags[:, :, 0], lags[:, :, 1]
        self._open = self._route.open(*self._lags)
        self._agenda.at(now + self._route.poll_interval, Rank.LOOK, 0, self._look)
