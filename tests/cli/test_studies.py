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


def test_a_search_prints_the_front_and_the_command_of_each(replsim: Replsim, small: Path) -> None:
    """Conditions carry their verdict; where nothing meets them the exit code is 1, and the nearest is shown."""
    space = ("--set", "primary.synchronous_commit=off,on", "--set", "links.p -> s1.latency=1ms,9ms", "--seeds", "6")
    where = ("--where", "loss_if_primary_dies.commits.max < 1", "--minimize", "commit_latency.p50")
    ended = replsim("search", small, *space, *where)
    assert (ended.code, ended.err) == (0, "")
    command = "--set primary.synchronous_commit=on --set 'links.p -> s1.latency=1ms' --seeds 6"
    assert f"1  replsim run {small} {command}" in ended.out
    assert "✓ 0" in ended.out
    ended = replsim("search", small, *space, *where, "--where", "commit_latency.p99 < 1us")
    assert ended.code == 1
    assert "no setting meets every condition" in ended.out
    assert "✗" in ended.out
    priced = ("--minimize", "cost", "--cost", "primary.synchronous_commit=off:1,on:3")
    found = json.loads(replsim("search", small, *space, *priced, "--format", "json").out)
    assert found["candidates"][found["front"][0]]["values"] == {"cost": 1.0}


def test_sensitivity_prints_a_bar_a_knob(replsim: Replsim, small: Path, tmp_path: Path) -> None:
    """The longest first; a figure and every run go where they are asked to."""
    command = ("sensitivity", small, "--set", "links.p -> s1.latency=0.5ms..4ms", "--samples", "4", "--seeds", "1")
    command += ("--set", "standbys.s2.replay.per_record=10us..100us", "-m", "commit_latency.p50")
    ended = replsim(*command, "--out", tmp_path / "runs.csv", "--plot", tmp_path / "bars.html")
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[1].startswith("links.p -> s1.latency ")
    assert "█" * 24 in lines[1]
    assert "█" not in lines[2]
    assert len((tmp_path / "runs.csv").read_text().splitlines()) == 1 + 12
    assert (tmp_path / "bars.html").stat().st_size > 10_000


def test_a_study_is_listed_and_done(replsim: Replsim, tmp_path: Path, small: Path) -> None:
    """Without a file, those that are shipped; with one, its question, its table and its runs."""
    listed = replsim("study")
    assert "how-sure" in listed.out
    assert {each["name"] for each in json.loads(replsim("study", "--format", "json").out)} > {"distance", "levels"}
    file = tmp_path / "mine.yaml"
    text = "name: mine\nquestion: Is it so?\nscenario: small.yaml\n"
    text += "study:\n  sweep: {primary.synchronous_commit: [off, on]}\n"
    file.write_text(text + "  metrics: [throughput]\n  seeds: 2\n")
    ended = replsim("study", file, "--out", tmp_path / "runs.json")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("mine\nIs it so?\n")
    assert len(json.loads((tmp_path / "runs.json").read_text())) == 4
    assert "is a scenario, not a study" in replsim("study", small).err
