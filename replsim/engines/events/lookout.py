"""A router's looks at the lag of its nodes, while the cluster runs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from replsim.engines.events.agenda import Agenda, Rank
from replsim.engines.events.sights import Sights
from replsim.rules.routing import Route

__all__ = ["Lookout"]


class Lookout:
    """What a route found when it last looked: which of its nodes are open to reads."""

    def __init__(self, agenda: Agenda, sights: Sights, route: Route, nodes: Sequence[str]) -> None:
        self._agenda, self._sights = agenda, sights
        self._route, self._nodes = route, nodes
        self.open: NDArray[np.bool_] = np.ones((1, len(nodes)), dtype=bool)
        """As `Route.choose` wants it: one row, a column a node."""

    def start(self) -> None:
        """Look for the first time, and again and again, where the route asks for lag."""
        if self._route.looks_at_lag:
            self._agenda.at(0, Rank.LOOK, 0, self._look)

    def _look(self, now: int) -> None:
        lags = np.array([[self._sights.lag(node, now) for node in self._nodes]], dtype=np.int64)
        self.open = self._route.open(lags[:, :, 0], lags[:, :, 1])
        self._agenda.at(now + self._route.poll_interval, Rank.LOOK, 0, self._look)
