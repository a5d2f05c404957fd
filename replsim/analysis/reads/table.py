"""The table of reads: one row a read, with its judgement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from replsim.analysis.facts import Facts
from replsim.analysis.reads.capacity import Capacities, follow
from replsim.analysis.reads.groups import Readers
from replsim.analysis.reads.judge import Column, Judge
from replsim.analysis.reads.recorded import Recorded
from replsim.analysis.reads.users import Users
from replsim.analysis.reads.views import Views
from replsim.analysis.weighted import Sample
from replsim.kernels.places import grouped
from replsim.record import Record, Table
from replsim.rules.promises import Promise
from replsim.units import NEVER

__all__ = ["Chosen", "chosen", "facts_reads", "reads"]

Ints = NDArray[np.int64]


def reads(record: Record) -> Table:
    """One row a read of open-loop readers and of sessions, in order of issue, over the whole run.

    ============ =====================================================================================
    time         when it was issued (nanoseconds), within the run
    arrived      when it reached the node that it read from
    looked       when it looked there: at its arrival, after its wait, when its turn came; the run's end for one that
                 still waits then
    answered     when its client had the answer (of a quorum: all the answers that it waits for); `NEVER` where it
                 still waits at the run's end
    reader       code of the reader or session group (``words["reader"]``)
    session      the session's user, -1 for a reader's
    node         code of the node that it read from (``words["node"]``); of a quorum, whose answer it took
    tries        nodes that it came to: one, and one more each time that it was sent on
    waited       nanoseconds that it waited for a standby to replay up to its token
    queued       nanoseconds that it waited for its turn at the node, after that
    served       nanoseconds that it was served there, after its look
    timed_out    it waited for as long as it may
    diverted     it went to the primary, and not because its route's policy chose that
    key          the row that it read, -1 for none in particular
    saw          where the newest commit that it saw ends (bytes), 0 for none
    should       where the newest commit ends that had been acknowledged when it was issued, 0 for none
    versions     commits in the log after the newest that it saw, up to that one
    age          nanoseconds from the acknowledgement of the first commit that it missed to its issue, 0 if fresh
    key_should   as ``should``, of the commits to its own row
    key_versions as ``versions``, of the commits to its own row
    key_age      as ``age``, of the commits to its own row
    ahead        it saw a commit that had not been acknowledged to its client when it looked
    own          its user's newest acknowledged write was seen; true for readers, who write nothing
    back         it saw less of the log than an earlier read of its user, answered when it was issued
    kept         what its group promises was kept; true where nothing is promised
    ============ =====================================================================================
    """
    return facts_reads(Facts(record))


def facts_reads(facts: Facts) -> Table:
    """`reads`, sharing what other metrics have derived."""
    return facts.once(_reads)


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """Some rows of the table of reads."""

    table: Table
    rows: slice | Ints

    def __call__(self, name: str) -> NDArray[Any]:
        """A column of theirs."""
        return self.table[name][self.rows]

    def sample(self, column: Ints, per: int = 1) -> Sample:
        """What ``column``, of all reads, has of theirs."""
        return Sample(column[self.rows], per) if isinstance(self.rows, slice) else Sample(column, per, self.rows)


def chosen(facts: Facts, entity: str | None) -> Chosen:
    """The reads issued within the window: all, or a reader's or session group's, or a node's.  Those that still wait at
    the run's end do not count."""
    return Chosen(facts_reads(facts), facts.once(_rows, entity))


def _rows(facts: Facts, entity: str | None) -> slice | Ints:
    table, (window, done) = facts_reads(facts), facts.once(_window)
    if entity is None:
        return window if done is None else np.flatnonzero(done) + window.start
    column = "reader" if entity in table.words["reader"] else "node"
    own: Ints = facts.once(_by, column)[table.words[column].index(entity)]
    own = own[slice(*np.searchsorted(own, (window.start, window.stop)).tolist())]
    if done is not None:
        own = own[done[own - window.start]]
    return window if len(own) == window.stop - window.start else own


def _window(facts: Facts) -> tuple[slice, NDArray[np.bool_] | None]:
    """The reads issued within the window, which are neighbours, and which of them are answered; None for all."""
    table = facts_reads(facts)
    window = slice(*np.searchsorted(table["time"], facts.window).tolist())
    done = table["answered"][window] < NEVER
    return window, None if done.all() else done


def _by(facts: Facts, column: str) -> list[Ints]:
    """The rows of each reader, or of each node."""
    table = facts_reads(facts)
    return grouped(table[column], len(table.words[column]))


def _reads(facts: Facts) -> Table:
    scenario = facts.record.scenario
    streams, views = facts.streams(), Views(facts)
    judge = Judge(views)
    recorded = facts.record.reads
    groups: list[Readers | Users | Recorded] = [
        Readers(views, streams, name, each) for name, each in scenario.readers.items()
    ]
    groups += [
        Recorded(views, name) if name in recorded else Users(views, streams, name, session)
        for name, session in scenario.sessions.items()
    ]
    flows = follow(groups, Capacities(scenario, streams, groups))
    promises: list[tuple[str, Promise]] = [*scenario.readers.items(), *scenario.sessions.items()]
    parts = []
    for code, ((name, promise), group, flow) in enumerate(zip(promises, groups, flows, strict=True)):
        looks = group.looks(*flow)
        part = judge.columns(name, promise, looks)
        part["reader"] = np.broadcast_to(np.int16(code), len(looks.issued))
        parts.append(part)
    return _table(parts, tuple(name for name, _ in promises), scenario.nodes)


ORDER: Final = {
    **dict.fromkeys(("time", "arrived", "looked", "answered"), np.int64),
    "reader": np.int16,
    "session": np.int64,
    "node": np.int16,
    "key": np.int64,
    **dict.fromkeys(("tries", "waited", "queued", "served"), np.int64),
    **dict.fromkeys(("timed_out", "diverted"), np.bool_),
    **dict.fromkeys(("saw", "should", "versions", "age", "key_should", "key_versions", "key_age"), np.int64),
    **dict.fromkeys(("ahead", "own", "back", "kept"), np.bool_),
}
"""The columns, in order, and what they hold."""


def _table(parts: list[dict[str, Column]], names: tuple[str, ...], nodes: tuple[str, ...]) -> Table:
    parts = parts or [{name: np.empty(0, dtype=kind) for name, kind in ORDER.items()}]
    columns = {name: parts[0][name] if len(parts) == 1 else _joined([part[name] for part in parts]) for name in ORDER}
    table = Table(columns, times=("time", "arrived", "looked", "answered"), words={"reader": names, "node": nodes})
    # A stable sort: reads issued at one time stay in the order of their readers.
    return table if len(parts) == 1 else table.where(np.argsort(table["time"], kind="stable"))


def _joined(columns: list[Column]) -> NDArray[Any]:
    return np.concatenate([each if isinstance(each, np.ndarray) else each() for each in columns])
