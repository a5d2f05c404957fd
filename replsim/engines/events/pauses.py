"""How long a user's reads hold it up, where that does not depend on what they see."""

from __future__ import annotations

from typing import Final

import numpy as np

from replsim.randomness import Streams
from replsim.randomness.trips import SessionLuck
from replsim.scenario import Scenario
from replsim.scenario.clients import Session
from replsim.scenario.topology import client_ways

__all__ = ["Pauses"]

BLOCK: Final = 1024


class Pauses:
    """The reads of a closed-loop session group, whose way is known from their luck alone."""

    def __init__(self, scenario: Scenario, streams: Streams, name: str, session: Session) -> None:
        nodes = session.route.nodes(scenario.primary.name, tuple(scenario.standbys))
        self._ways = [client_ways(scenario, session, node) for node in nodes]
        self._session = session
        self._luck = SessionLuck(streams, name, session, self._ways)
        self._home = None
        if session.route.policy == "per_session":
            self._home = np.repeat(streams.uniforms(f"session:{name}:home").block(session.count), session.reads)
        self._pauses: list[int] = []

    def pause(self, user: int, nth: int) -> int:
        """Nanoseconds from the acknowledgement of the user's ``nth`` write (from 0) to its last read's answer."""
        at = nth * self._session.count + user
        while at >= len(self._pauses):
            self._pauses.extend(self._block(-(-BLOCK // self._session.count)))
        return self._pauses[at]

    def _block(self, rounds: int) -> list[int]:
        after, luck = self._luck.block(rounds)
        rows = np.arange(len(after))
        u = luck.route if self._home is None else np.tile(self._home, rounds)
        distances = np.array([way.out.mean for way in self._ways])
        everywhere = np.ones((1, len(self._ways)), dtype=bool)
        place = self._session.route.choose(luck.first + rows, u, distances, everywhere, None)
        took = after + luck.way(luck.out[0], rows, place) + luck.way(luck.back[0], rows, place)
        pauses: list[int] = took.reshape(-1, self._session.reads).sum(axis=1).tolist()
        return pauses
