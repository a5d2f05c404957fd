"""What every read saw, and what it should have seen: computed after the run, from positions.

A read is issued at a time, arrives at its node after the network's way out, looks at that moment, and is
answered after the way back.  What it *should* have seen is every commit that had been acknowledged to its
client when the read was issued: from then on, somebody could know of it.
"""

from __future__ import annotations

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
from replsim.scenario.clients import Reader, Session
from replsim.scenario.topology import client_network
from replsim.units import NEVER

__all__ = ["facts_reads", "reads"]

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """Reads of one reader or session group, in order of their issue: when, where and at which row."""

    issued: Ints
    arrived: Ints
    answered: Ints
    node: Ints
    user: Ints | None
    key: Ints | None


def reads(record: Record) -> Table:
    """One row a read of open-loop readers and of sessions, in order of issue, over the whole run.

    ============ =====================================================================================
    time         when it was issued (nanoseconds), within the run
    arrived      when it reached its node, and looked
    answered     when its client had the answer
    reader       code of the reader or session group (``words["reader"]``)
    session      the session's user, -1 for a reader's
    node         code of the node that it went to (``words["node"]``)
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


def _reads(facts: Facts) -> Table:
    scenario = facts.record.scenario
    streams = Streams(facts.record.seed)
    acknowledged = Acknowledged(facts)
    rows = Rows(facts.column("key").astype(np.int64), acknowledged, facts.acknowledged)
    groups = [_of_reader(facts, streams, name, reader) for name, reader in scenario.readers.items()]
    groups += [_of_session(facts, streams, name, session) for name, session in scenario.sessions.items()]
    names = (*scenario.readers, *scenario.sessions)
    parts = []
    for code, (name, looks) in enumerate(zip(names, groups, strict=True)):
        part = _judged(facts, acknowledged, rows, looks)
        part["reader"] = _constant(np.int16(code), len(looks.issued))
        if looks.user is not None:
            part["kept"] = _kept(facts, acknowledged, name, looks, part.pop("seen"))
        else:
            del part["seen"]
        parts.append(part)
    return _table(parts, names, scenario.nodes)


def _of_reader(facts: Facts, streams: Streams, name: str, reader: Reader) -> Looks:
    scenario = facts.record.scenario
    issued = arrivals(streams, f"reader:{name}:arrivals", reader, scenario.duration)
    nodes = reader.route.nodes(scenario.primary.name, tuple(scenario.standbys))
    networks = [client_network(scenario, reader, node) for node in nodes]
    trip = Trips(streams, f"reader:{name}", reader.route, networks).block(len(issued))
    key = None
    if reader.keys is not None:
        key = KeyDraws(streams.uniforms(f"reader:{name}:keys"), reader.keys).block(len(issued))
    arrived = issued + trip.out
    return Looks(issued, arrived, arrived + trip.back, _codes(scenario.nodes, nodes)[trip.node], None, key)


def _of_session(facts: Facts, streams: Streams, name: str, session: Session) -> Looks:
    scenario, commits = facts.record.scenario, facts.record.commits
    mine = np.flatnonzero(facts.of_writer(name))
    user = commits["client"][mine].astype(np.int64)
    # The nth write of its user, in the order of submission: it chooses the draws of its reads.
    order = np.lexsort((commits["submitted"][mine], user))
    mine, user = mine[order], user[order]
    firsts = np.flatnonzero(np.diff(user, prepend=-1))
    nth = np.arange(len(mine)) - np.repeat(firsts, np.diff(np.append(firsts, len(mine))))

    nodes = session.route.nodes(scenario.primary.name, tuple(scenario.standbys))
    networks = [client_network(scenario, session, node) for node in nodes]
    draws = SessionDraws(streams, name, session, networks).block(int(nth.max(initial=-1)) + 1)
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
    node = _codes(scenario.nodes, nodes)[place[followed][within]]
    users = np.repeat(user[followed], count)
    keys = np.repeat(commits["key"][mine][followed].astype(np.int64), count)
    return Looks(time[order], arrived[within][order], answered[within][order], node[order], users[order], keys[order])


def _judged(facts: Facts, acknowledged: Acknowledged, rows: Rows, looks: Looks) -> dict[str, NDArray[Any]]:
    """The columns of one group's reads; ``seen`` is one more than the newest commit that each saw."""
    count = len(looks.issued)
    told = acknowledged.by(looks.issued)
    should = acknowledged.newest(told)
    seen = np.zeros(count, dtype=np.int64)
    ahead = np.zeros(count, dtype=bool)
    for code, node in enumerate(facts.record.scenario.nodes):
        here = np.flatnonzero(looks.node == code)
        if not len(here):
            continue
        # A group that reads from one node is judged in place.
        chosen: slice | Ints = slice(None) if len(here) == count else here
        moments = looks.arrived[chosen]
        if node == facts.record.scenario.primary.name:
            seen[chosen] = newest_visible(facts, moments)
            ahead[chosen] = ahead_on_primary(facts, acknowledged, moments)
        else:
            seen[chosen] = count_by(facts.reached(node, "apply"), moments)
            ahead[chosen] = ahead_on_standby(acknowledged, seen[chosen], moments)
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
        "ahead": ahead,
        "kept": _constant(np.True_, count),
        "seen": seen,
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


def _kept(facts: Facts, acknowledged: Acknowledged, name: str, looks: Looks, seen: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether each read of a session saw its user's newest write that had been acknowledged (read your writes)."""
    assert looks.user is not None
    mine = facts.of_writer(name)[: facts.count]
    writes = Rows(np.where(mine, facts.column("client"), -1), acknowledged, facts.acknowledged)
    return np.asarray(writes.newest(looks.user, acknowledged.by(looks.issued)) <= seen)


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
