"""The guide to studies: its commands run, its Python runs, its file is a study."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from replsim.cli import main
from replsim.study import files

TEXT = (Path(__file__).parents[2] / "docs/studies.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ (replsim .*)$", TEXT, re.MULTILINE)


@pytest.fixture(autouse=True)
def own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REPLSIM_STORE", str(tmp_path / "runs.sqlite"))


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.split()[1])
def test_a_command_of_the_guide_runs(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """As it is printed, it ends well and prints a table."""
    words = shlex.split(command)
    assert words[0] == "replsim"
    with pytest.raises(SystemExit) as end:
        main(words[1:])
    assert not end.value.code
    assert len(capsys.readouterr().out.splitlines()) > 3


def test_the_guide_s_python_runs(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Its snippets, one after the other, in one session."""
    names: dict[str, object] = {}
    for code in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL):
        exec(code, names)
    assert "by t" in capsys.readouterr().out
    assert (tmp_path / "estimates.csv").stat().st_size > 1_000


def test_the_guide_s_file_is_a_study(tmp_path: Path) -> None:
    """It is read, and says what it is to do."""
    (text,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    (tmp_path / "distance.yaml").write_text(text)
    study, _ = files.load(tmp_path / "distance.yaml")
    assert study.study.kind == "sweep"
    assert study.study.seeds == 5
