"""``replsim compare`` and ``replsim sweep``: what they print, write and refuse, and how an interrupt ends."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Replsim, write


@pytest.fixture(autouse=True)
def own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Finished runs are kept in the test's own folder."""
    monkeypatch.setenv("REPLSIM_STORE", str(tmp_path / "cache" / "runs.sqlite"))


def test_a_comparison_shows_both_settings_and_their_difference(replsim: Replsim, small: Path) -> None:
    """A line a measure: before, after, the paired difference, and the change in percent."""
    ended = replsim("compare", small, "--set", "primary.synchronous_commit=local", "--seeds", "4")
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0] == "as it stands  →  primary.synchronous_commit=local"
    (line,) = (line for line in lines if line.startswith("commit_latency.p50 "))
    assert line.count("±") == 3
    assert " -" in line
    assert "%" in line
    (never,) = (line for line in lines if line.startswith("loss_if_primary_restarts.probability"))
    assert "not seen" in never


def test_two_scenarios_are_compared_by_their_names(replsim: Replsim, small: Path, tmp_path: Path) -> None:
    """With two files --set holds in both; JSON has both settings and the difference."""
    other = write(tmp_path / "other.yaml", name="other")
    command = ("compare", small, other, "--set", "writers.app.rate=100/s", "--seeds", "2", "-m", "throughput")
    found = json.loads(replsim(*command, "--format", "json").out)
    assert [each["label"] for each in found["settings"]] == ["small", "other"]
    assert found["settings"][0]["estimates"]["throughput"]["value"] < 150
    assert found["differences"][0]["measures"]["throughput"]["value"] == 0


def test_a_sweep_prints_a_row_a_setting_and_writes_a_row_a_run(replsim: Replsim, small: Path, tmp_path: Path) -> None:
    """What varies are columns, what does not is not; the file has every run, in the format that its name says."""
    command = ("sweep", small, "--set", "primary.synchronous_commit=off,on", "--set", "duration=300ms")
    command += ("--set", "links.p -> s1.latency=1ms..9ms:2", "--seeds", "2", "-m", "commit_latency.p50")
    ended = replsim(*command, "--out", tmp_path / "runs.csv")
    assert (ended.code, ended.err) == (0, "")
    head, *rows = ended.out.splitlines()
    assert head.split() == ["synchronous_commit", "latency", "commit_latency.p50"]
    assert [row.split()[:2] for row in rows[:4]] == [["off", "1ms"], ["off", "9ms"], ["on", "1ms"], ["on", "9ms"]]
    written = list(csv.DictReader(io.StringIO((tmp_path / "runs.csv").read_text())))
    assert len(written) == 8
    assert written[-1]["links.p -> s1.latency"] == "9ms"
    assert float(written[-1]["commit_latency.p50"]) > 1e-3
    table = list(csv.DictReader(io.StringIO(replsim(*command, "--format", "csv").out)))
    assert [row["runs"] for row in table] == ["2"] * 4


def test_what_is_finished_can_be_looked_at(replsim: Replsim, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--so-far computes nothing, and says what is missing."""
    half = ("sweep", small, "--seeds", "2", "-m", "throughput", "--set", "primary.synchronous_commit=off,on")
    replsim(*half)
    monkeypatch.setattr("replsim.front.run", lambda *_, **__: pytest.fail("it ran"))
    ended = replsim("sweep", small, "--seeds", "2", "-m", "throughput", "--so-far", "--set",
                    "primary.synchronous_commit=off,on,local")  # fmt: skip
    assert ended.err == "warning: 2 of 6 runs have not been done\n"
    assert "\nlocal" in ended.out


def test_wrong_studies_end_with_2(replsim: Replsim, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each kind of mistake is one message on stderr, and nothing runs."""
    monkeypatch.setattr("replsim.front.run", lambda *_, **__: pytest.fail("it ran"))
    for arguments, message in {
        ("sweep", small): "nothing varies",
        ("sweep", small, "--set", "duration=1s..2s"): "Append ':6'",
        ("sweep", small, "--set", "duration=1s,2"): "needs a unit",
        ("sweep", small, "--set", "duration=1s,2s", "--design", "star"): "there is no design 'star'",
        ("sweep", small, "--set", "duration=1s,2s", "-m", "speed"): "unknown metric 'speed'",
        ("sweep", small, "--set", "duration=1s,2s", "--dask", "tcp://127.0.0.1:1"): "no Dask scheduler",
        ("compare", small): "needs two settings",
        ("sweep", small, "--set", "duration=1s,2s", "--out", "runs.xls"): "written as .parquet, .csv, .json",
    }.items():
        ended = replsim(*arguments)
        assert (ended.code, message in ended.err) == (2, True), (arguments, ended.err)


def test_an_interrupt_keeps_what_is_finished_and_says_so(
    replsim: Replsim, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C ends with 130 and tells how far it came; the same command does the rest."""
    from replsim import front

    run, seeds = front.run, []

    def interrupted(*arguments: Any, seed: int, **named: Any) -> Any:
        seeds.append(seed)
        if len(seeds) == 3:
            raise KeyboardInterrupt
        return run(*arguments, seed=seed, **named)

    monkeypatch.setattr(front, "run", interrupted)
    command = ("sweep", small, "--seeds", "2", "-m", "throughput", "--set", "primary.synchronous_commit=off,on")
    ended = replsim(*command)
    assert ended.code == 130
    assert ended.err == "interrupted: 2 of 4 runs are finished; the same command goes on from there\n"
    assert replsim(*command).code == 0
    assert seeds == [1, 2, 1, 1, 2]
