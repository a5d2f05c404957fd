"""Measured runs of a real server as findings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from replsim.calibrate.compare import Comparison
from replsim.calibrate.page import comparisons, measured_runs
from replsim.proof.finding import Finding
from replsim.summary import show

__all__ = ["SECTION", "findings"]

SECTION: Final = "measured"
KNOWN: Final = {
    "outage_first1_r200": "the machine was slower before the outage (p50 8.4 ms) than after it (7.2 ms, as here)",
}
"""Runs that miss a limit, and why; docs/validation.md shows by how much."""


def findings() -> Iterator[Finding]:
    """Each measured run: its median latency, and whether every metric is within its limit."""
    return map(_finding, comparisons(measured_runs()))


def _finding(found: Comparison) -> Finding:
    row = next(row for row in found.rows if row.metric == f"{found.latency}.p50")
    limited = [each for each in found.rows if each.limit]
    within = f"{sum(each.held for each in limited)} of {len(limited)} within limits"
    known = "" if found.held else KNOWN.get(found.scenario.name, "")
    measured, simulated = show(row.measured, "s"), show(row.simulated, "s")
    return Finding(SECTION, found.scenario.name, measured, simulated, within, found.held, known)
