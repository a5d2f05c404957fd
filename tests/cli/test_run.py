"""``replsim run``: what it prints, what it writes, and how it ends."""

from __future__ import annotations

import csv
import io
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from replsim import front
from tests.cli.conftest import Replsim, write


def test_a_scenario_that_holds_ends_with_0_and_leads_with_the_answer(replsim: Replsim, small: Path) -> None:
    """The table says what was asked, what came out and whether it was as expected, before any detail."""
    ended = replsim("run", small)
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[:3] == ["small", "Is it quick?", "It is."]
    assert lines[4].startswith("commit latency ")
    assert "✓ commit_latency.p99 < 1s" in ended.out
    (standby,) = (line for line in lines if line.startswith("s1 "))
    assert set("▁▂▃▄▅▆▇█") & set(standby), "a standby's line ends in its lag over the run"


def test_an_expectation_that_fails_ends_with_1(replsim: Replsim, tmp_path: Path) -> None:
    """A scenario is a test: the exit code says that it failed, the table which line of it."""
    ended = replsim("run", write(tmp_path / "fails.yaml", expect="commit_latency.p50 < 1us"))
    assert ended.code == 1
    assert "✗ commit_latency.p50 < 1us" in ended.out


def test_wrong_input_ends_with_2_and_no_traceback(replsim: Replsim, small: Path, tmp_path: Path) -> None:
    """Each kind of mistake is one message on stderr, and nothing runs."""
    unit = tmp_path / "unit.yaml"
    unit.write_text("name: x\nduration: 5\n", encoding="utf-8")
    mistakes = {
        ("nowhere.yaml",): "no such file",
        (str(tmp_path),): "is a folder",
        (str(unit),): "needs a unit",
        (str(small), "--engine", "quantum"): "no engine 'quantum'",
        (str(small), "--set", "duration"): "PATH=VALUE",
        (str(small), "--set", "nonsense.deep=1"): "nonsense",
        (str(small), "--seed", "-1"): "seed",
        (str(write(tmp_path / "metric.yaml", expect="commit_latncy.p50 < 1s")),): "did you mean 'commit_latency.p50'",
    }
    for arguments, message in mistakes.items():
        ended = replsim("run", *arguments)
        assert (ended.code, ended.out) == (2, ""), arguments
        assert message in ended.err
        assert "Traceback" not in ended.err


