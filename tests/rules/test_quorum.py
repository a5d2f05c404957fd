"""The newest of the first answers, against counting answers one by one."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from replsim.rules.quorum import newest_of_first


def one_by_one(quorum: int, answers: list[tuple[int, int]]) -> tuple[int, int]:
    """Take answers as they come, keep the newest, stop at the ``quorum``-th."""
    kept: tuple[int, int] | None = None
    for count, (time, node) in enumerate(sorted((time, node) for node, (time, _) in enumerate(answers)), 1):
        if kept is None or answers[node][1] > kept[1]:
            kept = (node, answers[node][1])
        if count == quorum:
            return kept[0], time
    raise AssertionError("fewer answers than the quorum")


@given(
    st.lists(st.tuples(*[st.tuples(st.integers(0, 5), st.integers(0, 4))] * 4), min_size=1, max_size=20),
    st.integers(1, 4),
)
@settings(derandomize=True, deadline=None)
def test_a_quorum_is_answers_taken_one_by_one(reads: list[list[tuple[int, int]]], quorum: int) -> None:
    """Sorting all answers at once gives each read what taking them one by one gives it."""
    table = np.array(reads, dtype=np.int64)
    taken, done = newest_of_first(quorum, table[:, :, 0].T, table[:, :, 1].T)
    assert list(zip(taken.tolist(), done.tolist(), strict=True)) == [one_by_one(quorum, list(each)) for each in reads]


def test_a_late_answer_does_not_count_however_new() -> None:
    """Of answers after 3, 1 and 2 a quorum of two is done after 2, and does not have what the third saw."""
    answered, seen = np.array([[3], [1], [2]]), np.array([[9], [4], [5]])
    assert [each.tolist() for each in newest_of_first(2, answered, seen)] == [[2], [2]]
    assert [each.tolist() for each in newest_of_first(3, answered, seen)] == [[0], [3]]
