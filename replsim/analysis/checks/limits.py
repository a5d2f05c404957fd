"""What the checks could not look at in a record, and why: nothing is passed over in silence."""

from __future__ import annotations

from collections.abc import Iterator

from replsim.analysis.checks.reigns import branches, rules, steady
from replsim.record import Record

__all__ = ["unchecked"]


def unchecked(record: Record) -> list[str]:
    """What is not checked in this record, each with the check that leaves it out."""
    return [*_first(record), *_losses(record)]


def _first(record: Record) -> Iterator[str]:
    first = any(
        each.rule.method == "FIRST" and each.rule.count
        for k in range(len(branches(record)))
        for each in rules(record, k)
    )
    if first and not steady(record):
        yield "the_rule_held: which n of FIRST n had to confirm, as standbys may have been gone; any n are asked for"


def _losses(record: Record) -> Iterator[str]:
    promoted = any(branch.timeline > 1 for branch in record.branches)
    if promoted and not record.scenario.failover.fencing:
        yield "no_acknowledged_commit_is_lost: the old primary was not fenced, so nothing excludes a loss"
