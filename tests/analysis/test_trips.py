"""The luck of reads: the draws that an engine and the analysis share."""

from __future__ import annotations

import numpy as np

from replsim.engines.events.pauses import Pauses
from replsim.randomness import DurationDistribution, Streams
from replsim.randomness.trips import SessionLuck, Trips, Ways
from replsim.scenario.topology import client_ways
from tests.analysis.records import make_scenario

MILLISECOND = DurationDistribution.model_validate("1ms")
SLOW = DurationDistribution.model_validate({"exponential": {"mean": "10ms"}})
NEAR, FAR = Ways(MILLISECOND, MILLISECOND), Ways(SLOW, SLOW)
ALL = slice(None)


def test_a_pause_is_the_sum_of_its_reads() -> None:
    """The pause after a user's n-th write is what its reads take, whoever asks and in whatever order."""
    law = {
        "count": 3,
        "think": "1ns",
        "reads": 2,
        "read_after": {"uniform": {"low": "1ms", "high": "9ms"}},
        "network": {"exponential": {"mean": "10ms"}},
        "route": "random",
    }
    scenario = make_scenario(sessions={"user": law})
    session = scenario.sessions["user"]
    ways = [client_ways(scenario, session, node) for node in ("s1", "s2")]
    after, luck = SessionLuck(Streams(7), "user", session, ways).block(500)
    place = (luck.route * 2).astype(int)
    whole = (after + luck.way(luck.out[0], ALL, place) + luck.way(luck.back[0], ALL, place)).reshape(500, 3, 2)
    asked = Pauses(scenario, Streams(7), "user", session)
    for nth, user in [(0, 2), (499, 1), (3, 0), (120, 2)]:
        assert asked.pause(user, nth) == whole[nth, user].sum()


def test_the_way_to_the_chosen_node() -> None:
    """Each read pays the way to its own node, with one uniform a read whichever node that is."""
    luck = Trips(Streams(1), "reader:web", [NEAR, FAR]).block(10_000)
    place = np.arange(10_000) % 2
    out = luck.way(luck.out[0], ALL, place)
    assert set(out[::2].tolist()) == {1_000_000}
    away = out[1::2]
    assert abs(away.mean() - 1e7) < 4 * 1e7 / np.sqrt(5000)
    assert np.array_equal(luck.way(luck.out[0], np.arange(1, 10_000, 2), place[1::2]), away)
    only = Trips(Streams(1), "reader:web", [FAR]).block(10_000)
    assert np.array_equal(only.out[0][0][1::2], away)
    assert not np.array_equal(only.out[0][0], only.back[0][0])


def test_the_way_back_may_differ() -> None:
    """A reply takes its own distribution, from the same stream as if it were the request's."""
    same = Trips(Streams(1), "reader:web", [FAR]).block(100)
    other = Trips(Streams(1), "reader:web", [Ways(MILLISECOND, SLOW)]).block(100)
    assert set(other.out[0][0].tolist()) == {1_000_000}
    assert np.array_equal(other.back[0][0], same.back[0][0])


def test_a_second_way_leaves_the_first_alone() -> None:
    """A read that may be sent on draws its second way from streams of its own."""
    one = Trips(Streams(1), "reader:web", [FAR, FAR]).block(100)
    two = Trips(Streams(1), "reader:web", [FAR, FAR], attempts=2).block(100)
    assert np.array_equal(one.out[0][0], two.out[0][0])
    assert np.array_equal(one.route, two.route)
    assert not np.array_equal(two.out[0][0], two.out[1][0])


def test_blocks_of_any_size_are_one_sequence() -> None:
    """Cutting the sequence into blocks changes no draw."""
    whole = Trips(Streams(1), "reader:web", [NEAR, FAR, NEAR]).block(101)
    cut = Trips(Streams(1), "reader:web", [NEAR, FAR, NEAR])
    first, second = cut.block(40), cut.block(61)
    assert (first.first, second.first) == (0, 40)
    assert np.array_equal(whole.route, np.concatenate([first.route, second.route]))
    for place in range(3):
        assert np.array_equal(whole.out[0][place], np.concatenate([first.out[0][place], second.out[0][place]]))
