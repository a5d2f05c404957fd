"""Which rows a run touches: those that writers draw, and each session user's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from replsim.randomness import Streams
from replsim.randomness.keys import KeyDraws

if TYPE_CHECKING:
    from replsim.scenario.model import Scenario

__all__ = ["rows_written"]

Ints = NDArray[np.int64]


def rows_written(scenario: Scenario, seed: int, group: Ints, number: Ints, client: Ints) -> Ints:
    """The row that each transaction writes: a writer's draw, or a session user's own row; -1 where nobody asks.

    Transactions are given by their ``group`` (writers, then sessions, in the scenario's order), by their ``number``
    in it, in the order of submission, and by the ``client`` in it.
    The users' rows are numbered behind all keys that any writer or reader draws.
    """
    keys = np.full(len(group), -1, dtype=np.int64)
    streams = Streams(seed)
    drawn_keys = [each.keys for each in scenario.writers.values()] + [each.keys for each in scenario.readers.values()]
    own = max((keys.count for keys in drawn_keys if keys is not None), default=0)
    for index, (name, writer) in enumerate(scenario.writers.items()):
        mine = group == index
        if writer.keys is not None and mine.any():
            drawn = KeyDraws(streams.uniforms(f"writer:{name}:keys"), writer.keys).block(int(number[mine].max()) + 1)
            keys[mine] = drawn[number[mine]]
    for index, session in enumerate(scenario.sessions.values(), len(scenario.writers)):
        mine = group == index
        keys[mine] = own + client[mine]
        own += session.count
    return keys
