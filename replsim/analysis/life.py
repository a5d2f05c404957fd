"""The life of one commit: every step that it took on every node, and why it took as long as it did."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from replsim.analysis.breakdown import REPORTED, Breakdown, breakdown
from replsim.analysis.facts import Facts
from replsim.analysis.histogram import latencies, latency_rows
from replsim.analysis.ledger import survived
from replsim.analysis.reigns import downfall
from replsim.errors import NotInResult
from replsim.record import ACKNOWLEDGED, OUTCOMES
from replsim.record.branch import Branch, branch_of, shared
from replsim.scenario.succession import upstream_of
from replsim.units import NEVER

__all__ = ["CLIENT", "CommitLife", "Message", "Moment", "choose_commit", "commit_life"]

Ints = NDArray[np.int64]

CLIENT: Final = "its client"
"""The place where a commit comes from; no node is called so, as names have no blanks."""
STAGES: Final = ("receive", "write", "flush", "apply")


@dataclass(frozen=True, slots=True)
class Moment:
    """Something happened at a place (a node, or `CLIENT`) at a time in nanoseconds."""

    place: str
    time: int
    what: str


@dataclass(frozen=True, slots=True)
class Message:
    """Something went from one place to another; ``decisive`` if the client waited for it, ``lost`` if it never came:
    then it ends where and when it was given up."""

    start: Moment
    end: Moment
    what: str
    decisive: bool
    lost: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class CommitLife:
    """One commit, step by step: what never happened by the run's end is not in it.

    ``parts`` is None for a commit that its client never saw acknowledged.
    """

    row: int
    writer: str
    primary: str
    """The primary that took it."""
    lsn: int
    level: str
    outcome: str
    undone: Branch | None
    """The branch of the log with which the cluster went on without it, if it was inserted and lost."""
    places: tuple[str, ...]
    """The client, the primary, then the standbys."""
    moments: tuple[Moment, ...]
    messages: tuple[Message, ...]
    parts: Breakdown | None
    decider: str | None
    """The standby whose reply released it."""

    @property
    def start(self) -> int:
        """When it was due."""
        return min(moment.time for moment in self.moments)

    @property
    def end(self) -> int:
        """The last thing that became of it."""
        return max(moment.time for moment in self.moments)

    def time(self, place: str, what: str) -> int | None:
        """When something happened at a place, if it did."""
        return next((each.time for each in self.moments if (each.place, each.what) == (place, what)), None)


def choose_commit(facts: Facts, which: str | int = "median") -> int:
    """The row of the ``median`` commit by latency, the ``slowest``, the first ``lost``, ``acknowledged_locally``,
    ``unknown`` or ``pending`` one, or a number.  Raises `NotInResult` where there is none.
    """
    commits = facts.record.commits
    if isinstance(which, int) or which.lstrip("-").isdigit():
        row = int(which)
        if not 0 <= row < len(commits):
            raise NotInResult(f"no commit {row}: they are numbered from 0 to {len(commits) - 1}")
        return row
    if which in ("median", "slowest"):
        rows = latency_rows(facts)
        if not len(rows):
            raise NotInResult("no commit was acknowledged within the measured window")
        order = rows[np.argsort(latencies(facts, rows), kind="stable")]
        return int(order[-1] if which == "slowest" else order[(len(order) - 1) // 2])
    if which in ("acknowledged_locally", "unknown", "pending"):
        rows = np.flatnonzero(commits["outcome"] == OUTCOMES.index(which))
    elif which == "lost":
        rows = np.flatnonzero(~survived(facts))
        # What a client had been told of is the loss that matters.
        told = rows[facts.column("acknowledged")[rows] < NEVER]
        rows = told if len(told) else rows
    else:
        raise NotInResult(
            f"{which!r} is no way to choose a commit: median, slowest, lost, acknowledged_locally, "
            "unknown, pending or its number"
        )
    if not len(rows):
        raise NotInResult(f"no commit is {which}")
    return int(rows[0])


def commit_life(facts: Facts, row: int) -> CommitLife:
    """What became of the commit in a row of the record's table."""
    record, commits = facts.record, facts.record.commits
    branch = branch_in(facts, row)
    primary = record.branches[branch].node if branch >= 0 else record.scenario.primary.name
    told = bool(commits["acknowledged"][row] < NEVER) and commits["outcome"][row] == ACKNOWLEDGED
    parts = breakdown(facts, np.array([row])) if told else None
    code = int(parts.decider[0]) if parts is not None else -1
    decider = record.scenario.nodes[code] if code >= 0 else None
    level = _word(facts, "level", row)

    own = [
        Moment(CLIENT, int(commits["submitted"][row]), "due"),
        Moment(CLIENT, _at(facts, "started", row), "sent"),
    ]
    own += [Moment(primary, _at(facts, what, row), what) for what in ("inserted", "flushed", "visible")]
    own.append(Moment(CLIENT, _at(facts, "acknowledged", row), "acknowledged"))
    undone = undone_by(facts, row)
    if undone is not None:
        own.append(Moment(undone.node, undone.start, "undone"))
    ended = downfall(facts, primary, _at(facts, "inserted", row)) if undone is not None else None
    if ended is not None:
        own.append(Moment(primary, ended.time, ended.what))
    happened = {(each.place, each.what): each for each in own if each.time < NEVER}
    messages = []
    if (primary, "inserted") in happened:
        messages += _between(happened, (CLIENT, "sent"), (primary, "inserted"), "commit", decisive=True)
        for name in record.scenario.nodes:
            if name == primary or "sent" not in record.positions[name]:
                continue
            upstream = upstream_of(record.scenario, name, primary)
            happened |= {(each.place, each.what): each for each in _on_standby(facts, name, upstream, row)}
            messages += _wal(happened, name, upstream, decisive=name == decider)
            if ended is not None:
                messages += _lost(happened, name, upstream, ended.time)
            messages += _replies(happened, name, upstream, REPORTED[level] if name == decider else "")
        messages += _between(happened, (primary, "visible"), (CLIENT, "acknowledged"), "answer", decisive=True)
    return CommitLife(
        row=row,
        writer=_word(facts, "writer", row),
        primary=primary,
        lsn=int(commits["lsn"][row]),
        level=level,
        outcome=OUTCOMES[commits["outcome"][row]],
        undone=undone,
        places=(CLIENT, *record.scenario.nodes),
        moments=tuple(sorted(happened.values(), key=lambda each: each.time)),
        messages=tuple(messages),
        parts=parts,
        decider=decider,
    )


