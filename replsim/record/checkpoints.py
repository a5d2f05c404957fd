"""What happens to a cluster by itself, whatever its clients do."""

from __future__ import annotations

import numpy as np

from replsim.record.table import Table
from replsim.scenario import Scenario

__all__ = ["checkpoints"]


def checkpoints(scenario: Scenario) -> Table:
    """What happened to the cluster itself: its checkpoints."""
    every = scenario.primary.checkpoints.every if scenario.primary.checkpoints else scenario.duration
    times = np.arange(every, scenario.duration, every, dtype=np.int64)
    nodes = np.zeros(len(times), dtype=np.int16)
    return Table(
        {"time": times, "node": nodes, "what": np.zeros(len(times), dtype=np.int8)},
        times=("time",),
        words={"node": scenario.nodes, "what": ("checkpoint",)},
    )
