"""What clients are told: each commit of the log, once its answer is known."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from replsim.engines.stages.columns import Ints, chained, cut, joined
from replsim.engines.stages.kernels import release as kernel
from replsim.engines.stages.kernels.primary_flush import Flushes
from replsim.engines.stages.kernels.standby_state import Replies
from replsim.engines.stages.log import Log, Rows
from replsim.rules.acks import REMOTE_LEVELS, Level, SyncRule
from replsim.scenario import Scenario
from replsim.units import NEVER

__all__ = ["Answered", "Answers"]


class Answered(NamedTuple):
    """Commits of the log, in its order, with what became of them; times are not cut to the run."""

    rows: Rows
    flushed: Ints
    visible: Ints
    acknowledged: Ints


class Answers:
    """Who waits for what, and the rule that lets them go on."""

    def __init__(self, scenario: Scenario, log: Log, levels: Iterable[Level]) -> None:
        rule = SyncRule.parse(scenario.primary.synchronous_standby_names)
        self.candidates = rule.candidates(scenario.direct)
        self._rule = kernel.Rule(scenario.wakeup, rule.method == "ANY", rule.count)
        self._kinds = sorted({REMOTE_LEVELS.index(level) for level in levels if level in REMOTE_LEVELS})
        """The levels that somebody waits at, by their place."""
        self._log = log
        self.row = 0
        """The first commit that is not answered."""
        empty = np.empty(0, dtype=np.int64)
        self._state = kernel.initial(len(self.candidates))
        self._ends = kernel.Ends(empty, empty)
        self._heard = [Replies(empty, empty, empty, empty) for _ in self.candidates]

    @property
    def waits(self) -> bool:
        """Whether anybody waits for a standby."""
        return bool(self._kinds)

    def run(self, flushes: Flushes, replies: dict[str, Replies], *, complete: bool) -> Answered:
        """The commits whose answers follow from these flushes and replies, and those before them."""
        assert self._log.rows is not None
        first = self.row - self._log.first
        rows = cut(self._log.rows, slice(first, None))
        ends = chained([self._ends, kernel.Ends(flushes.ends, flushes.targets)])
        heard = [chained([before, replies[name]]) for before, name in zip(self._heard, self.candidates, strict=True)]
        count = len(rows.lsn)
        out = kernel.Released(np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64))
        waiting = kernel.Waiting(rows.inserted, rows.lsn, rows.level)
        s = self._state.copy()
        times = np.empty(len(heard) + 1, dtype=np.int64)
        kernel.release(s, waiting, ends, self._one_after_another(heard), complete, self._rule, times, out)
        done, flush = int(s[kernel.DONE]), int(s[kernel.FLUSH])
        self.row += done
        places = s[kernel.FIELDS :].reshape(3, len(self.candidates))
        # What every level in use has come past is not asked for again; nor is anything where no level is remote.
        passed = np.array([len(each.time) for each in heard], dtype=np.int64)
        if self._kinds:
            passed = places[self._kinds].min(axis=0)
        self._heard = [cut(each, slice(n, None)) for each, n in zip(heard, passed.tolist(), strict=True)]
        self._ends = cut(ends, slice(flush, None))
        places[self._kinds] -= passed
        s[kernel.DONE], s[kernel.FLUSH] = 0, 0
        self._state = s
        rows = cut(rows, slice(done))
        visible = out.visible[:done]
        told: NDArray[np.int64] = np.where(visible == NEVER, NEVER, visible + rows.way)
        return Answered(rows, out.flushed[:done], visible, told)

    def _one_after_another(self, heard: list[Replies]) -> kernel.Heard:
        """What the candidates reported at the levels that somebody waits at."""
        none: list[kernel.Ints] = [np.empty(0, dtype=np.int64)]
        first = np.concatenate([[0], np.cumsum([len(each.time) for each in heard])]).astype(np.int64)
        time = joined([*none, *(each.time for each in heard)])
        reported = [
            joined([*none, *(each[1 + kind] for each in heard if kind in self._kinds)])
            for kind in range(len(REMOTE_LEVELS))
        ]
        return kernel.Heard(first, time, (reported[0], reported[1], reported[2]))
