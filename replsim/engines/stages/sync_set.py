"""The synchronous candidates of a run in which they come and go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from replsim.engines.stages.columns import Ints, chained, cut, joined
from replsim.engines.stages.kernels import sync_set as kernel
from replsim.engines.stages.kernels.release import Heard, Rule
from replsim.engines.stages.kernels.standby_state import Replies
from replsim.units import NEVER

__all__ = ["Present", "SyncSet", "one_after_another"]


class Present(NamedTuple):
    """When a candidate counted, as far as that is known."""

    stretches: list[tuple[int, int]]
    """From each start on, before the end; the last does not end."""
    silent: int
    """Before then it says nothing more than what is known."""


class SyncSet:
    """The ``candidates``, best priority first, and what they release together."""

    def __init__(self, candidates: Sequence[str], order: Sequence[int], rule: Rule, kinds: Sequence[int]) -> None:
        self._candidates = candidates
        self._order = np.array(order, dtype=np.int64)
        """Which of them comes first at one moment."""
        self._rule = rule
        self._kinds = kinds
        self._state = kernel.initial(len(candidates))
        none = np.empty(0, dtype=np.int64)
        self._heard = [Replies(none, none, none, none) for _ in candidates]
        self._last = [0] * len(candidates)

    def run(self, replies: Mapping[str, Replies], present: Mapping[str, Present], *, complete: bool) -> Replies:
        """The steps of what they have released: those that follow from these replies, and those before them.

        ``complete`` says that no reply comes later.
        """
        candidates = self._candidates
        heard = [chained([before, replies[name]]) for before, name in zip(self._heard, candidates, strict=True)]
        self._last = [
            int(each.time[-1]) if len(each.time) else last for each, last in zip(heard, self._last, strict=True)
        ]
        count = sum(len(each.time) for each in heard)
        out = Replies(*(np.empty(count, dtype=np.int64) for _ in range(4)))
        s = self._state.copy()
        before = NEVER if complete else min(map(max, self._last, (present[name].silent for name in candidates)))
        stretches = [present[name].stretches for name in candidates]
        steps = kernel.judge(
            s,
            one_after_another(heard, self._kinds),
            self._order,
            kernel.Present(
                _firsts([len(each) for each in stretches]),
                np.array([start for each in stretches for start, _ in each], dtype=np.int64),
                np.array([end for each in stretches for _, end in each], dtype=np.int64),
            ),
            before,
            self._rule,
            np.empty(len(candidates) + 1, dtype=np.int64),
            out,
        )
        taken = s[kernel.KINDS :: kernel.EACH].tolist()
        self._heard = [cut(each, slice(n, None)) for each, n in zip(heard, taken, strict=True)]
        s[kernel.KINDS :: kernel.EACH] = 0
        self._state = s
        return cut(out, slice(steps))


def one_after_another(heard: Sequence[Replies], kinds: Sequence[int]) -> Heard:
    """What each has reported, at the levels (by their place) that somebody waits at."""
    none: list[Ints] = [np.empty(0, dtype=np.int64)]
    time = joined([*none, *(each.time for each in heard)])
    reported = [joined([*none, *(each[1 + kind] for each in heard if kind in kinds)]) for kind in range(kernel.KINDS)]
    return Heard(_firsts([len(each.time) for each in heard]), time, (reported[0], reported[1], reported[2]))


def _firsts(counts: Sequence[int]) -> Ints:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
