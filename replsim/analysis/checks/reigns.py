"""Who was primary when, under which rule, and what others had of its log: what several checks go by.

All of it comes from the record: its branches, the events that say which rule was set, and the positions, compared by
membership.  A later branch uses the LSNs of an abandoned one again, and confirms nothing of it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from replsim.record import Branch, Record
from replsim.record.branch import branch_of, held
from replsim.rules.acks import SyncRule
from replsim.units import NEVER

__all__ = [
    "COPIES", "Standing", "branches", "branches_of", "counts", "had", "heard", "listed", "reigning", "rules", "steady",
    "told_of", "upstreams",
]  # fmt: skip

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

WAITS, ALONE, JOINS = "waits for ", "goes on alone", "connected to "
"""How the events say which rule a manager has set, and whom a node streams from."""
COPIES = ("rejoined", "rebuilt")
"""What they say of a node that may have been made anew."""


class Standing(NamedTuple):
    """A rule, and the stretch of time ``[since, until)`` in which a primary followed it."""

    rule: SyncRule
    since: int
    until: int


def branches(record: Record) -> tuple[Branch, ...]:
    """The histories of the log; of a record that names none, the one."""
    return record.branches or (Branch(timeline=1, parent=-1, fork=0, start=0, node=record.scenario.primary.name),)


def steady(record: Record) -> bool:
    """Whether nobody can have been away: nothing broke, and nothing was removed that somebody might need."""
    kept = any("kept" in stages for stages in record.positions.values())
    return len(record.branches) < 2 and not record.scenario.faults and not kept


def branches_of(record: Record) -> Ints:
    """The branch of each commit in the log."""
    count = int(np.count_nonzero(record.commits["lsn"] < NEVER))
    firsts = [branch.first for branch in branches(record)]
    return np.searchsorted(firsts, np.arange(count), side="right") - 1


def told_of(record: Record, node: str) -> list[tuple[int, str]]:
    """What happened to a node, and when, in order."""
    events = record.events
    if "what" not in events or node not in events.words["node"]:
        return []
    mine, words = events.where(events["node"] == events.words["node"].index(node)), events.words["what"]
    return [(int(time), words[what]) for time, what in zip(mine["time"], mine["what"], strict=True)]


def rules(record: Record, branch: int) -> list[Standing]:
    """The rules that a primary followed while it wrote a branch: the scenario's, or those that a manager set."""
    start, node = branches(record)[branch].start, branches(record)[branch].node
    later = [each.start for each in branches(record)[branch + 1 :] if each.node == node]
    end = min(later, default=NEVER)
    found = [
        (time, SyncRule.parse(what.removeprefix(WAITS) if what != ALONE else ""))
        for time, what in told_of(record, node)
        if (what == ALONE or what.startswith(WAITS)) and start <= time <= end
    ]
    if not found:
        return [Standing(SyncRule.parse(record.scenario.primary.synchronous_standby_names), start, end)]
    ends = [*(time for time, _ in found[1:]), end]
    return [Standing(rule, since, until) for (since, rule), until in zip(found, ends, strict=True)]


def upstreams(record: Record, node: str) -> list[tuple[str, int, int]]:
    """Whom a node streamed from, from when until when: the scenario's upstream, then those it connected to.

    One that becomes primary, or takes files from the archive, streams from nobody.
    """
    scenario, told = record.scenario, told_of(record, node)
    found = [] if node == scenario.primary.name else [(0, scenario.upstream(node))]
    found += [(time, what.removeprefix(JOINS)) for time, what in told if what.startswith(JOINS)]
    alone = [each.start for each in branches(record) if each.node == node]
    alone += [time for time, what in told if what == "restoring"]
    ends = sorted([time for time, _ in found] + alone)
    return [(up, since, min((end for end in ends if end > since), default=NEVER)) for since, up in found]


def reigning(record: Record, node: str, moments: Ints) -> Bools:
    """Whether a node was primary at each moment: from the start of a branch of its own until it is a standby again."""
    joins = [time for time, what in told_of(record, node) if what.startswith(JOINS) or what == "rejoined"]
    found = np.zeros(len(moments), dtype=bool)
    for branch in branches(record):
        if branch.node == node:
            end = min((time for time in joins if time > branch.start), default=NEVER)
            found |= (branch.start <= moments) & (moments < end)
    return found


def listed(record: Record, rule: SyncRule, primary: str) -> list[str]:
    """The nodes whose word counts under a primary's rule, best priority first: of those that ever streamed from it."""
    nodes = record.scenario.nodes
    return list(rule.candidates([each for each in nodes if any(up == primary for up, *_ in upstreams(record, each))]))


def counts(record: Record, branch: int, name: str, moments: Ints) -> Bools:
    """Whether a standby counts for the primary that writes a branch: from when it streams until it is dropped.

    A standby of the scenario's primary streams from the start; after a crash or a promotion nobody does at first.
    """
    writes = branches(record)[branch]
    joined = upstreams(record, name)
    since = 0 if branch == 0 and joined and joined[0][0] == writes.node else NEVER
    found = np.zeros(len(moments), dtype=bool)
    for time, what in told_of(record, name):
        from_here = any(up == writes.node and begin <= time < end for up, begin, end in joined)
        if what == "streaming" and time >= writes.start and from_here:
            since = min(since, time)
        elif what == "dropped" and since < NEVER:
            found |= (since <= moments) & (moments < time)
            since = NEVER
    return found | (since <= moments)


def had(record: Record, name: str, stage: str, branch: int, lsn: Ints) -> Ints:
    """When a node's position first held each LSN of a branch's history; `NEVER` where it never did."""
    if stage not in record.positions[name]:
        return np.full(len(lsn), NEVER)
    steps = record.position(name, stage)
    return _first(steps.time, held(branches(record), branch, steps.lsn), lsn)


def heard(record: Record, name: str, stage: str, branch: int, lsn: Ints) -> Ints:
    """When a branch's primary had first heard from a node that it has each LSN of that branch; `NEVER` if it had not.

    What a node tells another primary, of the same history or not, is nothing that this one has heard.
    """
    replies = record.replies.get(name)
    if replies is None:
        return np.full(len(lsn), NEVER)
    said = getattr(replies, stage)
    mine = np.ones(len(said), dtype=bool)
    if replies.upstream is not None:
        place = record.scenario.nodes.index(branches(record)[branch].node)
        mine = (replies.upstream == place) & (branch_of(said) == branch)
    elif record.scenario.upstream(name) != branches(record)[branch].node:
        mine[:] = False
    return _first(replies.time[mine], held(branches(record), branch, said[mine]), lsn)


def _first(time: Ints, position: Ints, lsn: Ints) -> Ints:
    most = np.maximum.accumulate(position) if len(position) else position
    return np.append(time, NEVER)[np.searchsorted(most, lsn, side="left")]
