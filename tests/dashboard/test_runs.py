"""Runs in threads: kept, watched, cancelled and refused."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from dashboard.links import Setup
from dashboard.runs import Runs, refusal, settle
from dashboard.sources import scenario_of
from replsim import front
from replsim.errors import RunCancelled
from replsim.result import Result
from replsim.scenario import Scenario

QUICK = scenario_of(Setup("quickstart/three-nodes").changed({"duration": "3s"}))


def test_the_same_scenario_and_seed_run_once() -> None:
    """A second look at a scenario and seed is the first one's run; another seed is another run."""
    store = Runs(front.run)
    first, again, other = store.start(QUICK, 1), store.start(QUICK, 1), store.start(QUICK, 2)
    assert first is again
    assert settle([first, other], 60)
    assert first.future.result().seed == 1
    assert other.future.result().provenance.hash != first.future.result().provenance.hash
    assert first.fraction == 1.0


def test_a_run_is_the_same_as_on_the_command_line() -> None:
    """What a page shows has the hash of a run without a page."""
    store = Runs(front.run)
    job = store.start(QUICK, 5)
    assert settle([job], 60)
    assert job.future.result().provenance.hash == front.run(QUICK, seed=5).provenance.hash


def held_back(started: threading.Event, go_on: threading.Event) -> Callable[..., Result]:
    """A run that waits to be let go before it looks at its progress."""

    def run(scenario: Scenario, *, progress: Callable[[float], None], **more: Any) -> Result:
        progress(0.25)
        started.set()
        assert go_on.wait(30)
        progress(0.5)
        return front.run(scenario, **more)

    return run


def test_a_cancelled_run_ends_and_is_not_taken_for_a_result() -> None:
    """Cancel ends a run at its next look at the progress; who asks again gets a new one."""
    started, go_on = threading.Event(), threading.Event()
    store = Runs(held_back(started, go_on))
    job = store.start(QUICK, 1)
    assert started.wait(30)
    assert (job.fraction, job.done) == (0.25, False)
    job.cancel()
    go_on.set()
    with pytest.raises(RunCancelled):
        job.future.result(30)
    again = store.start(QUICK, 1)
    assert again is not job
    assert again.future.result(60).seed == 1


def test_a_run_that_waits_for_its_turn_never_starts_when_cancelled() -> None:
    """With one worker busy, what is cancelled in the queue costs nothing."""
    started, go_on = threading.Event(), threading.Event()
    store = Runs(held_back(started, go_on), workers=1)
    store.start(QUICK, 1)
    assert started.wait(30)
    waiting = store.start(QUICK, 2)
    waiting.cancel()
    go_on.set()
    assert waiting.future.cancelled()
    assert not waiting.sound


def test_a_quick_run_is_not_refused_and_a_day_is_with_a_way_out() -> None:
    """What would take too long is refused with its estimate and the length that would do."""
    assert refusal(QUICK, 1) is None
    day = scenario_of(Setup("quickstart/three-nodes").changed({"duration": "1d"}))
    refused = refusal(day, 1)
    assert refused is not None
    assert refused.duration is not None
    assert refusal(day.changed(duration=refused.duration), 1) is None


def test_many_seeds_of_a_long_run_are_refused_together() -> None:
    """It is the time of all seeds that counts."""
    long = scenario_of(Setup("quickstart/three-nodes").changed({"duration": "30min"}))
    assert refusal(long, 1) is None
    assert refusal(long, 30) is not None
