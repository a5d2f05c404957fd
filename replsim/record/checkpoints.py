"""What happens to a cluster by itself, whatever its clients do."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from replsim.record.table import Table
from replsim.scenario import Scenario
from replsim.scenario.windows import Window, told

__all__ = ["checkpoints"]


def checkpoints(scenario: Scenario, known: Iterable[Window] = ()) -> Table:
    """What happened to the cluster itself: its checkpoints, and the faults whose windows say all of them."""
    every = scenario.primary.checkpoints.every if scenario.primary.checkpoints else scenario.duration
    rows = [(time, "checkpoint") for time in range(every, scenario.duration, every)] + told(known, scenario.duration)
    rows.sort(key=lambda row: row[0])
    words = ("checkpoint", *sorted({what for _, what in rows} - {"checkpoint"}))
    return Table(
        {
            "time": np.array([time for time, _ in rows], dtype=np.int64),
            "node": np.zeros(len(rows), dtype=np.int16),
            "what": np.array([words.index(what) for _, what in rows], dtype=np.int8),
        },
        times=("time",),
        words={"node": scenario.nodes, "what": words},
    )
