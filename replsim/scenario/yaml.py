"""Scenarios as YAML files: read with every problem at once, each with its line; and written back.

`loads` reads in three steps: the text into plain data (`replsim.scenario.dialect`), the data into models
(`replsim.scenario.explain` puts pydantic's errors into words), and the models' cross-checks
(`replsim.scenario.checks`), which run only on sound parts.  A caller that knows more than a scenario does, such as
which metrics there are, adds ``checks`` of its own, so that one reading tells all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import ValidationError

from replsim.errors import Problem, ScenarioError
from replsim.scenario.checks import problems
from replsim.scenario.dialect import LARGEST_BYTES, read, scalar
from replsim.scenario.explain import explain
from replsim.scenario.model import Scenario
from replsim.scenario.overrides import apply

__all__ = ["Check", "dumps", "load", "loads"]

Check = Callable[[Scenario], list[Problem]]
"""Finds what is wrong with a scenario of sound parts."""


def load(path: str | Path, *, overrides: Mapping[str, str] | None = None, checks: Sequence[Check] = ()) -> Scenario:
    """The scenario in a file; sample files are looked for beside it.

    ``overrides`` are values to set, by path, such as ``{"primary.synchronous_commit": "local"}``; ``checks`` are
    made beside the scenario's own.  Raises `ScenarioError` with every problem found.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise ScenarioError([Problem((), f"cannot be read: {error.strerror}", str(path))]) from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ScenarioError([Problem((), f"line {line} is not UTF-8 text", str(path))]) from None
    return loads(text, file=str(path), folder=path.parent, overrides=overrides, checks=checks)


def loads(
    text: str,
    *,
    file: str = "<text>",
    folder: Path | None = None,
    overrides: Mapping[str, str] | None = None,
    checks: Sequence[Check] = (),
) -> Scenario:
    """The scenario in ``text``; ``file`` is its name in messages.

    ``folder`` is where sample files are looked for; without it none is read, so text from elsewhere cannot read
    files here.  Raises `ScenarioError` with every problem found, in the file's order.
    """
    document = read(text, file)
    apply(document, overrides or {})
    found = list(document.problems)
    spelled = {problem.path for problem in found}
    try:
        scenario = Scenario.model_validate(document.data, context={"folder": folder, "checks_later": True})
    except ValidationError as error:
        # What is misspelt is not also reported as misplaced.
        found += [
            problem
            for problem in explain(error, Scenario, document)
            if not any(problem.path[:k] in spelled for k in range(1, len(problem.path) + 1))
        ]
        raise ScenarioError(_in_order(found)) from None
    if not found:
        wrong = [problem for check in (problems, *checks) for problem in check(scenario)]
        found = [document.at(problem.path, problem.message) for problem in wrong]
    if found:
        raise ScenarioError(_in_order(found))
    return scenario


def _in_order(found: list[Problem]) -> list[Problem]:
    """In the file's order, the overrides after it."""
    return sorted(found, key=lambda problem: (problem.line == 0, problem.line, problem.column))


def dumps(scenario: Scenario) -> str:
    """The canonical YAML of a scenario: defaults left out, keys in the models' order; `loads` reads it back."""
    return yaml.dump(
        scenario.model_dump(mode="json", exclude_defaults=True),
        Dumper=_Dumper,
        sort_keys=False,
        default_flow_style=None,
        allow_unicode=True,
        width=120,
    )


_TAGS: Final = {
    type(None): "tag:yaml.org,2002:null",
    bool: "tag:yaml.org,2002:bool",
    int: "tag:yaml.org,2002:int",
    float: "tag:yaml.org,2002:float",
    str: "tag:yaml.org,2002:str",
}


class _Dumper(yaml.SafeDumper):
    """Puts in quotes exactly the text that this dialect would read as something else; never writes an alias."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML's signature
        return True

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        """The tag that plain text would be read with; the emitter quotes text for which that is not a string."""
        if kind is yaml.ScalarNode and implicit[0]:
            return _TAGS[type(scalar(value))]
        return super().resolve(kind, value, implicit)  # type: ignore[no-untyped-call]


def _text(dumper: _Dumper, text: str) -> Any:
    """Text; where it holds one of Unicode's line ends, in double quotes, the only style that keeps it."""
    style = '"' if set(text) & set("\x85\u2028\u2029\ufeff") else None
    return dumper.represent_scalar(_TAGS[str], text, style=style)


_Dumper.add_representer(str, _text)
