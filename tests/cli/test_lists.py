"""The commands that say what there is: scenarios, metrics, schema, new, check, dashboard, help."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from replsim import front
from replsim.analysis import METRICS, families
from tests.cli.conftest import Replsim, write


def test_help_teaches_the_first_steps(replsim: Replsim) -> None:
    """The first page names every command, and an order in which to try them."""
    for arguments in ([], ["--help"], ["-h"]):
        ended = replsim(*arguments)
        page = ended.out + ended.err
        for command in ("run", "check", "scenarios", "metrics", "new", "schema", "dashboard"):
            assert f"\n  {command} " in page
        assert "replsim run SCENARIO --set primary.synchronous_commit=off" in page
        assert "Exit codes: 0 all is well, 1 an expectation failed, 2 the input is wrong" in page


def test_version_is_the_package_s(replsim: Replsim) -> None:
    """``--version`` prints what is installed."""
    assert replsim("--version").out == f"replsim {version('replsim')}\n"


def test_an_unknown_command_or_option_ends_with_2(replsim: Replsim) -> None:
    """A misspelt command is wrong input like any other."""
    assert replsim("rnu").code == 2
    assert replsim("run", "--sed", "1").code == 2


def test_metrics_are_listed_with_unit_and_definition(replsim: Replsim) -> None:
    """Every registered metric is there, in each format."""
    found = json.loads(replsim("metrics", "--format", "json").out)
    assert [metric["name"] for metric in found] == list(METRICS)
    assert all(metric["unit"] and metric["definition"].endswith(".") for metric in found)
    page = replsim("metrics", "--format", "markdown").out.splitlines()
    assert page[:2] == ["| name | unit | of | definition |", "| --- | --- | --- | --- |"]
    assert len(page) == 2 + len(METRICS)
    assert all(line.count("|") == 5 for line in page)
    table = replsim("metrics").out
    for family in families(METRICS.values()):
        assert family[0].name in table
        assert all(f"  .{metric.name.rpartition('.')[2]} " in table for metric in family[1:])


def test_words_filter_the_metrics(replsim: Replsim) -> None:
    """All words must be in the name or the definition; no hit is an error, not an empty page."""
    names = [metric["name"] for metric in json.loads(replsim("metrics", "lag", "P99", "--format", "json").out)]
    assert "lag.seconds.p99" in names
    assert all("lag" in name or "lag" in METRICS[name].definition for name in names)
    nothing = replsim("metrics", "zeppelin")
    assert nothing.code == 2
    assert "no metric speaks of zeppelin" in nothing.err


def test_the_shipped_scenarios_are_listed_with_their_questions(replsim: Replsim) -> None:
    """Each one has a question, and its name runs it."""
    found = json.loads(replsim("scenarios", "--format", "json").out)
    assert [each["name"] for each in found] == list(front.shipped())
    assert "quickstart/three-nodes" in front.shipped()
    assert all(each["question"].endswith("?") for each in found)


def test_the_schema_is_a_schema_that_takes_every_shipped_scenario(replsim: Replsim) -> None:
    """What an editor completes by is sound, and refuses a key that there is not."""
    schema = json.loads(replsim("schema").out)
    Draft202012Validator.check_schema(schema)
    assert not Draft202012Validator(schema).is_valid({"name": "x", "duration": "1s", "nonsense": 1})
    assert Draft202012Validator(schema).is_valid({"name": "x", "duration": "1s"})


def test_new_writes_a_scenario_that_runs(replsim: Replsim, tmp_path: Path) -> None:
    """The starter is sound as it stands, and is full of comments."""
    file = tmp_path / "folder" / "mine.yaml"
    ended = replsim("new", file)
    assert ended.code == 0
    assert f"replsim check {file}" in ended.out
    assert replsim("check", file).code == 0
    lines = file.read_text(encoding="utf-8").splitlines()
    assert sum("#" in line for line in lines) > len(lines) / 3
    assert [path.name for path in file.parent.iterdir()] == ["mine.yaml"]


def test_new_overwrites_nothing_unless_forced(replsim: Replsim, tmp_path: Path) -> None:
    """A file that is there is somebody's work."""
    file = tmp_path / "mine.yaml"
    file.write_text("precious", encoding="utf-8")
    refused = replsim("new", file)
    assert (refused.code, file.read_text(encoding="utf-8")) == (2, "precious")
    assert replsim("new", file, "--force").code == 0
    assert file.read_text(encoding="utf-8") != "precious"


def test_check_tells_the_size_of_a_run(replsim: Replsim, small: Path) -> None:
    """A sound scenario gets an estimate of events, memory and time, and nothing runs."""
    ended = replsim("check", small)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith(f"{small}: sound; a run is roughly ")
    for word in ("commits", "reads", "MB", "engine stages: nothing in it waits for an answer"):
        assert word in ended.out


def test_check_goes_on_after_a_file_that_is_wrong(replsim: Replsim, small: Path, tmp_path: Path) -> None:
    """Each file is judged; one that is wrong decides the exit code, and its every mistake is told."""
    wrong = write(tmp_path / "wrong.yaml", expect="nonsense < 1s\n  - commit_latency.p50 < 1 MB")
    ended = replsim("check", wrong, small)
    assert ended.code == 2
    assert "expect[0]: unknown metric 'nonsense'" in ended.err
    assert "expect[1]: commit_latency.p50: " in ended.err
    assert f"{small}: sound" in ended.out


def test_check_warns_of_what_cannot_work(replsim: Replsim, small: Path) -> None:
    """A warning has its place in the file, and does not make the scenario wrong."""
    text = small.read_text(encoding="utf-8").replace("ANY 1", "ANY 3")
    small.write_text(text, encoding="utf-8")
    ended = replsim("check", small)
    assert ended.code == 0
    assert f"warning: {small}:7:" in ended.out
    assert "never acknowledged" in ended.out


def test_a_closed_pipe_ends_quietly() -> None:
    """`replsim metrics | head -1` shows one line and no traceback."""
    with subprocess.Popen(
        [sys.executable, "-m", "replsim", "metrics"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as started:
        assert started.stdout is not None
        assert started.stderr is not None
        assert started.stdout.readline().split()[:2] == ["name", "unit"]
        started.stdout.close()
        assert "Traceback" not in started.stderr.read()


@pytest.mark.parametrize("name", ["three-nodes", "quickstart/three-nodes", "scenarios/quickstart/three-nodes.yaml"])
def test_a_shipped_scenario_has_several_names(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its path, its name, and its name with the folder all find the same file."""
    monkeypatch.chdir(Path(__file__).parents[2])
    assert front.find(name).resolve() == front.shipped()["quickstart/three-nodes"]
