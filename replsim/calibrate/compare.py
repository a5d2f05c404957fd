"""Measured and simulated side by side, and how near they should be."""

from __future__ import annotations

import math
from dataclasses import dataclass

from replsim.calibrate.seen import Seen
from replsim.scenario import Scenario

__all__ = ["Comparison", "Limit", "Row", "compare", "limit_for"]


@dataclass(frozen=True, slots=True)
class Limit:
    """How far off a simulated number may be: a share of the measured one, or so much, whichever is more."""

    share: float
    amount: float = 0.0

    def admits(self, measured: float, simulated: float) -> bool:
        """Whether the two are near enough."""
        return bool(abs(simulated - measured) <= max(self.share * abs(measured), self.amount))


@dataclass(frozen=True, slots=True)
class Row:
    """One metric, measured and simulated, in its SI unit; ``limit`` is None where nothing is aimed at."""

    metric: str
    measured: float
    simulated: float
    limit: Limit | None

    @property
    def error(self) -> float:
        """By how much the simulated number is off, as a share of the measured one; NaN where that is 0."""
        return self.simulated / self.measured - 1 if self.measured else math.nan

    @property
    def held(self) -> bool:
        """Whether it is within its limit, if it has one."""
        return self.limit is None or self.limit.admits(self.measured, self.simulated)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs of one scenario, metric by metric: ``measured`` is the one to go by."""

    scenario: Scenario
    measured: Seen
    simulated: Seen
    rows: tuple[Row, ...]

    @property
    def held(self) -> bool:
        """Whether every metric is within its limit."""
        return all(row.held for row in self.rows)

    @property
    def latency(self) -> str:
        """The family of latencies that is held to a limit."""
        return _family(self.measured)


def compare(scenario: Scenario, measured: Seen, simulated: Seen) -> Comparison:
    """Compare what both have seen; for ``--live``, ``measured`` is what the real server showed.

    Where transactions began later than they were due, the latency from their own start is held to a limit: what
    pgbench is late by itself under ``--rate`` is no matter of the cluster's.
    """
    family = _family(measured)
    rows = []
    for metric, value in measured.values.items():
        if metric not in simulated.values or math.isnan(value):
            continue
        latency = metric.startswith("commit_latency")
        if latency and family == "commit_latency" and not metric.startswith("commit_latency."):
            continue  # all started when they were due: this is the same again
        limit = None if latency and not metric.startswith(f"{family}.") else limit_for(metric, scenario)
        rows.append(Row(metric, value, simulated.values[metric], limit))
    return Comparison(scenario, measured, simulated, tuple(rows))


def limit_for(metric: str, scenario: Scenario) -> Limit | None:
    """How near a metric should be: what this simulator aims at for every run with one set of constants.

    Open-loop commits that wait for no standby are shorter than the wake-ups around them vary: 12% at p50, else 8%.  The
    p99 of a run with faults is that of the fault, and is not held to anything.
    """
    if metric.startswith("commit_latency") and metric.endswith(".p50"):
        return Limit(0.12 if _open_and_local(scenario) else 0.08)
    if metric.startswith("commit_latency") and metric.endswith(".p99"):
        return None if scenario.faults else Limit(0.30)
    if metric.endswith("throughput"):
        return Limit(0.08)
    if metric.endswith("commits_per_flush"):
        return Limit(0.15)
    if ".measured_lag." in metric and metric.endswith(".p50"):
        return Limit(0.15, 100e-6)
    return None


def _open_and_local(scenario: Scenario) -> bool:
    return any(
        writer.clients is None and scenario.level(writer.synchronous_commit) == "local"
        for writer in scenario.writers.values()
    )


def _family(measured: Seen) -> str:
    own = measured.values.get("commit_latency_from_start.p50")
    due = measured.values.get("commit_latency.p50")
    return "commit_latency" if own is None or own == due else "commit_latency_from_start"
