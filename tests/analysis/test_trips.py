"""Where reads go and how long their ways take: the draws that an engine and the analysis share."""

from __future__ import annotations

import numpy as np

from replsim.randomness import DurationDistribution, Streams
from replsim.randomness.trips import SessionDraws, Trips, Ways
from replsim.rules.routing import Route
from replsim.scenario.clients import Session

MILLISECOND = DurationDistribution.model_validate("1ms")
SLOW = DurationDistribution.model_validate({"exponential": {"mean": "10ms"}})
NEAR, FAR = Ways(MILLISECOND, MILLISECOND), Ways(SLOW, SLOW)


def test_pause_is_the_sum_of_the_blocks() -> None:
    """The pause after a user's n-th write is what its reads take, whoever asks and in whatever order."""
    session = Session.model_validate(
        {"count": 3, "reads": 2, "read_after": {"uniform": {"low": "1ms", "high": "9ms"}}, "route": "random"}
    )
    block = SessionDraws(Streams(7), "user", session, [NEAR, FAR]).block(500)
    assert block.node.shape == (500, 3, 2)
    asked = SessionDraws(Streams(7), "user", session, [NEAR, FAR])
    for nth, user in [(0, 2), (499, 1), (3, 0), (120, 2)]:
        total = sum(int(part[nth, user].sum()) for part in (block.after, block.out, block.back))
        assert asked.pause(user, nth) == total


def test_network_of_the_chosen_node() -> None:
    """Each read pays the way to its own node, with one uniform a read whichever node that is."""
    trips = Trips(Streams(1), "reader:web", Route(policy="round_robin"), [NEAR, FAR])
    trip = trips.block(10_000)
    assert trip.node.tolist() == [0, 1] * 5000
    assert set(trip.out[::2].tolist()) == {1_000_000}
    away = trip.out[1::2]
    assert abs(away.mean() - 1e7) < 4 * 1e7 / np.sqrt(5000)
    only = Trips(Streams(1), "reader:web", Route(policy="node", node="far"), [FAR]).block(10_000)
    assert np.array_equal(only.out[1::2], away)
    assert not np.array_equal(trip.out[1::2], trip.back[1::2])


def test_blocks_of_any_size_are_one_sequence() -> None:
    """Cutting the sequence into blocks changes no draw, and the round robin goes on across them."""
    route = Route(policy="round_robin")
    whole = Trips(Streams(1), "reader:web", route, [NEAR, FAR, FAR]).block(101)
    cut = Trips(Streams(1), "reader:web", route, [NEAR, FAR, FAR])
    first, second = cut.block(40), cut.block(61)
    for a, b, c in zip(whole, first, second, strict=True):
        assert np.array_equal(a, np.concatenate([b, c]))


def test_the_way_back_may_differ() -> None:
    """A reply takes its own distribution, from the same stream as if it were the request's."""
    route = Route(policy="node", node="s1")
    same = Trips(Streams(1), "reader:web", route, [FAR]).block(100)
    other = Trips(Streams(1), "reader:web", route, [Ways(MILLISECOND, SLOW)]).block(100)
    assert set(other.out.tolist()) == {1_000_000}
    assert np.array_equal(other.back, same.back)
