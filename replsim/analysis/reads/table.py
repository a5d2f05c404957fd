"""What every read saw, and what it should have seen: computed after the run, from positions.

A read is issued at a time, arrives at its node after the network's way out, looks at that moment, and is
answered after the way back.  What it *should* have seen is every commit that had been acknowledged to its
client when the read was issued: from then on, somebody could know of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from replsim.analysis.facts import Facts
from replsim.analysis.sightings import (
    Acknowledged,
    Rows,
    ahead_on_primary,
    ahead_on_standby,
    count_by,
    newest_visible,
)
from replsim.randomness import Streams
from replsim.randomness.arrivals import arrivals
from replsim.randomness.keys import KeyDraws
from replsim.randomness.trips import SessionDraws, Trips
from replsim.record import ACKNOWLEDGED, Record, Table
from replsim.rules.quorum import newest_of_first
from replsim.scenario.clients import Reader, Session
from replsim.scenario.topology import client_ways
from replsim.units import NEVER

__all__ = ["chosen", "facts_reads", "reads"]

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """Reads of one reader or session group, in order of their issue: when, where, at which row, and what they saw."""

    issued: Ints
    arrived: Ints
    answered: Ints
    node: Ints
    user: Ints | None
    key: Ints | None
    seen: Ints
    """One more than the newest commit that each saw; 0 for none."""
    ahead: NDArray[np.bool_]


def reads(record: Record) -> Table:
    """One row a read of open-loop readers and of sessions, in order of issue, over the whole run.

    ============ =====================================================================================
    time         when it was issued (nanoseconds), within the run
    arrived      when it reached its node, and looked
    answered     when its client had the answer (of a quorum: all the answers that it waits for)
    reader       code of the reader or session group (``words["reader"]``)
    session      the session's user, -1 for a reader's
    node         code of the node that it went to (``words["node"]``); of a quorum, whose answer it took
    key          the row that it read, -1 for none in particular
    saw          where the newest commit that it saw ends (bytes), 0 for none
    should       where the newest commit ends that had been acknowledged when it was issued, 0 for none
    versions     commits in the log after the newest that it saw, up to that one
    age          nanoseconds from the acknowledgement of the first commit that it missed to its issue, 0 if fresh
    key_should   as ``should``, of the commits to its own row
    key_versions as ``versions``, of the commits to its own row
    key_age      as ``age``, of the commits to its own row
    ahead        it saw a commit that had not been acknowledged to its client when it looked
    kept         its user's newest acknowledged write was seen; true for readers, who write nothing
    ============ =====================================================================================
    """
    return facts_reads(Facts(record))


def facts_reads(facts: Facts) -> Table:
    """`reads`, sharing what other metrics have derived."""
    return facts.once(_reads)


def chosen(facts: Facts, entity: str | None) -> Callable[[str], NDArray[Any]]:
    """The columns of the reads issued within the window: all, or a reader's or session group's, or a node's."""
    table, rows = facts_reads(facts), facts.once(_rows, entity)
    return lambda name: table[name][rows]


def _rows(facts: Facts, entity: str | None) -> slice | NDArray[np.intp]:
    table = facts_reads(facts)
    # Reads are in order of issue, so those of the window need no copy.
    window = slice(*np.searchsorted(table["time"], facts.window).tolist())
    if entity is None:
        return window
    column = "reader" if entity in table.words["reader"] else "node"
    own = np.flatnonzero(table[column][window] == table.words[column].index(entity)) + window.start
    return window if len(own) == window.stop - window.start else own


def _reads(facts: Facts) -> Table:
    scenario = facts.record.scenario
    streams = Streams(facts.record.seed)
    acknowledged = Acknowledged(facts)
    rows = Rows(facts.column("key").astype(np.int64), acknowledged, facts.acknowledged)
    groups = [_of_reader(facts, acknowledged, streams, name, reader) for name, reader in scenario.readers.items()]
    groups += [_of_session(facts, acknowledged, streams, name, each) for name, each in scenario.sessions.items()]
    names = (*scenario.readers, *scenario.sessions)
    parts = []
    for code, (name, looks) in enumerate(zip(names, groups, strict=True)):
        part = _judged(facts, acknowledged, rows, looks)
        part["reader"] = _constant(np.int16(code), len(looks.issued))
        if looks.user is not None:
            part["kept"] = _kept(facts, acknowledged, name, looks)
        parts.append(part)
    return _table(parts, names, scenario.nodes)


