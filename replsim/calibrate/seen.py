"""What was seen of a cluster, measured or simulated: numbers by metric, and the curves behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from replsim.analysis.facts import Facts
from replsim.analysis.measured import measured_lag
from replsim.record import answered
from replsim.result import Result
from replsim.scenario import Scenario
from replsim.units import SECOND

__all__ = ["COLUMNS", "Lag", "Seen", "seen_in"]

Floats = NDArray[np.float64]

COLUMNS: Final = ("write", "flush", "replay")
"""The lag columns of ``pg_stat_replication``."""


@dataclass(frozen=True, slots=True, eq=False)
class Lag:
    """One lag column of one standby over the measured window: seconds since its start, and seconds (NaN for NULL)."""

    time: Floats
    value: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """One run of a cluster, as far as it can be compared with another one of the same scenario.

    ``values`` are metrics by name, in SI units.  ``latencies`` are seconds, one a commit, by the metric that
    they make: ``commit_latency`` from when the work was due, ``commit_latency_from_start`` from when a
    connection took it up.  ``lag`` is by standby, then by column.
    """

    source: str
    values: Mapping[str, float]
    latencies: Mapping[str, Floats]
    lag: Mapping[str, Mapping[str, Lag]]


def seen_in(result: Result, source: str | None = None) -> Seen:
    """What a result shows, whatever engine made it; ``source`` is what a table calls it (the engine's name)."""
    facts = Facts(result.record)
    values = {name: result.metrics[name] for name in _names(result.scenario) if name in result.metrics}
    lag = {standby: _lag(facts, standby) for standby in result.scenario.standbys}
    return Seen(source or result.engine, values, _latencies(facts), lag)


def _names(scenario: Scenario) -> list[str]:
    names = [f"{family}.{rank}" for family in ("commit_latency", "commit_latency_from_start") for rank in RANKS]
    names += ["throughput", *(f"{node}.commits_per_flush" for node in scenario.nodes)]
    names += [
        f"{standby}.measured_lag.{column}.{rank}"
        for standby in scenario.standbys
        for column in COLUMNS
        for rank in ("p50", "p99")
    ]
    return names


RANKS: Final = ("p50", "p90", "p99")


def _latencies(facts: Facts) -> dict[str, Floats]:
    commits = facts.record.commits
    done = facts.within(commits["acknowledged"]) & answered(commits["outcome"])
    told = commits["acknowledged"][done]
    return {
        "commit_latency": (told - commits["submitted"][done]) / SECOND,
        "commit_latency_from_start": (told - commits["started"][done]) / SECOND,
    }


def _lag(facts: Facts, standby: str) -> dict[str, Lag]:
    start, end = facts.window
    found = {}
    for column, (time, value) in measured_lag(facts.record, standby).items():
        within = (time >= start) & (time < end)
        shown = np.where(value[within] < 0, np.nan, value[within] / SECOND)
        found[column] = Lag((time[within] - start) / SECOND, shown)
    return found
