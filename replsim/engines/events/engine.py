"""Run a scenario through the cluster, and hand over what was recorded."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from replsim.engines.events.cluster import Cluster
from replsim.engines.events.coverage import refuse_uncovered
from replsim.engines.events.harvest import harvest
from replsim.randomness import Streams
from replsim.record import Record
from replsim.scenario import Scenario

__all__ = ["run"]

SLICES: Final = 200
"""How often a run reports its progress, and can be cancelled."""


def run(scenario: Scenario, seed: int, progress: Callable[[float], None] | None = None) -> Record:
    """Simulate ``scenario`` with ``seed``, event by event.

    ``progress`` is called with the fraction of simulated time done; what it raises ends the run.
    Raises `ScenarioError` where clients would go round without time passing, and `UnsupportedScenario` where
    something would happen to the cluster that this engine does not simulate.
    """
    refuse_uncovered(scenario)
    cluster = Cluster(scenario, Streams(seed))
    cluster.start()
    with _rare_collections():
        for part in range(1, SLICES + 1):
            cluster.agenda.run(scenario.duration * part // SLICES)
            if progress is not None:
                progress(part / SLICES)
    return harvest(cluster)


@contextmanager
def _rare_collections() -> Iterator[None]:
    """A run makes millions of small objects and no cycles: let the collector look for cycles rarely meanwhile."""
    before = gc.get_threshold()
    gc.set_threshold(100_000, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
