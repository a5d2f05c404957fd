"""A read of a user who waits for it, on its way through a cluster in which nodes may die."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from replsim.engines.events.log import Log
from replsim.record import Table
from replsim.rules.routing import NOWHERE
from replsim.scenario import Scenario
from replsim.units import NEVER

__all__ = ["Trip", "recorded"]

READ: Final = (
    "time", "session", "commit", "node", "arrived", "looked", "answered", "tries", "waited", "timed_out", "diverted",
)  # fmt: skip
"""What is recorded of a read: as in the table of reads, with the row of the commit that it follows."""


@dataclass(slots=True, eq=False)
class Trip:
    """A read on its way."""

    user: int
    number: int
    """Which draws it takes."""
    log: Log
    row: int
    """The write that it follows."""
    issued: int
    token: int
    """What it must see, coded by its branch of the log."""
    chosen: int = NOWHERE
    """The node that its route's policy chose, as a place among those that it may come to;"""
    place: int = NOWHERE
    """where it goes or is, and when it got there or will."""
    arrived: int = NEVER
    home: bool = False
    """It goes to the clients' primary, whoever that is."""
    tries: int = 0
    """How many nodes it came to."""
    waits: int = -1
    """Since when it waits for replay, -1 if it does not."""
    waited: int = 0
    limit: int = NEVER
    """When it has waited for long enough."""
    timed_out: bool = False
    looked: int = NEVER
    answered: int = NEVER


def recorded(
    trips: Sequence[Trip],
    nodes: Sequence[str],
    scenario: Scenario,
    *,
    falls_back: bool,
    rows: Callable[[Log, int], int],
) -> Table:
    """What became of reads, whose places are among ``nodes``.

    ``falls_back``: whether one on the primary that its route did not choose was diverted to it; ``rows`` tells the rows
    of the commits that they follow.
    """
    names, end = scenario.nodes, scenario.duration
    columns: dict[str, list[int]] = {name: [] for name in READ}
    for trip in trips:
        node = scenario.primary.name if trip.place == NOWHERE else nodes[trip.place]
        done, arrived = trip.answered < NEVER, trip.arrived if trip.arrived < NEVER else end
        chosen = None if trip.chosen == NOWHERE else nodes[trip.chosen]
        read = (
            trip.issued, trip.user, rows(trip.log, trip.row), names.index(node), arrived,
            trip.looked if done else max(end, arrived), trip.answered, max(trip.tries, 1),
            trip.waited + (0 if trip.waits < 0 else max(end - trip.waits, 0)), trip.timed_out,
            falls_back and trip.home and node != chosen,
        )  # fmt: skip
        for name, value in zip(READ, read, strict=True):
            columns[name].append(value)
    return Table(
        {name: np.array(values, dtype=np.int64) for name, values in columns.items()},
        times=("time", "arrived", "looked", "answered"),
        words={"node": names},
    )
