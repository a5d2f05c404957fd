"""All that is proved, by section."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

from replsim.proof import differential, measured, theory, wars
from replsim.proof.finding import Finding

__all__ = ["SECTIONS", "Section"]


class Section(NamedTuple):
    """One sort of proof: what it is, and the heads of its columns."""

    title: str
    expected: str
    found: str
    findings: Callable[[], Iterator[Finding]]


SECTIONS: Final[Mapping[str, Section]] = {
    theory.SECTION: Section(
        "Closed forms of queueing theory, through the whole engine", "theory", "simulated", theory.findings
    ),
    wars.SECTION: Section("PBS: a published model of stale reads", "published", "simulated", wars.findings),
    differential.SECTION: Section("Two engines, one record", "events", "stages", differential.findings),
    measured.SECTION: Section(
        "Runs of a real PostgreSQL (p50 of commit latency)", "measured", "simulated", measured.findings
    ),
}