def test_a_misspelt_metric_is_told_with_its_line_before_time_zero(
    replsim: Replsim, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for a run to hear that its expectation cannot be judged."""
    monkeypatch.setattr(front, "simulate", lambda *_: pytest.fail("it started"))
    file = write(tmp_path / "metric.yaml", expect="s9.lag.seconds.p50 < 1s")
    ended = replsim("run", file)
    assert ended.err.startswith(f"{file}:17:5: expect[0]: ")


def test_json_holds_every_metric_in_si_units(replsim: Replsim, small: Path) -> None:
    """The JSON has the scenario, the engine, the seed, all metrics by name, and the expectations judged."""
    found = json.loads(replsim("run", small, "--format", "json", "--seed", "9").out)
    assert list(found) == ["scenario", "engine", "seed", "metrics", "expectations"]
    assert (found["scenario"], found["engine"], found["seed"]) == ("small", "stages", 9)
    assert 0.001 < found["metrics"]["commit_latency.p50"] < 0.1, "seconds"
    assert set(found["metrics"]) >= {"s1.lag.bytes.max", "app.throughput", "stale_reads.fraction"}
    (expected,) = found["expectations"]
    assert expected["expectation"] == "commit_latency.p99 < 1s"
    assert (expected["value"], expected["held"]) == (found["metrics"]["commit_latency.p99"], True)


def test_several_files_give_a_list(replsim: Replsim, small: Path, tmp_path: Path) -> None:
    """Each file is run in turn, and one that fails decides the exit code."""
    fails = write(tmp_path / "fails.yaml", name="fails", expect="commit_latency.p50 < 1us")
    ended = replsim("run", small, fails, "--format", "json")
    assert ended.code == 1
    assert [found["scenario"] for found in json.loads(ended.out)] == ["small", "fails"]


def test_what_is_not_a_number_is_null(replsim: Replsim, small: Path) -> None:
    """JSON knows no NaN: where nothing was measured there is null, and the expectation does not hold."""
    ended = replsim("run", small, "--format", "json", "--set", "primary.synchronous_standby_names=ANY 3 (s1, s2)")
    found = json.loads(ended.out)
    assert ended.code == 1
    assert found["metrics"]["commit_latency.p50"] is None
    assert found["expectations"][0] == {"expectation": "commit_latency.p99 < 1s", "value": None, "held": False}


def test_csv_has_a_line_a_metric(replsim: Replsim, small: Path) -> None:
    """The CSV agrees with the JSON, and names each unit."""
    rows = list(csv.DictReader(io.StringIO(replsim("run", small, "--format", "csv").out)))
    metrics = json.loads(replsim("run", small, "--format", "json").out)["metrics"]
    assert {row["metric"]: float(row["value"]) if row["value"] else None for row in rows} == metrics
    assert {row["unit"] for row in rows if row["metric"].startswith("commit_latency")} == {"s"}


def test_set_changes_one_value(replsim: Replsim, small: Path) -> None:
    """A commit that waits for no standby is quicker, with the same seed and so the same luck."""
    waits = json.loads(replsim("run", small, "--format", "json").out)["metrics"]
    local = ("--set", "primary.synchronous_commit=local")
    alone = json.loads(replsim("run", small, "--format", "json", *local).out)["metrics"]
    assert alone["commit_latency.p50"] < waits["commit_latency.p50"] - 0.002, "the round trip is saved"


def test_a_shipped_scenario_runs_by_its_name(
    replsim: Replsim, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name with its folder, or without it where only one is called so."""
    (tmp_path / "folder").mkdir()
    write(tmp_path / "folder" / "other.yaml", name="other")
    monkeypatch.setattr(front, "scenarios_folder", lambda: tmp_path)
    for name in ("folder/other", "other"):
        assert json.loads(replsim("run", name, "--format", "json").out)["scenario"] == "other"
    assert "did you mean 'other'" in replsim("run", "othr").err


def test_warnings_go_to_stderr_and_do_not_stop_the_run(replsim: Replsim, small: Path) -> None:
    """A rule that can never be met is allowed, as the database allows it, but not passed over in silence."""
    ended = replsim("run", small, "--format", "json", "--set", "primary.synchronous_standby_names=ANY 3 (s1, s2)")
    assert "warning: " in ended.err
    assert "never acknowledged" in ended.err
    assert json.loads(ended.out)["metrics"]["throughput"] == 0


def test_all_prints_every_metric(replsim: Replsim, small: Path) -> None:
    """``--all`` adds every metric that the JSON has."""
    names = json.loads(replsim("run", small, "--format", "json").out)["metrics"]
    lines = replsim("run", small, "--all").out.splitlines()
    first = {line.split(" ")[0] for line in lines}
    assert set(names) <= first


def test_measured_values_are_printed_beside(replsim: Replsim, small: Path) -> None:
    """What a real system showed stands in the scenario, and its ratio to the simulated in the table."""
    small.write_text(small.read_text(encoding="utf-8") + "measured: {commit_latency.p50: 1s}\n", encoding="utf-8")
    (line,) = (line for line in replsim("run", small).out.splitlines() if line.startswith("commit_latency.p50"))
    _, measured, unit, simulated, _, ratio = line.split()
    assert (measured, unit) == ("1", "s")
    assert float(ratio) == pytest.approx(float(simulated) / 1000, abs=0.001)


def test_ctrl_c_leaves_nothing_half_written(small: Path, tmp_path: Path) -> None:
    """A run that is interrupted ends with 130, and neither its folder nor a trace of it is there."""
    out = tmp_path / "results" / "out"
    arguments = ["run", str(small), "--set", "duration=2h", "--out", str(out)]
    # A test that is itself run in the background has Ctrl-C turned off, and hands that down.
    code = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    code += "from replsim.cli import main; main(sys.argv[1:])"
    with subprocess.Popen([sys.executable, "-c", code, *arguments], stderr=subprocess.PIPE, text=True) as started:
        deadline = time.monotonic() + 30
        while not list(tmp_path.glob("results/.out-*")) and time.monotonic() < deadline:
            time.sleep(0.02)
        started.send_signal(signal.SIGINT)
        try:
            _, err = started.communicate(timeout=30)
        finally:
            started.kill()
    assert started.returncode == 130
    assert err.endswith("interrupted: nothing was written\n")
    assert list((tmp_path / "results").iterdir()) == []


def test_ctrl_c_that_python_dropped_ends_the_run_all_the_same(
    replsim: Replsim, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interrupt that comes while a destructor runs is dropped by Python; the run ends at its next step."""
    monkeypatch.setattr(signal, "default_int_handler", lambda *_: None)
    monkeypatch.setattr(signal, "getsignal", lambda _: signal.default_int_handler)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def interrupted(*_: object, progress: front.Progress, **__: object) -> None:
        signal.raise_signal(signal.SIGINT)
        progress(0.5)

    monkeypatch.setattr(front, "run", interrupted)
    try:
        assert replsim("run", small).code == 130
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_progress_bar_shows_only_on_a_terminal(
    small: Path, replsim: Replsim, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where stderr is a terminal, a bar follows the run to its end; elsewhere there is none."""
    assert replsim("run", small, "--format", "json").err == ""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    ended = replsim("run", small, "--format", "json")
    assert "100%" in ended.err
    assert json.loads(ended.out)["scenario"] == "small"
