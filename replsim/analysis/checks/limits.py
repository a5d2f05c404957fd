"""What the checks could not look at in a record, and why: nothing is passed over in silence."""

from __future__ import annotations

from collections.abc import Iterator

from replsim.record import Record

__all__ = ["unchecked"]


def unchecked(record: Record) -> list[str]:
    """What is not checked in this record, each with the check that leaves it out."""
    return list(_losses(record))


def _losses(record: Record) -> Iterator[str]:
    promoted = any(branch.timeline > 1 for branch in record.branches)
    if promoted and not record.scenario.failover.fencing:
        yield "no_acknowledged_commit_is_lost: the old primary was not fenced, so nothing excludes a loss"
