"""Invariants of positions: the order of the stages, and what standbys said of them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from replsim.analysis.checks.reigns import COPIES, branches_of, reigning, steady, told_of, upstreams
from replsim.record import Record, Replies, Trajectory
from replsim.record.branch import branch_of, held, lsn_of

__all__ = ["CHECKS"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

STANDBY: Final = ("sent", "receive", "write", "flush", "apply")
STARTS: Final = ("crash ends", "started", "rejoined", "rebuilt", "disk cleared")
"""What is said of a node that is there again."""
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
    """At every moment apply <= flush <= write <= receive <= sent <= the upstream's flush, and flush <= insert.

    A position is at or before another if all that it holds is part of the other's history.  The upstream is whoever
    a node was connected to; while a node is primary, its own log is what it has, and nobody sends it anything.
    A base backup brings a node what its upstream of the time had, at once.
    """
    for node, stages in record.positions.items():
        copies = [time for time, what in told_of(record, node) if what in COPIES]

        def copied(steps: Trajectory, copies: list[int] = copies) -> Bools:
            return np.isin(steps.time, copies)

        for ahead, behind in pairwise(STANDBY):
            if ahead in stages and behind in stages:
                steps = stages[behind]
                steps = _those(steps, ~reigning(record, node, steps.time))
                yield from _past(record, f"{node} {ahead}", stages[ahead], f"{node} {behind}", steps)
        if "insert" in stages:
            own = _those(stages["flush"], reigning(record, node, stages["flush"].time) & ~copied(stages["flush"]))
            yield from _past(record, f"{node} insert", stages["insert"], f"{node} flush", own)
        for upstream, since, until in upstreams(record, node):
            sent = stages["sent"]
            sent = _those(sent, (since <= sent.time) & (sent.time < until) & ~copied(sent))
            yield from _past(record, f"{upstream} flush", record.position(upstream, "flush"), f"{node} sent", sent)


def flushes_take_turns(record: Record) -> Iterator[str]:
    """A device does one flush at a time, and a flush covers nothing that was not there when it began.

    A flush that a crash cut short began, and never ended.  A node that starts again, or goes over to another history,
    has a step that no flush of its own made.
    """
    for node, starts in record.flush_starts.items():
        if np.any(np.diff(starts) < 0):
            yield f"flushes of {node} start out of order"
        flush = record.position(node, "flush")
        if steady(record):
            if len(flush) > len(starts):
                yield f"{node} has flushed more often than it began to"
                continue
            began = [starts[: len(flush)]]
        else:
            flush = _those(flush, ~_without_a_flush(record, node, flush))
            # The last that began before it ended, or one that took no time.
            padded = np.append(-1, starts)
            began = [padded[np.searchsorted(starts, flush.time, side=side)] for side in ("left", "right")]
        if not np.any([_in_turn(each, flush.time) for each in began], axis=0).all():
            yield f"flushes of {node} overlap"
        ahead = [record.positions[node][stage] for stage in ("insert", "write") if stage in record.positions[node]]
        covered = [
            _in_turn(each, flush.time) & _holds(record, steps.at(each), flush.lsn) for each in began for steps in ahead
        ]
        if not np.any(covered, axis=0).all():
            yield f"a flush of {node} covers what came after its start"


def branches_begin_with_what_was_flushed(record: Record) -> Iterator[str]:
    """A branch forks where its primary's flushed log ends, and all commits of its own stand behind that."""
    lsn, own = record.commits["lsn"], branches_of(record)
    for place, branch in enumerate(record.branches[1:], 1):
        flush = record.position(branch.node, "flush")
        before = flush.lsn[(flush.time <= branch.start) & (branch_of(flush.lsn) != place)]
        if lsn_of(np.append(0, before))[-1] != branch.fork:
            yield f"branch {place} does not begin with what {branch.node} had flushed"
        if np.any(lsn[: len(own)][own == place] <= branch.fork):
            yield f"branch {place} has a commit of its own before its fork"


def replies_are_true(record: Record) -> Iterator[str]:
    """A standby reports nothing that is not so when its upstream hears it, and in order.

    On one connection it takes nothing back; before the next one a crash may have lost what was only written.
    """
    for node, replies in record.replies.items():
        if np.any(np.diff(replies.time) < 0):
            yield f"replies of {node} are processed out of order"
        if np.any(replies.apply > replies.flush) or np.any(replies.flush > replies.write):
            yield f"{node} reports to have applied what it has not flushed, or flushed what it has not written"
        connection = _connections(record, node, replies)
        order = np.argsort(connection, kind="stable")
        for stage in REPORTED:
            said = getattr(replies, stage)
            if np.any(np.diff(said[order])[np.diff(connection[order]) == 0] < 0):
                yield f"{node} takes back what it reported of {stage}"
            if not _holds(record, record.position(node, stage).at(replies.time), said).all():
                yield f"{node} reports a {stage} position that it has not reached"


def _connections(record: Record, node: str, replies: Replies) -> Ints:
    """The connection on which each reply came, numbered by when it was opened.

    An upstream that has been left may still read what was on its way, when the next one has heard already.
    """
    opened = upstreams(record, node)
    found = np.zeros(len(replies.time), dtype=np.int64)
    for number, (upstream, since, _) in enumerate(opened):
        place = record.scenario.nodes.index(upstream)
        theirs = True if replies.upstream is None else replies.upstream == place
        found[theirs & (since <= replies.time)] = number
    return found


def _those(steps: Trajectory, which: Bools) -> Trajectory:
    return Trajectory(steps.time[which], steps.lsn[which])


def _past(record: Record, ahead: str, there: Trajectory, behind: str, steps: Trajectory) -> Iterator[str]:
    """The first step of a position with which it holds what another does not."""
    wrong = np.flatnonzero(~_holds(record, there.at(steps.time), steps.lsn))
    if len(wrong):
        yield f"{behind} is past {ahead} at {steps.time[wrong[0]]} ns"


def _holds(record: Record, ahead: Ints, behind: Ints) -> Bools:
    """Whether all that is at each position ``behind`` is part of the history at ``ahead``."""
    holds = np.zeros(len(behind), dtype=bool)
    own = branch_of(behind)
    for branch in np.unique(own).tolist():
        mine = own == branch
        holds[mine] = lsn_of(behind[mine]) <= held(record.branches, branch, ahead[mine])
    return holds


def _in_turn(began: Ints, ended: Ints) -> Bools:
    """Whether each flush began once the one before it had ended, and ended after that."""
    return (np.append(0, ended[:-1]) <= began) & (began <= ended) if len(ended) else np.ones(0, dtype=bool)


def _without_a_flush(record: Record, node: str, flush: Trajectory) -> Bools:
    """Which steps are those of a node that starts, or whose history becomes another."""
    forks = np.array([branch.fork for branch in record.branches] or [0])
    starts = [time for time, what in told_of(record, node) if what in STARTS]
    goes_over: Bools = lsn_of(flush.lsn) == forks[branch_of(flush.lsn)]
    return np.isin(flush.time, starts) | goes_over


CHECKS: Final = (
    positions_only_rise,
    stages_follow_each_other,
    flushes_take_turns,
    branches_begin_with_what_was_flushed,
    replies_are_true,
)