def branch_in(facts: Facts, row: int) -> int:
    """The branch of the log on which a commit was inserted; -1 where there is but one history, or it never was."""
    branches = facts.record.branches
    if len(branches) < 2 or row >= facts.count:
        return -1
    return int(np.searchsorted([branch.first for branch in branches], row, side="right")) - 1


def undone_by(facts: Facts, row: int) -> Branch | None:
    """The branch with which the cluster went on without a commit that had been inserted; None where it survived."""
    own = branch_in(facts, row)
    if own < 0 or survived(facts)[row]:
        return None
    branches, lsn = facts.record.branches, int(facts.record.commits["lsn"][row])
    # Of those that lead to the history that goes on, the first that has not the commit.
    place, line = len(branches) - 1, []
    while place >= 0:
        line.append(place)
        place = branches[place].parent
    without = [each for each in line if lsn > shared(branches, own, each)]
    return branches[min(without)]


Happened = dict[tuple[str, str], Moment]


def _on_standby(facts: Facts, name: str, upstream: str, row: int) -> Iterator[Moment]:
    times = {what: _when(facts, name, what, row) for what in ("sent", *STAGES)}
    for what, time in times.items():
        if time < NEVER:
            yield Moment(upstream, time, f"sent to {name}") if what == "sent" else Moment(name, time, what)
    for what in ("write", "flush", "apply"):
        time = _when(facts, name, f"reported_{what}", row)
        if time < NEVER:
            yield Moment(upstream, time, f"{name} reported {what}")


def _when(facts: Facts, name: str, stage: str, row: int) -> int:
    """When a node's position took a commit in; `NEVER` where it went over to a history that has not the commit."""
    steps, branches = facts.record.position(name, stage), facts.record.branches
    time = int(steps.crossing(facts.codes[row]))
    if time < NEVER and len(branches) > 1:
        there = int(branch_of(steps.at(time)))
        if facts.record.commits["lsn"][row] > shared(branches, branch_in(facts, row), there):
            return NEVER
    return time


def _wal(happened: Happened, name: str, upstream: str, *, decisive: bool) -> list[Message]:
    return _between(happened, (upstream, f"sent to {name}"), (name, "receive"), "WAL", decisive=decisive)


def _lost(happened: Happened, name: str, upstream: str, end: int) -> list[Message]:
    """WAL that was on its way when its primary went down, and never came."""
    sent = happened.get((upstream, f"sent to {name}"))
    if sent is None or sent.time > end or (name, "receive") in happened:
        return []
    return [Message(sent, Moment(name, end, "never"), "WAL", decisive=False, lost=True)]


def _replies(happened: Happened, name: str, upstream: str, decisive: str) -> list[Message]:
    """Its replies: one that reports several stages at once is one message, from the last of them."""
    by_time: dict[int, list[str]] = {}
    for what in ("write", "flush", "apply"):
        end = happened.get((upstream, f"{name} reported {what}"))
        if end is not None:
            by_time.setdefault(end.time, []).append(what)
    messages = []
    for stages in by_time.values():
        wanted = any(decisive == f"reported_{what}" for what in stages)
        ends = (name, stages[-1]), (upstream, f"{name} reported {stages[-1]}")
        messages += _between(happened, *ends, " and ".join(stages), decisive=wanted)
    return messages


def _between(
    happened: Happened, start: tuple[str, str], end: tuple[str, str], what: str, *, decisive: bool
) -> list[Message]:
    if start not in happened or end not in happened:
        return []
    return [Message(happened[start], happened[end], what, decisive)]


def _at(facts: Facts, column: str, row: int) -> int:
    return int(facts.record.commits[column][row])


def _word(facts: Facts, column: str, row: int) -> str:
    commits = facts.record.commits
    return str(commits.words[column][commits[column][row]])
