"""What happened to a cluster, whatever its clients did."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from replsim.record.table import Table
from replsim.scenario import Scenario

__all__ = ["happenings"]


def happenings(scenario: Scenario, noted: Iterable[tuple[int, str, str]] = ()) -> Table:
    """Its checkpoints, and what was ``noted``: times in nanoseconds, nodes, and what happened to them.

    In the order of time; at one time a checkpoint first, then what was noted, in its order.
    """
    noted = list(noted)
    every = scenario.primary.checkpoints.every if scenario.primary.checkpoints else scenario.duration
    rows = [(time, 0, "checkpoint") for time in range(every, scenario.duration, every)]
    rows += [(time, scenario.nodes.index(node), what) for time, node, what in noted]
    rows.sort(key=lambda row: row[0])
    words = ("checkpoint", *sorted({what for _, _, what in noted}))
    return Table(
        {
            "time": np.array([row[0] for row in rows], dtype=np.int64),
            "node": np.array([row[1] for row in rows], dtype=np.int16),
            "what": np.array([words.index(row[2]) for row in rows], dtype=np.int8),
        },
        times=("time",),
        words={"node": scenario.nodes, "what": words},
    )
