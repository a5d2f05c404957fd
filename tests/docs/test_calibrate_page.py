"""The guide to calibration names commands and options that there are."""

from __future__ import annotations

import re
from pathlib import Path

import typer

from replsim.cli.app import app

PAGE = Path(__file__).parents[2] / "docs" / "calibrate.md"


def test_every_command_of_the_guide_is_there() -> None:
    """Each `replsim` line of the page parses: the command exists, and so does each of its options."""
    lines = re.findall(r"^\$ replsim (\w+)(.*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert {name for name, _ in lines} == {"observe", "calibrate", "check", "validate"}
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    for name, rest in lines:
        options = {option for parameter in commands[name].params for option in parameter.opts}
        assert set(re.findall(r"--[a-z]+", rest)) <= options, name
