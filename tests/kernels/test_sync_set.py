"""The synchronous standbys, judged over those who are there, against the rule itself."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from replsim.engines.stages.kernels.release import Rule
from replsim.engines.stages.kernels.standby_state import Replies
from replsim.engines.stages.sync_set import Present, SyncSet
from replsim.rules.acks import SyncRule
from replsim.units import NEVER

NAMES = ("a", "b", "c")
History = tuple[list[tuple[int, int]], list[tuple[int, int]]]
"""When a candidate replied, with a position that rises, and the stretches in which it counted."""


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Of one candidate."""
    times = sorted(draw(st.lists(st.integers(0, 60), max_size=8)))
    positions = sorted(draw(st.lists(st.integers(1, 40), min_size=len(times), max_size=len(times))))
    edges = sorted(draw(st.lists(st.integers(0, 60), max_size=4, unique=True)))
    edges = [-1, *edges[: len(edges) // 2 * 2], NEVER]
    return list(zip(times, positions, strict=True)), list(zip(edges[::2], edges[1::2], strict=True))


def judged(rule: SyncRule, told: list[History]) -> list[tuple[int, int]]:
    """What is released, and when: reply by reply, those who are there and have replied or were there from the start."""
    released, steps = 0, []
    replies = sorted((time, c, n) for c, (said, _) in enumerate(told) for n, (time, _) in enumerate(said))
    for time, c, n in replies:
        stretches = [next((each for each in own if each[0] <= time < each[1]), None) for _, own in told]
        if stretches[c] is None:
            continue
        counted = []
        for d, stretch in enumerate(stretches):
            if stretch is None:
                continue
            said = [
                position
                for m, (then, position) in enumerate(told[d][0])
                if stretch[0] <= then and (then, d, m) <= (time, c, n)
            ]
            if said or stretch[0] < 0:
                counted.append(max(said, default=0))
        position = rule.position(counted)
        if position > released:
            released = position
            steps.append((time, released))
    return steps


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.sampled_from(["FIRST", "ANY"]), st.integers(1, 4), st.tuples(*[histories()] * 3), st.integers(0, 60))
def test_the_kernel_judges_as_the_rule_does(method: str, count: int, told: tuple[History, ...], cut: int) -> None:
    """Whoever comes or goes, each reply that counts releases what the rule says of those who are there."""
    rule = SyncRule.parse(f"{method} {count} (a, b, c)")
    candidates = SyncSet(NAMES, range(3), Rule(0, method == "ANY", count), [1])
    present = {name: Present(own, 0) for name, (_, own) in zip(NAMES, told, strict=True)}
    found = []
    for first, last in ((-1, cut), (cut, 100)):
        columns = [
            np.array([each for each in said if first < each[0] <= last], dtype=np.int64).reshape(-1, 2).T.copy()
            for said, _ in told
        ]
        replies = {
            name: Replies(time, position, position, position)
            for name, (time, position) in zip(NAMES, columns, strict=True)
        }
        steps = candidates.run(replies, present, complete=last == 100)
        found += list(zip(steps.time.tolist(), steps.flush.tolist(), strict=True))
    assert found == judged(rule, list(told))
