"""Finished runs are found again by what they are, and only then; a study goes on where it was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import replsim
from replsim.errors import StudyError
from replsim.study import Here, Store
from replsim.study import store as module
from replsim.study.conduct import Plan, carry_out
from replsim.study.parcel import pack
from replsim.study.runs import Run, perform
from replsim.study.store import key
from tests.study.conftest import TINY


def run_of(scenario: replsim.Scenario, *metrics: str, seed: int = 1, engine: str = "auto") -> Run:
    """A run that asks for some metrics."""
    return Run(0, 0, pack(scenario, Path()), seed, engine, metrics)


def test_a_run_is_known_by_its_scenario_seed_engine_and_code(
    tiny: replsim.Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of the four changes the key; what only describes a scenario, and its own seed, do not."""
    parcel = pack(tiny, Path())
    same = pack(tiny.changed(name="other", question="Why?", seed=9, expect=()), Path())
    keys = [key(parcel, 1, "auto"), key(parcel, 2, "auto"), key(parcel, 1, "events")]
    keys.append(key(pack(tiny.changed(duration="501ms"), Path()), 1, "auto"))
    assert key(same, 1, "auto") == keys[0]
    monkeypatch.setattr(module, "code_version", lambda: "another")
    keys.append(key(parcel, 1, "auto"))
    assert len(set(keys)) == 5


def test_the_samples_in_a_file_are_part_of_what_a_run_is(tmp_path: Path) -> None:
    """The same scenario with other measured samples is another run, and each travels with its own."""
    text = "name: disk\nduration: 1s\nprimary: {wal_device: {flush: {empirical: {file: fsync.csv, unit: us}}}}\n"
    (tmp_path / "disk.yaml").write_text(text + "writers: {app: {rate: 100/s}}\n")
    found = []
    for microseconds in (500, 900):
        (tmp_path / "fsync.csv").write_text(f"{microseconds}\n")
        scenario = replsim.load(tmp_path / "disk.yaml")
        run = Run(0, 0, pack(scenario, tmp_path), 1, "auto", ("commit_latency.p50",))
        found.append((key(run.parcel, 1, "auto"), perform([run])[0].values[0]))
        assert found[-1][1] == replsim.run(scenario, seed=1).metrics["commit_latency.p50"]
    assert found[0][0] != found[1][0]
    assert found[0][1] < found[1][1]


def test_a_scenario_without_its_file_is_refused(tmp_path: Path) -> None:
    """A loaded scenario does not know where its samples were: the message says what to give instead."""
    (tmp_path / "fsync.csv").write_text("500\n")
    text = "name: disk\nduration: 1s\nprimary: {wal_device: {flush: {empirical: {file: fsync.csv, unit: us}}}}\n"
    (tmp_path / "disk.yaml").write_text(text + "writers: {app: {rate: 100/s}}\n")
    with pytest.raises(StudyError, match="give a study the scenario's file"):
        pack(replsim.load(tmp_path / "disk.yaml"), tmp_path / "elsewhere")


def test_more_metrics_of_a_run_are_kept_beside_the_others(tiny: replsim.Scenario, tmp_path: Path) -> None:
    """A run that was asked for another metric is done once more; then both are there."""
    one, other = run_of(tiny, "throughput"), run_of(tiny, "commit_latency.p50")
    with Store(tmp_path / "new" / "runs.sqlite") as store:
        assert store.find(one) is None
        store.add(one, perform([one])[0])
        found = store.find(one)
        assert found is not None
        assert found.values == perform([one])[0].values
        assert store.find(other) is None
        store.add(other, perform([other])[0])
        both = store.find(run_of(tiny, "commit_latency.p50", "throughput"))
        assert both is not None
        assert both.values == (*perform([other])[0].values, *perform([one])[0].values)
        assert len(store) == 1


def test_finished_runs_can_be_looked_at_by_another_while_it_goes_on(tiny: replsim.Scenario, tmp_path: Path) -> None:
    """A second connection sees each run as soon as it is written, and computes nothing."""
    plan = Plan((pack(tiny, Path()),), (1, 2, 3, 4), ("throughput",))
    file = tmp_path / "runs.sqlite"
    seen = []
    with Store(file) as writer:

        def look(_: object) -> None:
            with Store(file) as reader:
                seen.append(int(carry_out(plan, executor=Here(), store=reader, compute=False).done.sum()))

        carry_out(plan, executor=Here(), store=writer, progress=look)
    assert seen == [1, 2, 3, 4]


def test_a_file_that_is_no_store_is_told(tmp_path: Path) -> None:
    """Another file is neither read nor overwritten."""
    (tmp_path / "notes.txt").write_text("dear diary, " * 100)
    with pytest.raises(StudyError, match=r"notes\.txt cannot hold finished runs"):
        Store(tmp_path / "notes.txt")
    assert (tmp_path / "notes.txt").read_text().startswith("dear diary")


@pytest.mark.slow
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_study_that_was_killed_goes_on_where_it_was(jobs: str, tmp_path: Path) -> None:
    """Killed in the middle: what was finished is kept, no process is left, the same command does only the rest."""
    (tmp_path / "tiny.yaml").write_text(TINY.replace("500ms", "2s"))
    store = tmp_path / "runs.sqlite"
    command = [sys.executable, "-m", "replsim", "run", "tiny.yaml", "--seeds", "40", "-m", "throughput"]
    command += ["--jobs", jobs, "--store", str(store), "--format", "csv"]
    first = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, start_new_session=True)
    finished, until = 0, time.monotonic() + 60
    while finished < 5 and time.monotonic() < until:
        time.sleep(0.05)
        if store.exists():
            with Store(store) as looking:
                finished = len(looking)
    os.kill(first.pid, signal.SIGKILL)
    first.communicate()
    for _ in range(100):
        try:
            os.killpg(first.pid, 0)
        except ProcessLookupError:
            break
        time.sleep(0.05)
    else:
        pytest.fail("worker processes outlived their study")
    with Store(store) as looking:
        before = len(looking)
    assert 5 <= before < 40
    again = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    fresh = [*command[: command.index("--store")], "--no-store", "--format", "csv"]
    assert again.stdout == subprocess.run(fresh, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    with Store(store) as looking:
        assert len(looking) == 40
