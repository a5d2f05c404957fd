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
from replsim.errors import NotInResult
from replsim.record import ACKNOWLEDGED, OUTCOMES
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
    """Something went from one place to another; ``decisive`` if the client waited for it."""

    start: Moment
    end: Moment
    what: str
    decisive: bool


@dataclass(frozen=True, slots=True, eq=False)
class CommitLife:
    """One commit, step by step: what never happened by the run's end is not in it.

    ``parts`` is None for a commit that its client never saw acknowledged.
    """

    row: int
    writer: str
    lsn: int
    level: str
    outcome: str
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
    """The row of the ``median`` commit by latency, the ``slowest``, the first ``lost`` or ``pending`` one, or a number.

    Raises `NotInResult` where there is none.
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
    if which == "pending":
        rows = np.flatnonzero(commits["outcome"] == OUTCOMES.index("pending"))
    elif which == "lost":
        words = commits.words.get("fate", ())
        rows = np.flatnonzero(commits["fate"] == words.index("lost")) if "lost" in words else np.empty(0, np.int64)
        # What a client had been told of is the loss that matters.
        told = rows[commits["outcome"][rows] == ACKNOWLEDGED]
        rows = told if len(told) else rows
    else:
        raise NotInResult(f"{which!r} is no way to choose a commit: median, slowest, lost, pending or its number")
    if not len(rows):
        raise NotInResult(f"no commit is {which}")
    return int(rows[0])


def commit_life(facts: Facts, row: int) -> CommitLife:
    """What became of the commit in a row of the record's table."""
    record, commits = facts.record, facts.record.commits
    primary = record.scenario.primary.name
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
    happened = {(each.place, each.what): each for each in own if each.time < NEVER}
    messages = []
    if (primary, "inserted") in happened:
        messages += _between(happened, (CLIENT, "sent"), (primary, "inserted"), "commit", decisive=True)
        for name in record.scenario.standbys:
            happened |= {(each.place, each.what): each for each in _on_standby(facts, name, int(facts.codes[row]))}
            messages += _wal(facts, happened, name, decisive=name == decider)
            messages += _replies(
                happened, name, record.scenario.upstream(name), REPORTED[level] if name == decider else ""
            )
        messages += _between(happened, (primary, "visible"), (CLIENT, "acknowledged"), "answer", decisive=True)
    return CommitLife(
        row,
        _word(facts, "writer", row),
        int(commits["lsn"][row]),
        level,
        OUTCOMES[commits["outcome"][row]],
        (CLIENT, *record.scenario.nodes),
        tuple(sorted(happened.values(), key=lambda each: each.time)),
        tuple(messages),
        parts,
        decider,
    )


Happened = dict[tuple[str, str], Moment]


def _on_standby(facts: Facts, name: str, lsn: int) -> Iterator[Moment]:
    record = facts.record
    upstream = record.scenario.upstream(name)
    times = {what: int(record.position(name, what).crossing(lsn)) for what in ("sent", *STAGES)}
    for what, time in times.items():
        if time < NEVER:
            yield Moment(upstream, time, f"sent to {name}") if what == "sent" else Moment(name, time, what)
    for what in ("write", "flush", "apply"):
        time = int(record.position(name, f"reported_{what}").crossing(lsn))
        if time < NEVER:
            yield Moment(upstream, time, f"{name} reported {what}")


def _wal(facts: Facts, happened: Happened, name: str, *, decisive: bool) -> list[Message]:
    upstream = facts.record.scenario.upstream(name)
    return _between(happened, (upstream, f"sent to {name}"), (name, "receive"), "WAL", decisive=decisive)


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
