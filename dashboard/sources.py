"""A `Setup` as a checked scenario.  Nothing that a stranger can write – an upload, a URL – reads a file.

An upload is read without a folder, so a sample file in it is refused.  A shipped scenario may name sample files; a
change to it may not name another one.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from dashboard.links import UPLOAD, Setup
from replsim import front
from replsim.errors import Problem, ScenarioError
from replsim.scenario import Scenario
from replsim.scenario import yaml as reader
from replsim.scenario.dialect import read
from replsim.scenario.overrides import apply
from replsim.scenario.starter import starter

__all__ = ["PROFILES", "base_scenario", "gallery", "scenario_of"]

PROFILES: Final = {"profile/postgresql": "PostgreSQL, a realistic cluster of three nodes to start from"}
"""What a setup may start from besides a shipped scenario."""


@lru_cache(maxsize=64)
def scenario_of(setup: Setup) -> Scenario:
    """The scenario of a setup, checked.  Raises `ScenarioError` with every problem, each in its line."""
    changes = dict(setup.changes)
    if setup.base == UPLOAD or setup.base in PROFILES:
        text = setup.text if setup.base == UPLOAD else starter()
        return reader.loads(text, file="your file", overrides=changes, checks=(front.metric_problems,))
    if setup.base not in front.shipped():
        raise ScenarioError([Problem((), "there is no shipped scenario of this name", setup.base)])
    path = front.shipped()[setup.base]
    _refuse_other_files(path.read_text(encoding="utf-8"), changes)
    return front.load(path, overrides=changes)


def base_scenario(setup: Setup) -> Scenario:
    """The scenario of a setup without its changes."""
    return scenario_of(Setup(setup.base, text=setup.text))


@lru_cache(maxsize=1)
def gallery() -> dict[str, str]:
    """The shipped scenarios by name, each with its question; the quickstart first."""
    names = sorted(front.shipped(), key=lambda name: (not name.startswith("quickstart/"), name))
    return {name: scenario_of(Setup(name)).question.strip() for name in names} | PROFILES


def _refuse_other_files(text: str, changes: dict[str, str]) -> None:
    """Raise `ScenarioError` where ``changes`` make a shipped scenario read a file that it did not read before."""
    document = read(text, "")
    before = _named_files(document.data)
    apply(document, changes)
    if _named_files(document.data) - before:
        raise ScenarioError([Problem((), "a link cannot make a scenario read another file: use the command line")])


def _named_files(part: Any) -> set[str]:
    """Whatever stands under a key ``file``, at any depth."""
    if isinstance(part, list):
        return {name for inner in part for name in _named_files(inner)}
    if not isinstance(part, dict):
        return set()
    own = {str(part["file"])} if "file" in part else set()
    return own | _named_files(list(part.values()))
