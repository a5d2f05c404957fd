"""What clients are told: each commit of the log, once its answer is known."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from replsim.engines.stages.columns import Ints, chained, cut
from replsim.engines.stages.kernels import release as kernel
from replsim.engines.stages.kernels.primary_flush import Flushes
from replsim.engines.stages.kernels.standby_state import Replies
from replsim.engines.stages.log import Log, Rows
from replsim.engines.stages.sync_set import Present, SyncSet, one_after_another
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

    def __init__(self, scenario: Scenario, log: Log, levels: Iterable[Level], leaving: Collection[str]) -> None:
        rule = SyncRule.parse(scenario.primary.synchronous_standby_names)
        self.candidates = rule.candidates(scenario.direct)
        self._rule = kernel.Rule(scenario.wakeup, rule.method == "ANY", rule.count)
        self._kinds = sorted({REMOTE_LEVELS.index(level) for level in levels if level in REMOTE_LEVELS})
        """The levels that somebody waits at, by their place."""
        self._set: SyncSet | None = None
        """Where candidates may come and go: what they release counts as reported by a single one."""
        if self._kinds and any(name in leaving for name in self.candidates):
            order = [scenario.direct.index(name) for name in self.candidates]
            self._set = SyncSet(self.candidates, order, self._rule, self._kinds)
            self._rule = kernel.Rule(scenario.wakeup, any=False, need=1)
        self._log = log
        self.row = 0
        """The first commit that is not answered."""
        empty = np.empty(0, dtype=np.int64)
        self._state = kernel.initial(len(self.candidates) if self._set is None else 1)
        self._ends = kernel.Ends(empty, empty)
        self._heard = [Replies(empty, empty, empty, empty)] * (len(self.candidates) if self._set is None else 1)

    def run(
        self, flushes: Flushes, replies: dict[str, Replies], present: dict[str, Present], *, complete: bool
    ) -> Answered:
        """The commits whose answers follow from these flushes and replies, and those before them.

        ``present`` says when each candidate counted, as far as that is known.
        """
        assert self._log.rows is not None
        first = self.row - self._log.first
        rows = cut(self._log.rows, slice(first, None))
        ends = chained([self._ends, kernel.Ends(flushes.ends, flushes.targets)])
        reported = [replies[name] for name in self.candidates]
        if self._set is not None:
            reported = [self._set.run(replies, present, complete=complete)]
        heard = [chained([before, new]) for before, new in zip(self._heard, reported, strict=True)]
        count = len(rows.lsn)
        out = kernel.Released(np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64))
        waiting = kernel.Waiting(rows.inserted, rows.lsn, rows.level)
        s = self._state.copy()
        times = np.empty(len(heard) + 1, dtype=np.int64)
        kernel.release(s, waiting, ends, one_after_another(heard, self._kinds), complete, self._rule, times, out)
        done, flush = int(s[kernel.DONE]), int(s[kernel.FLUSH])
        self.row += done
        places = s[kernel.FIELDS :].reshape(len(REMOTE_LEVELS), len(heard))
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
