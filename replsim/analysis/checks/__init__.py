"""Invariants: what must be true of every record, whichever engine wrote it.

Each check looks at a record alone, and knows nothing of how an engine works.  It says in a sentence what it found; on a
sound record it says nothing.  What a check cannot look at in a record, `unchecked` says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from replsim.analysis.checks import commits, losses, positions, reads, retention
from replsim.analysis.checks.limits import unchecked
from replsim.record import Record

__all__ = ["CHECKS", "unchecked", "violations"]

CHECKS: Final[tuple[Callable[[Record], Iterator[str]], ...]] = (
    *positions.CHECKS,
    *commits.CHECKS,
    *losses.CHECKS,
    *reads.CHECKS,
    *retention.CHECKS,
)
"""Every check; a test corrupts a record for each, and sees it found."""


def violations(record: Record) -> list[str]:
    """Every invariant that a record breaks, each with the check that found it; none for a sound one."""
    return [f"{check.__name__}: {found}" for check in CHECKS for found in check(record)]
