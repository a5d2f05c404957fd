"""The reads of one reader or of one session group: when they are issued, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from replsim.analysis.reads.users import Users
from replsim.analysis.reads.views import Views
from replsim.analysis.reads.walk import FIELDS, Router, Walk
from replsim.randomness import Streams
from replsim.randomness.arrivals import arrivals
from replsim.randomness.keys import KeyDraws
from replsim.randomness.trips import Trips
from replsim.rules.quorum import newest_of_first
from replsim.scenario.clients import Reader, Session

__all__ = ["Looks", "of_reader", "of_session"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """Reads of one reader or session group, in order of their issue: when, how, at which row, and what they saw."""

    issued: Ints
    walk: Walk
    user: Ints | None
    key: Ints | None
    seen: Ints
    """One more than the newest commit that each saw; 0 for none."""
    ahead: Bools


def of_reader(views: Views, streams: Streams, name: str, reader: Reader) -> Looks:
    """The reads of open-loop readers."""
    scenario = views.facts.record.scenario
    issued = arrivals(streams, f"reader:{name}:arrivals", reader, scenario.duration)
    count = len(issued)
    router = Router(scenario, reader, views)
    key = None
    if reader.keys is not None:
        key = KeyDraws(streams.uniforms(f"reader:{name}:keys"), reader.keys).block(count)
    if reader.route.quorum is not None:
        return _of_quorum(views, streams, name, router, issued, key)
    luck = Trips(streams, f"reader:{name}", router.ways, attempts=router.attempts).block(count)
    place = router.choose(issued, np.arange(count), luck.route)
    token = None
    if reader.bound is not None:
        acknowledged = views.acknowledged
        token = acknowledged.newest(acknowledged.by(issued - reader.bound))
    walk = router.walk(luck, slice(None), issued, place, token)
    return Looks(issued, walk, None, key, *views.looked(walk.node, walk.looked))


def _of_quorum(views: Views, streams: Streams, name: str, router: Router, issued: Ints, key: Ints | None) -> Looks:
    """Reads that ask every node of their route, each over ways of its own."""
    count = len(issued)
    quorum = router.route.quorum
    assert quorum is not None
    places: list[tuple[Ints, Ints, Ints, Bools]] = []
    for code, to, way in zip(router.codes, router.nodes, router.ways, strict=True):
        asked = issued + streams.draws(f"reader:{name}:network:{to}", way.out).block(count)
        back = asked + streams.draws(f"reader:{name}:network_back:{to}", way.back).block(count)
        places.append((asked, back, *views.looked(np.broadcast_to(code, count), asked)))
    arrived, answered, seen, ahead = (np.stack(each) for each in zip(*places, strict=True))
    taken, done = newest_of_first(quorum, answered, seen)
    mine = (taken, np.arange(count))
    looked = arrived[mine]
    walk = Walk.plain(router.codes[taken], looked, done)
    return Looks(issued, walk, None, key, seen[mine], ahead[mine])


def of_session(views: Views, streams: Streams, name: str, session: Session) -> Looks:
    """The reads of a session group's users."""
    users = Users(views, streams, name, session)
    flow = users.follow()
    scenario, key = views.facts.record.scenario, views.facts.record.commits["key"]
    within = np.flatnonzero(flow.issued < scenario.duration)
    # In order of issue; those of one moment in the order of their rounds.
    within = within[np.argsort(flow.issued.ravel()[within], kind="stable")]
    rounds = users.rounds.where(within // session.reads)
    walk = Walk(*(getattr(flow.walk, each).ravel()[within] for each in FIELDS))
    seen, ahead = views.looked(walk.node, walk.looked)
    return Looks(flow.issued.ravel()[within], walk, rounds.user, key[rounds.row].astype(np.int64), seen, ahead)
