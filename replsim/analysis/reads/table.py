"""The table of reads: one row a read, with its judgement."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from replsim.analysis.facts import Facts
from replsim.analysis.reads.capacity import Capacities, follow
from replsim.analysis.reads.groups import Readers
from replsim.analysis.reads.judge import Judge
from replsim.analysis.reads.users import Users
from replsim.analysis.reads.views import Views
from replsim.record import Record, Table
from replsim.rules.promises import Promise
from replsim.units import NEVER

__all__ = ["chosen", "facts_reads", "reads"]


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


def chosen(facts: Facts, entity: str | None) -> Callable[[str], NDArray[Any]]:
    """The columns of the reads issued within the window: all, or a reader's or session group's, or a node's.
    Those that still wait at the run's end do not count."""
    table, rows = facts_reads(facts), facts.once(_rows, entity)
    return lambda name: table[name][rows]


def _rows(facts: Facts, entity: str | None) -> slice | NDArray[np.intp]:
    table = facts_reads(facts)
    # Reads are in order of issue, so those of the window need no copy.
    window = slice(*np.searchsorted(table["time"], facts.window).tolist())
    done = table["answered"][window] < NEVER
    if entity is None:
        return window if done.all() else np.flatnonzero(done) + window.start
    column = "reader" if entity in table.words["reader"] else "node"
    own = np.flatnonzero(done & (table[column][window] == table.words[column].index(entity))) + window.start
    return window if len(own) == window.stop - window.start else own


def _reads(facts: Facts) -> Table:
    scenario = facts.record.scenario
    streams, views = facts.streams(), Views(facts)
    judge = Judge(views)
    groups: list[Readers | Users] = [Readers(views, streams, name, each) for name, each in scenario.readers.items()]
    groups += [Users(views, streams, name, session) for name, session in scenario.sessions.items()]
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


def _table(parts: list[dict[str, NDArray[Any]]], names: tuple[str, ...], nodes: tuple[str, ...]) -> Table:
    parts = parts or [{name: np.empty(0, dtype=kind) for name, kind in ORDER.items()}]
    columns = {
        name: np.concatenate([part[name] for part in parts]) if len(parts) > 1 else parts[0][name] for name in ORDER
    }
    table = Table(columns, times=("time", "arrived", "looked", "answered"), words={"reader": names, "node": nodes})
    # A stable sort: reads issued at one time stay in the order of their readers.
    return table if len(parts) == 1 else table.where(np.argsort(columns["time"], kind="stable"))
