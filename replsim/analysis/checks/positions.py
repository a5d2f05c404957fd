"""Invariants of positions: the order of the stages, and what standbys said of them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import numpy as np

from replsim.record import Record

__all__ = ["CHECKS"]

STANDBY: Final = ("sent", "receive", "write", "flush", "apply")
REPORTED: Final = ("write", "flush", "apply")


def positions_only_rise(record: Record) -> Iterator[str]:
    """No position falls, and no step of one is at the time of another, or after the run."""
    for node, stages in record.positions.items():
        for stage, steps in stages.items():
            if np.any(np.diff(steps.time) <= 0) or np.any(np.diff(steps.lsn) <= 0):
                yield f"the {stage} position of {node} does not only rise"
            if len(steps) and (steps.time[0] < 0 or steps.time[-1] > record.scenario.duration):
                yield f"the {stage} position of {node} has a step outside the run"


def stages_follow_each_other(record: Record) -> Iterator[str]:
    """At every moment apply <= flush <= write <= receive <= sent <= the upstream's flush, and flush <= insert."""
    scenario = record.scenario
    primary = scenario.primary.name
    chains = [[(primary, "insert"), (primary, "flush")]]
    chains += [
        [(scenario.upstream(name), "flush"), *((name, stage) for stage in STANDBY)] for name in scenario.standbys
    ]
    for chain in chains:
        for ahead, behind in pairwise(chain):
            steps = record.position(*behind)
            wrong = np.flatnonzero(steps.lsn > record.position(*ahead).at(steps.time))
            if len(wrong):
                yield f"{' '.join(behind)} is past {' '.join(ahead)} at {steps.time[wrong[0]]} ns"


def flushes_take_turns(record: Record) -> Iterator[str]:
    """A device does one flush at a time, and a flush covers nothing that was not there when it began."""
    primary = record.scenario.primary.name
    for node, starts in record.flush_starts.items():
        if len(record.branches) > 1:
            continue  # a node that comes back has a step that no flush of its own made
        flush = record.position(node, "flush")
        if np.any(np.diff(starts) < 0):
            yield f"flushes of {node} start out of order"
        if len(flush) > len(starts):
            yield f"{node} has flushed more often than it began to"
            continue
        if _crashes(record):  # a flush that a crash cut short began, and never ended
            continue
        began = starts[: len(flush)]
        if np.any(began > flush.time) or np.any(began[1:] < flush.time[:-1]):
            yield f"flushes of {node} overlap"
        there = record.position(node, "insert" if node == primary else "write").at(began)
        if np.any(flush.lsn > there):
            yield f"a flush of {node} covers what came after its start"


def replies_are_true(record: Record) -> Iterator[str]:
    """A standby reports nothing that is not so when its upstream hears it, nothing less than before, and in order."""
    for node, replies in record.replies.items():
        if np.any(np.diff(replies.time) < 0):
            yield f"replies of {node} are processed out of order"
        if np.any(replies.apply > replies.flush) or np.any(replies.flush > replies.write):
            yield f"{node} reports to have applied what it has not flushed, or flushed what it has not written"
        for stage in REPORTED:
            said = getattr(replies, stage)
            if np.any(np.diff(said) < 0) and not _crashes(record):  # which loses what was only written
                yield f"{node} takes back what it reported of {stage}"
            if np.any(said > record.position(node, stage).at(replies.time)):
                yield f"{node} reports a {stage} position that it has not reached"


def _crashes(record: Record) -> bool:
    return any(fault.verb == "crash" for fault in record.scenario.faults)


CHECKS: Final = (positions_only_rise, stages_follow_each_other, flushes_take_turns, replies_are_true)
