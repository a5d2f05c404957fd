"""What the checks could not look at in a record, and why: nothing is passed over in silence."""

from __future__ import annotations

from collections.abc import Iterator

from replsim.record import Record

__all__ = ["unchecked"]


def unchecked(record: Record) -> list[str]:
    """What is not checked in this record, each with the check that leaves it out."""
    return [*_losses(record), *_bounds(record)]


def _losses(record: Record) -> Iterator[str]:
    promoted = any(branch.timeline > 1 for branch in record.branches)
    if promoted and not record.scenario.failover.fencing:
        yield "no_acknowledged_commit_is_lost: the old primary was not fenced, so nothing excludes a loss"


def _bounds(record: Record) -> Iterator[str]:
    clients = (*record.scenario.readers.values(), *record.scenario.sessions.values())
    if len(record.branches) > 1 and any(client.bound is not None for client in clients):
        yield "promises_are_kept: bounded staleness, as the LSN that is asked for may be one of a history that was left"
