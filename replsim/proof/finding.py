"""One line of proof: what must come out, and what did."""

from __future__ import annotations

from dataclasses import dataclass

from replsim.proof.estimators import Estimate

__all__ = ["Finding", "Z", "estimated"]

Z = 4.0
"""Every interval is so many standard errors to each side: wide enough for all of them to hold at once."""
WIDEST = 0.02
"""Half of such an interval, as a share of the truth: a wider one would prove nothing."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What theory, a paper, another engine or a real server says, what the simulation says, and whether they agree."""

    section: str
    name: str
    expected: str
    found: str
    interval: str
    held: bool
    known: str = ""
    """Of a miss that is known, or of what could not be compared: why."""


def estimated(section: str, name: str, truth: Estimate, found: Estimate, unit: str, widest: float = WIDEST) -> Finding:
    """A number with a standard error against one that may have one too."""
    error = (truth.error**2 + found.error**2) ** 0.5
    off = abs(found.value - truth.value)
    narrow = Z * found.error < widest * abs(truth.value)
    suffix = f" {unit}" if unit else ""
    return Finding(
        section,
        name,
        f"{truth.value:.5g}{suffix}",
        f"{found.value:.5g}{suffix}",
        f"± {Z * found.error:.2g}",
        off <= Z * error and narrow,
    )
