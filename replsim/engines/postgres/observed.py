"""All that a run on real servers left behind, before anything is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from replsim.engines.postgres.injections import Happened
from replsim.engines.postgres.proxy import Heard
from replsim.engines.postgres.waldump import Commit
from replsim.record import Branch
from replsim.record.branch import coded
from replsim.scenario import Scenario

__all__ = ["MICROSECOND", "Observed"]

Ints = NDArray[np.int64]

MICROSECOND = 1000
"""Nanoseconds; a server's stamp is rounded down to it, so what had happened by a stamp had a microsecond later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """All that was observed, as it was: `harvest` brings it to the run's clock and to positions from its start."""

    scenario: Scenario
    seed: int
    origin: int
    """Nanoseconds since 1970 from which the proxies' times count."""
    zero: int
    """The run's start, counted from there."""
    base: int
    """Where the WAL ended then."""
    rows: Mapping[str, Ints]
    """The transactions as their clients saw them, in nanoseconds since the run's start."""
    heard: Mapping[tuple[str, str], Heard]
    """What passed on each link."""
    seen: Mapping[str, Ints]
    """What each node showed when it was looked at."""
    wal: Mapping[tuple[int, int], tuple[int, Commit]]
    """By writer and number: the branch on which a transaction committed, and what the WAL says of it."""
    branches: tuple[Branch, ...]
    """The histories of the log; empty where there is one."""
    happened: tuple[Happened, ...]
    """What was done to the servers."""
    notes: tuple[str, ...]

    def since(self, microseconds: Ints) -> Ints:
        """Servers' stamps (microseconds since 1970) as nanoseconds since the run's start, rounded up."""
        return microseconds * MICROSECOND + MICROSECOND - self.origin - self.zero

    def code(self, branch: int, time: Ints, position: Ints) -> Ints:
        """Positions that a node on ``branch`` had at some times, as a record has them."""
        return coded(self.branches, branch, time, position - self.base)
