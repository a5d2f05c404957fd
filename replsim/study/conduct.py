"""Carry out a study: every setting with every seed, on any executor, in any order, to the same numbers.

At most two runs a worker are under way, so a study of any size takes the memory of its numbers alone: 8 bytes a
metric of a run.  Where a run's worker dies, the runs that were under way are done again, one at a time, so that one
which kills its worker is found and takes no other along.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Future, wait
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from replsim.errors import ReplsimError, StudyError
from replsim.study.executors import Submits, width
from replsim.study.parcel import Parcel, code_version
from replsim.study.progress import Listener, Progress
from replsim.study.runs import Outcome, Run, perform
from replsim.study.store import Store

__all__ = ["Failure", "Findings", "Plan", "carry_out"]

MOST_ATTEMPTS: Final = 3
"""A run whose worker dies so often has failed."""
AHEAD: Final = 2
"""Submissions a worker that are under way or wait for it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Every setting with every seed.  ``settings`` may make its parcels when they are asked for."""

    settings: Sequence[Parcel]
    seeds: tuple[int, ...]
    metrics: tuple[str, ...]
    engine: str = "auto"

    def __len__(self) -> int:
        return len(self.settings) * len(self.seeds)


@dataclass(frozen=True, slots=True)
class Failure:
    """A run that went wrong: which, and what it said.  ``trace`` is there where it was a bug."""

    setting: int
    seed: int
    error: str
    trace: str = ""


@dataclass(slots=True, eq=False)
class Findings:
    """What the runs of a plan gave, whatever order they came in."""

    values: NDArray[np.float64]
    """By setting, seed and metric; NaN where there is nothing."""
    done: NDArray[np.bool_]
    """By setting and seed: whether the run is finished."""
    moving: dict[int, Counter[str]] = field(default_factory=dict)
    """By setting: how many of its runs had not settled, by series."""
    failures: list[Failure] = field(default_factory=list)
    engines: Counter[str] = field(default_factory=Counter)
    """How many runs each engine did."""
    seconds: float = 0.0
    """The time that the runs took, all together."""

    def sorted(self) -> Self:
        """Itself, without a trace of the order in which the runs came."""
        self.failures.sort(key=lambda failure: (failure.setting, failure.seed))
        self.moving = {setting: Counter(dict(sorted(self.moving[setting].items()))) for setting in sorted(self.moving)}
        return self


def carry_out(
    plan: Plan,
    *,
    executor: Submits,
    store: Store | None = None,
    progress: Listener | None = None,
    batch: int = 1,
    compute: bool = True,
) -> Findings:
    """Do every run of the plan that the store does not hold, and give what all of them found.

    ``batch`` runs travel together (more than one saves a cluster's scheduler work).  Without ``compute`` only the
    store is asked.  A failing run is among the failures; raises `StudyError` where the executor cannot go on.
    """
    work = _Work(plan, store, progress)
    todo = work.missing()
    if not compute:
        deque(todo, maxlen=0)
        return work.findings.sorted()
    most = AHEAD * width(executor) if width(executor) > 1 else 1
    pending: dict[Future[list[Outcome]], list[Run]] = {}
    suspects: deque[Run] = deque()
    alone = False
    try:
        while True:
            if suspects and not pending:
                alone = True
                run = suspects.popleft()
                pending[_submitted(executor, [run])] = [run]
            while not (suspects or alone) and len(pending) < most and (runs := list(islice(todo, batch))):
                pending[_submitted(executor, runs)] = runs
            if not pending:
                break
            ended, _ = wait(pending, return_when=FIRST_COMPLETED)
            for future in ended:
                suspects += work.take(pending.pop(future), future)
            alone = alone and bool(pending)
    finally:
        for future in pending:
            future.cancel()
    return work.findings.sorted()


def _submitted(executor: Submits, runs: list[Run]) -> Future[list[Outcome]]:
    try:
        return executor.submit(perform, runs)
    except (BrokenExecutor, RuntimeError) as error:
        raise StudyError(f"the executor takes no more runs: {error}") from error


class _Work:
    """The books of a study: what is to be done, what has come, how often a run was tried."""

    def __init__(self, plan: Plan, store: Store | None, progress: Listener | None) -> None:
        shape = (len(plan.settings), len(plan.seeds))
        self.plan = plan
        self.findings = Findings(np.full((*shape, len(plan.metrics)), np.nan), np.zeros(shape, dtype=bool))
        self._store = store
        self._state = Progress(len(plan))
        self._tell = progress
        self._attempts: Counter[tuple[int, int]] = Counter()
        self._came = False

    def missing(self) -> Iterator[Run]:
        """The runs that are not in the store; those that are, are counted on the way."""
        plan = self.plan
        for setting in range(len(plan.settings)):
            try:
                parcel = plan.settings[setting]
            except ReplsimError as error:
                for nth in range(len(plan.seeds)):
                    self._failed(setting, nth, str(error))
                continue
            for nth, seed in enumerate(plan.seeds):
                run = Run(setting, nth, parcel, seed, plan.engine, plan.metrics)
                known = None if self._store is None else self._store.find(run)
                if known is None:
                    yield run
                else:
                    self._state.stored += 1
                    self._came_in(known)

    def take(self, runs: list[Run], future: Future[list[Outcome]]) -> list[Run]:
        """Enter what a submission came to; gives the runs that are to be done again."""
        try:
            outcomes = future.result()
        except (Exception, CancelledError) as error:  # noqa: BLE001 - the run's own errors are in its outcome
            return [run for run in runs if self._try_again(run, error)]
        self._came = True
        for run, outcome in zip(runs, outcomes, strict=True):
            if outcome.version != code_version():
                raise StudyError(
                    f"a worker computes with replsim {outcome.version}, and this is {code_version()}: their numbers "
                    "may differ; install the same version everywhere"
                )
            if outcome.error:
                self._failed(run.setting, run.nth, outcome.error, outcome.trace)
                continue
            if self._store is not None:
                self._store.add(run, outcome)
            self._state.computed += 1
            self.findings.seconds += outcome.seconds
            self._came_in(outcome)
        return []

    def _try_again(self, run: Run, error: BaseException) -> bool:
        self._attempts[run.setting, run.nth] += 1
        if self._attempts[run.setting, run.nth] < MOST_ATTEMPTS:
            return True
        why = f"{type(error).__name__}: {error}"
        if not self._came:
            raise StudyError(
                f"no worker has finished a run ({why}). A script that uses several processes has to start its work "
                "under `if __name__ == '__main__':`"
            ) from error
        self._failed(run.setting, run.nth, f"its worker died {MOST_ATTEMPTS} times ({why}): too little memory?")
        return False

    def _came_in(self, outcome: Outcome) -> None:
        found, place = self.findings, (outcome.setting, outcome.nth)
        found.values[place] = outcome.values
        found.done[place] = True
        found.engines[outcome.engine] += 1
        if outcome.moving:
            found.moving.setdefault(outcome.setting, Counter()).update(outcome.moving)
        self._told(outcome)

    def _failed(self, setting: int, nth: int, error: str, trace: str = "") -> None:
        self.findings.failures.append(Failure(setting, self.plan.seeds[nth], error, trace))
        self._state.failed += 1
        self._told(Outcome(setting, nth, error=error))

    def _told(self, outcome: Outcome) -> None:
        self._state.latest = outcome
        if self._tell:
            self._tell(self._state)
