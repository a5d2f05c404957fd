"""``replsim run --seeds``: the table, the exit code, and where finished runs are kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Replsim, write


@pytest.fixture(autouse=True)
def own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Finished runs are kept in the test's own folder."""
    monkeypatch.setenv("REPLSIM_STORE", str(tmp_path / "cache" / "runs.sqlite"))
    return tmp_path / "cache" / "runs.sqlite"


def test_many_seeds_print_estimates_with_intervals(replsim: Replsim, small: Path) -> None:
    """Each line has the estimate, the interval and how it was made; the expectation says in how many runs it held."""
    ended = replsim("run", small, "--seeds", "4")
    assert (ended.code, ended.err) == (0, "")
    (line,) = (line for line in ended.out.splitlines() if line.startswith("commit_latency.p99 "))
    assert line.split()[-1] == "t"
    assert " … " in line
    assert "✓ commit_latency.p99 < 1s  4 of 4 runs" in ended.out
    assert "4 runs · seeds 1 to 4 · 95 % intervals" in ended.out


def test_an_expectation_that_fails_in_one_run_ends_with_1(replsim: Replsim, tmp_path: Path) -> None:
    """A scenario is a test with many seeds too: it has to hold in each."""
    file = write(tmp_path / "mostly.yaml", expect="commit_latency.p50 < 1us")
    ended = replsim("run", file, "--seeds", "3", "-m", "throughput")
    assert ended.code == 1
    assert "✗ commit_latency.p50 < 1us  0 of 3 runs" in ended.out


def test_the_same_command_computes_nothing_twice(
    replsim: Replsim, small: Path, own_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Finished runs are kept without being asked for; `--no-store` neither looks nor keeps."""
    command = ("run", small, "--seeds", "3", "-m", "throughput", "--format", "json")
    without = replsim(*command, "--no-store")
    assert not own_store.exists()
    first = replsim(*command)
    monkeypatch.setattr("replsim.front.run", lambda *_, **__: pytest.fail("it ran again"))
    assert replsim(*command).out == first.out == without.out
    assert json.loads(first.out)["finished"] == 3


def test_out_holds_a_row_a_run_and_a_row_a_measure(replsim: Replsim, small: Path, tmp_path: Path) -> None:
    """The folder appears whole, with both tables."""
    assert replsim("run", small, "--seeds", "3", "--out", tmp_path / "out").code == 0
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["estimates.parquet", "runs.parquet"]


def test_a_failing_run_is_told_with_the_command_that_shows_it(
    replsim: Replsim, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The failure names the scenario and the seed, and the exit code says that something is missing."""
    from replsim import front

    run = front.run

    def breaks(*arguments: object, seed: int, **named: object) -> object:
        assert seed != 2, "positions overtook each other"
        return run(*arguments, seed=seed, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(front, "run", breaks)
    ended = replsim("run", small, "--seeds", "3", "-m", "throughput")
    assert ended.code == 1
    assert f"failed: replsim run {small} --seed 2\n  AssertionError: positions overtook each other" in ended.err
    assert "warning: 1 of 3 runs failed" in ended.err