def _of_reader(facts: Facts, acknowledged: Acknowledged, streams: Streams, name: str, reader: Reader) -> Looks:
    scenario = facts.record.scenario
    issued = arrivals(streams, f"reader:{name}:arrivals", reader, scenario.duration)
    nodes = reader.route.nodes(scenario.primary.name, tuple(scenario.standbys))
    codes = _codes(scenario.nodes, nodes)
    ways = [client_ways(scenario, reader, node) for node in nodes]
    key = None
    if reader.keys is not None:
        key = KeyDraws(streams.uniforms(f"reader:{name}:keys"), reader.keys).block(len(issued))
    if reader.route.quorum is None:
        trip = Trips(streams, f"reader:{name}", reader.route, ways).block(len(issued))
        node, arrived = codes[trip.node], issued + trip.out
        return Looks(
            issued, arrived, arrived + trip.back, node, None, key, *_looked(facts, acknowledged, node, arrived)
        )

    places: list[tuple[Ints, Ints, Ints, NDArray[np.bool_]]] = []
    for code, to, way in zip(codes, nodes, ways, strict=True):
        asked = issued + streams.draws(f"reader:{name}:network:{to}", way.out).block(len(issued))
        back = asked + streams.draws(f"reader:{name}:network_back:{to}", way.back).block(len(issued))
        places.append((asked, back, *_looked(facts, acknowledged, _constant(code, len(issued)), asked)))
    arrived, answered, seen, ahead = (np.stack(each) for each in zip(*places, strict=True))
    taken, done = newest_of_first(reader.route.quorum, answered, seen)
    mine = (taken, np.arange(len(issued)))
    return Looks(issued, arrived[mine], done, codes[taken], None, key, seen[mine], ahead[mine])


def _of_session(facts: Facts, acknowledged: Acknowledged, streams: Streams, name: str, session: Session) -> Looks:
    scenario, commits = facts.record.scenario, facts.record.commits
    mine = np.flatnonzero(facts.of_writer(name))
    user = commits["client"][mine].astype(np.int64)
    # The nth write of its user, in the order of submission: it chooses the draws of its reads.
    order = np.lexsort((commits["submitted"][mine], user))
    mine, user = mine[order], user[order]
    firsts = np.flatnonzero(np.diff(user, prepend=-1))
    nth = np.arange(len(mine)) - np.repeat(firsts, np.diff(np.append(firsts, len(mine))))

    nodes = session.route.nodes(scenario.primary.name, tuple(scenario.standbys))
    ways = [client_ways(scenario, session, node) for node in nodes]
    draws = SessionDraws(streams, name, session, ways).block(int(nth.max(initial=-1)) + 1)
    after, place, out, back = (column[nth, user] for column in draws)
    told = np.where(commits["outcome"][mine] == ACKNOWLEDGED, commits["acknowledged"][mine], NEVER)
    followed = told < scenario.duration
    answered = told[followed, None] + np.cumsum((after + out + back)[followed], axis=1)
    arrived = answered - back[followed]
    issued = arrived - out[followed]

    within = issued < scenario.duration
    count = within.sum(axis=1)
    time = issued[within]
    order = np.argsort(time, kind="stable")
    node = _codes(scenario.nodes, nodes)[place[followed][within]][order]
    arrived = arrived[within][order]
    users = np.repeat(user[followed], count)
    keys = np.repeat(commits["key"][mine][followed].astype(np.int64), count)
    seen, ahead = _looked(facts, acknowledged, node, arrived)
    return Looks(time[order], arrived, answered[within][order], node, users[order], keys[order], seen, ahead)


