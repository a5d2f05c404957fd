"""When faults are on."""

from __future__ import annotations

import numpy as np

import replsim
from replsim.randomness import Streams
from replsim.scenario.windows import windows
from replsim.units import NEVER, SECOND

TEXT = """
name: bad-day
duration: 100000s
standbys: {s1: {}}
links: {p -> s1: {latency: 1ms}}
writers: {app: {rate: 5/s}}
faults:
"""
DRAWN = "  - {every: {exponential: 50s}, for: {uniform: {low: 1s, high: 3s}}, pause: s1}\n"


def found(faults: str, seed: int = 1) -> list[tuple[int, int, str]]:
    """The windows of some faults."""
    return [(each.start, each.end, str(each.fault)) for each in windows(replsim.loads(TEXT + faults), Streams(seed))]


def test_scheduled_faults_come_in_the_order_of_time() -> None:
    """A scheduled fault begins at its moment; without an end it stays, and a cancel takes no time at all."""
    assert found("  - {at: 9s, crash: s1}\n  - {at: 5s, for: 2s, cut: p -> s1}\n  - {at: 9s, cancel: app}\n") == [
        (5 * SECOND, 7 * SECOND, "cut p -> s1"),
        (9 * SECOND, NEVER, "crash s1"),
        (9 * SECOND, 9 * SECOND, "cancel app"),
    ]


def test_drawn_faults_come_again_as_often_as_their_law_says() -> None:
    """Gaps count from the end of the last time: a mean gap of 50 s and a mean length of 2 s give one in 52 s."""
    start, end = np.array([each[:2] for each in found(DRAWN)]).T / SECOND
    assert 0.9 < len(start) * 52 / 100_000 < 1.1
    assert np.all(start[1:] > end[:-1])
    assert 1 <= (end - start).min() < 1.1 < 2.9 < (end - start).max() <= 3


def test_a_further_fault_changes_no_other() -> None:
    """A fault draws from streams of its own, whatever stands before it; another seed is other luck."""
    alone = found(DRAWN)
    both = found("  - {every: {exponential: 90s}, for: 1s, stall: p}\n" + DRAWN)
    assert [each for each in both if each[2] == "pause s1"] == alone
    assert found(DRAWN, seed=2) != alone


def test_two_faults_alike_have_luck_of_their_own() -> None:
    """Two faults of the same words do not come at the same times."""
    times = [start for start, _, _ in found(DRAWN + DRAWN)]
    assert len(set(times)) == len(times)
