"""A study's runs: the same numbers in any order and anywhere; dead workers' runs are done again; failures are told."""

from __future__ import annotations

import functools
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import replsim
from replsim.errors import StudyError
from replsim.study import Here, Processes, Progress, Store, conduct, runs
from replsim.study.conduct import Findings, Plan, carry_out
from replsim.study.parcel import Parcel, pack
from tests.study.workers import Backwards, perform_dying

METRICS = ("commit_latency.p99", "s2.lag.seconds.mean", "stale_reads.fraction")


@pytest.fixture
def plan(tiny: replsim.Scenario) -> Plan:
    """Two settings with five seeds each."""
    near, far = (
        pack(tiny, Path()),
        pack(tiny.changed(links={"p -> s1": {"latency": "9ms"}, "p -> s2": {"latency": "9ms"}}), Path()),
    )
    return Plan((near, far), (1, 2, 3, 4, 5), METRICS)


@pytest.fixture
def expected(plan: Plan, tiny: replsim.Scenario) -> np.ndarray:
    """The numbers that `replsim.run` gives for the first setting."""
    each = [replsim.run(tiny, seed=seed).metrics for seed in plan.seeds]
    return np.array([[metrics[name] for name in METRICS] for metrics in each])


def identical(one: Findings, other: Findings) -> bool:
    """Whether two studies found the same, bit by bit."""
    return one.values.tobytes() == other.values.tobytes() and bool(np.array_equal(one.done, other.done))


def test_every_executor_finds_the_same_bits(plan: Plan, expected: np.ndarray) -> None:
    """Here, in two processes, in threads, in a user's own pool, backwards, in batches: the bits of single runs."""
    here = carry_out(plan, executor=Here())
    assert here.done.all()
    assert here.values[0].tobytes() == expected.tobytes()
    assert not np.array_equal(here.values[0], here.values[1])
    assert identical(carry_out(plan, executor=Backwards()), here)
    assert identical(carry_out(plan, executor=Here(), batch=3), here)
    with ThreadPoolExecutor(3) as threads:
        assert identical(carry_out(plan, executor=threads), here)
    pool = Processes(2)
    assert identical(carry_out(plan, executor=pool), here)
    pool.shutdown()
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as theirs:
        assert identical(carry_out(plan, executor=theirs, batch=2), here)


class _Dying(Processes):
    """Processes of which one dies at seed 3."""

    def __init__(self, marker: str) -> None:
        super().__init__(2)
        self.marker = marker

    def submit(self, fn: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        assert fn is runs.perform
        return super().submit(functools.partial(perform_dying, self.marker, 3), *arguments)


def test_the_runs_of_a_worker_that_dies_are_done_again(plan: Plan, tmp_path: Path) -> None:
    """One process is killed in the middle of a run; the study ends with every number as if nothing had been."""
    pool = _Dying(str(tmp_path / "died"))
    found = carry_out(plan, executor=pool)
    pool.shutdown()
    assert (tmp_path / "died").exists()
    assert not found.failures
    assert identical(found, carry_out(plan, executor=Here()))


def test_a_run_that_kills_its_worker_takes_no_other_along(plan: Plan) -> None:
    """Seed 3 kills its process each time: those two runs are told as failed, and the eight others are there."""
    pool = _Dying("")
    found = carry_out(plan, executor=pool)
    pool.shutdown()
    assert [(failure.setting, failure.seed) for failure in found.failures] == [(0, 3), (1, 3)]
    assert "its worker died 3 times" in found.failures[0].error
    assert found.done.sum() == 8
    assert np.isnan(found.values[:, 2]).all()


def test_a_failing_run_is_told_with_its_seed_and_loses_no_other(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug at seed 2 comes back with its trace; the other seeds have their numbers."""
    run = replsim.run

    def breaks(*arguments: Any, seed: int, **named: Any) -> replsim.Result:
        if seed == 2:
            raise AssertionError("positions overtook each other")
        return run(*arguments, seed=seed, **named)

    monkeypatch.setattr("replsim.front.run", breaks)
    found = carry_out(plan, executor=Here())
    assert [(failure.setting, failure.seed) for failure in found.failures] == [(0, 2), (1, 2)]
    assert found.failures[0].error == "AssertionError: positions overtook each other"
    assert "breaks" in found.failures[0].trace
    assert found.done.sum() == 8


def test_a_setting_that_cannot_be_loaded_fails_alone(plan: Plan) -> None:
    """Parcels may be made late; one that turns out wrong is told, once a seed, and the others run."""

    class Late(tuple[Parcel, ...]):
        def __getitem__(self, place: Any) -> Any:
            if place == 0:
                raise replsim.ScenarioError([])
            return super().__getitem__(place)

    found = carry_out(Plan(Late(plan.settings), (1, 2), METRICS), executor=Here())
    assert [failure.setting for failure in found.failures] == [0, 0]
    assert found.done.tolist() == [[False, False], [True, True]]


def test_an_executor_that_takes_nothing_is_a_study_error(plan: Plan) -> None:
    """A pool that the user has shut down is the user's mistake, told as one."""
    pool = ThreadPoolExecutor(1)
    pool.shutdown()
    with pytest.raises(StudyError, match="takes no more runs"):
        carry_out(plan, executor=pool)


def test_workers_that_never_finish_a_run_end_the_study(plan: Plan) -> None:
    """Where no process can even start, the study does not try for ever, and says what is usually wrong."""

    class Broken(Here):
        def submit(self, fn: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
            future: Future[Any] = Future()
            future.set_exception(OSError("no room"))
            return future

    with pytest.raises(StudyError, match="__main__"):
        carry_out(plan, executor=Broken())


def test_workers_with_other_code_are_refused(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cluster with another version would mix numbers that are not comparable."""
    monkeypatch.setattr(conduct, "code_version", lambda: "0.0.0")
    with pytest.raises(StudyError, match=r"this is 0\.0\.0"):
        carry_out(plan, executor=Here())


def test_what_a_listener_raises_ends_the_study_and_keeps_what_is_finished(plan: Plan, tmp_path: Path) -> None:
    """Cancelled after four runs, a study goes on from there, and ends as one that was never cancelled."""
    whole = carry_out(plan, executor=Here())
    seen: list[int] = []

    def cancel(progress: Progress) -> None:
        seen.append(progress.done)
        if progress.done == 4:
            raise replsim.ReplsimError("enough")

    with Store(tmp_path / "runs.sqlite") as store:
        with pytest.raises(replsim.ReplsimError, match="enough"):
            carry_out(plan, executor=Here(), store=store, progress=cancel)
        assert seen == [1, 2, 3, 4]
        assert len(store) == 4
        states: list[tuple[int, int]] = []
        again = carry_out(plan, executor=Here(), store=store, progress=lambda p: states.append((p.stored, p.computed)))
        assert states[-1] == (4, 6)
    assert identical(again, whole)
