"""Files and ``--set`` changes to scenarios, with every mistake in any of them told at once, each in its line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from replsim import front
from replsim.errors import Problem, ScenarioError
from replsim.scenario import Scenario
from replsim.scenario.dialect import read
from replsim.scenario.overrides import apply

__all__ = ["Loaded", "load_all", "overrides"]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A scenario, and the file that it came from."""

    scenario: Scenario
    file: Path
    changes: Mapping[str, str]

    def placed(self, problems: Sequence[Problem]) -> list[Problem]:
        """Problems, each with its line in the file."""
        document = read(self.file.read_text(encoding="utf-8-sig"), str(self.file))
        apply(document, self.changes)
        return [document.at(problem.path, problem.message) for problem in problems]


def load_all(files: Sequence[str], changes: Sequence[str]) -> list[Loaded]:
    """Every scenario, changed and checked; raises one `ScenarioError` with the problems of all."""
    wanted = overrides(changes)
    found: list[Loaded] = []
    problems: list[Problem] = []
    for name in files:
        try:
            file = front.find(name)
            found.append(Loaded(front.load(file, overrides=wanted), file, wanted))
        except ScenarioError as error:
            problems += error.problems
    if problems:
        raise ScenarioError(problems)
    return found


def overrides(changes: Sequence[str]) -> Mapping[str, str]:
    """The paths and values of ``--set PATH=VALUE``; the last one for a path wins.

    >>> overrides(['links."p -> s1".latency=5ms'])
    {'links."p -> s1".latency': '5ms'}
    """
    found = {}
    for change in changes:
        path, equals, value = change.partition("=")
        if not (path.strip() and equals):
            raise ScenarioError([Problem((), f"--set takes PATH=VALUE, such as primary.name=db1, not {change!r}")])
        found[path.strip()] = value.strip()
    return found