def _looked(facts: Facts, acknowledged: Acknowledged, node: Ints, arrived: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    """What looks at nodes (by code) at moments see: one more than the newest commit, and whether any was ahead."""
    count = len(node)
    seen = np.zeros(count, dtype=np.int64)
    ahead = np.zeros(count, dtype=bool)
    for code, name in enumerate(facts.record.scenario.nodes):
        here = np.flatnonzero(node == code)
        if not len(here):
            continue
        # A group that reads from one node is judged in place.
        chosen: slice | Ints = slice(None) if len(here) == count else here
        moments = arrived[chosen]
        if name == facts.record.scenario.primary.name:
            seen[chosen] = newest_visible(facts, moments)
            ahead[chosen] = ahead_on_primary(facts, acknowledged, moments)
        else:
            seen[chosen] = count_by(facts.reached(name, "apply"), moments)
            ahead[chosen] = ahead_on_standby(acknowledged, seen[chosen], moments)
    return seen, ahead


def _judged(facts: Facts, acknowledged: Acknowledged, rows: Rows, looks: Looks) -> dict[str, NDArray[Any]]:
    """The columns of one group's reads."""
    count, seen = len(looks.issued), looks.seen
    told = acknowledged.by(looks.issued)
    should = acknowledged.newest(told)
    ends = np.concatenate([[0], facts.column("lsn")])
    first = acknowledged.first_after(seen)
    columns = {
        "time": looks.issued,
        "arrived": looks.arrived,
        "answered": looks.answered,
        "session": _constant(np.int64(-1), count) if looks.user is None else looks.user,
        "node": looks.node.astype(np.int16),
        "key": _constant(np.int64(-1), count) if looks.key is None else looks.key,
        "saw": ends[seen],
        "should": ends[should],
        "versions": np.maximum(should - seen, 0),
        "age": np.maximum(looks.issued - first, 0),
        "ahead": looks.ahead,
        "kept": _constant(np.True_, count),
    }
    if looks.key is None:
        zeros = _constant(np.int64(0), count)
        return columns | {"key_should": zeros, "key_versions": zeros, "key_age": zeros}
    own = rows.missed(looks.key, seen, told)
    return columns | {
        "key_should": ends[own.newest],
        "key_versions": own.versions,
        "key_age": np.maximum(looks.issued - own.since, 0),
    }


def _kept(facts: Facts, acknowledged: Acknowledged, name: str, looks: Looks) -> NDArray[np.bool_]:
    """Whether each read of a session saw its user's newest write that had been acknowledged (read your writes)."""
    assert looks.user is not None
    mine = facts.of_writer(name)[: facts.count]
    writes = Rows(np.where(mine, facts.column("client"), -1), acknowledged, facts.acknowledged)
    return np.asarray(writes.newest(looks.user, acknowledged.by(looks.issued)) <= looks.seen)


def _constant(value: np.generic, count: int) -> NDArray[Any]:
    """A column of one value, which takes no memory."""
    return np.broadcast_to(value, count)


def _codes(nodes: tuple[str, ...], chosen: tuple[str, ...]) -> Ints:
    return np.array([nodes.index(node) for node in chosen], dtype=np.int64)


ORDER: Final = ("time", "arrived", "answered", "reader", "session", "node", "key", "saw", "should", "versions", "age",
         "key_should", "key_versions", "key_age", "ahead", "kept")  # fmt: skip


def _table(parts: list[dict[str, NDArray[Any]]], names: tuple[str, ...], nodes: tuple[str, ...]) -> Table:
    flags = {"ahead": np.bool_, "kept": np.bool_, "reader": np.int16, "node": np.int16}
    empty: dict[str, NDArray[Any]] = {name: np.empty(0, dtype=flags.get(name, np.int64)) for name in ORDER}
    parts = parts or [empty]
    columns = {
        name: np.concatenate([part[name] for part in parts]) if len(parts) > 1 else parts[0][name] for name in ORDER
    }
    table = Table(
        {name: columns[name] for name in ORDER},
        times=("time", "arrived", "answered"),
        words={"reader": names, "node": nodes},
    )
    # A stable sort: reads issued at one time stay in the order of their readers.
    return table if len(parts) == 1 else table.where(np.argsort(columns["time"], kind="stable"))
