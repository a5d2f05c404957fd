"""Every mistake has its message: one file a mistake, and beside it the words that a user reads.

`UPDATE_GOLDENS=1 pytest tests/scenario` writes the words anew; look at what changed before you commit it.
"""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from pydantic import ValidationError

import replsim
from replsim.errors import Problem, ScenarioError
from replsim.scenario import Scenario, explain
from replsim.scenario.checks import CHECKS
from replsim.scenario.dialect import read
from replsim.scenario.overrides import apply, assignments
from replsim.scenario.warnings import WARNINGS, warnings
from replsim.scenario.yaml import load

HERE = Path(__file__).parent
PACKAGE = Path(replsim.__file__).parent
INVALID = sorted((HERE / "invalid").glob("*.yaml"))
WARNED = sorted((HERE / "warned").glob("*.yaml"))
MARK = "# set: "

GUARDED = (
    "units.py",
    *(f"randomness/{name}.py" for name in ("families", "distributions", "samples")),
    *(f"rules/{name}.py" for name in ("acks", "promises", "routing")),
    *(
        f"scenario/{name}.py"
        for name in (
            "base",
            "clients",
            "dialect",
            "expect",
            "failover",
            "faults",
            "model",
            "network",
            "nodes",
            "overrides",
        )
    ),
    "scenario/yaml.py",
)
"""The files whose every refusal must be reached by one of the invalid scenarios."""

ELSEWHERE = {
    "a frozen scipy.stats distribution needs a unit": "tests/units/test_distributions.py: only from Python",
    "expected a frozen scipy.stats distribution": "tests/units/test_distributions.py: only from Python",
    "is larger than {LARGEST_FILE_BYTES}": "tests/units/test_samples.py: too large a file to keep here",
    "cannot read files: write the samples": "tests/scenario/test_yaml.py: only of text without a folder",
    "Problem((), most, file)": "tests/scenario/test_yaml.py: too large a file to keep here",
    'not UTF-8 text", file': "tests/scenario/test_yaml.py: only of text from Python",
    "cannot be read: {error.strerror}": "tests/scenario/test_yaml.py: only of a file that is not there",
    "raise ScenarioError(explain(error": "tests/scenario/test_model.py: `changed`",
    "the path is empty": "tests/scenario/test_overrides.py: only from Python",
    "raise ScenarioError(found)": "tests/scenario/test_model.py: only from Python",
}
"""Refusals that no file can show, and the test that shows them."""


def overrides(file: Path) -> dict[str, str]:
    """The ``--set`` values that a file's first lines ask for."""
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    return assignments([line.removeprefix(MARK) for line in lines if line.startswith(MARK)]) if lines else {}


def refusal(file: Path) -> str:
    """What is printed for an invalid file, its problems one below the other."""
    with pytest.raises(ScenarioError) as caught:
        load(file.name, overrides=overrides(file))
    return f"{caught.value}\n"


def golden(file: Path, words: str) -> None:
    """Compare with the words on file, or write them where that is asked for."""
    expected = file.with_suffix(".txt")
    if os.environ.get("UPDATE_GOLDENS"):
        expected.write_text(words, encoding="utf-8")
    assert words == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("file", INVALID, ids=lambda file: file.stem)
def test_an_invalid_scenario_is_refused_in_these_words(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each invalid scenario is refused with the place, the mistake and the mend that stand beside it."""
    monkeypatch.chdir(file.parent)
    golden(file, refusal(file))


@pytest.mark.parametrize("file", WARNED, ids=lambda file: file.stem)
def test_a_doubtful_scenario_loads_and_is_warned_of(file: Path) -> None:
    """Each doubtful scenario can be run, and draws the warning that stands beside it."""
    golden(file, "".join(f"{problem}\n" for problem in warnings(load(file))))


def test_every_golden_file_belongs_to_a_scenario() -> None:
    """No words are left behind by a scenario that is gone."""
    words = {file.with_suffix(".yaml") for kind in ("invalid", "warned") for file in (HERE / kind).glob("*.txt")}
    assert words == {*INVALID, *WARNED}


def test_no_message_speaks_of_python_or_pydantic(monkeypatch: pytest.MonkeyPatch) -> None:
    """The words are the user's: no class names, no 'Input should be', no 'Value error'."""
    for file in INVALID:
        text = file.with_suffix(".txt").read_text(encoding="utf-8")
        for foreign in (
            "Input should",
            "Value error",
            "Field required",
            "dict",
            "tuple",
            "NoneType",
            "True",
            "None",
            "str(",
        ):
            assert foreign not in text, f"{file.name} says {foreign!r}"


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_every_cross_check_refuses_something(check: Callable[[Scenario], Any], sound_parts: list[Scenario]) -> None:
    """Each cross-check is the one that refuses at least one of the invalid scenarios."""
    assert any(list(check(scenario)) for scenario in sound_parts)


@pytest.mark.parametrize("warning", WARNINGS, ids=lambda warning: warning.__name__)
def test_every_warning_is_drawn(warning: Callable[[Scenario], Any]) -> None:
    """Each warning is drawn by at least one of the doubtful scenarios."""
    assert any(list(warning(load(file))) for file in WARNED)


def test_every_kind_of_wrong_shape_is_put_into_words() -> None:
    """Each sentence for one of pydantic's errors is used, and no error of pydantic's is without its sentence."""
    seen = set()
    for file in INVALID:
        try:
            document = read(file.read_text(encoding="utf-8", errors="replace"), file.name)
            apply(document, overrides(file))
            Scenario.model_validate(document.data, context={"folder": file.parent, "checks_later": True})
        except ScenarioError:
            continue
        except ValidationError as error:
            seen |= {detail["type"] for detail in error.errors()}
    assert seen == explain.KINDS


def refusals(path: Path) -> dict[int, str]:
    """The lines of a file that refuse something, and what stands there."""
    source = path.read_text(encoding="utf-8")
    found = {}
    for node in ast.walk(ast.parse(source)):
        text = ast.get_source_segment(source, node) or ""
        call = node.func.attr if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else ""
        if (isinstance(node, ast.Raise) and "AssertionError" not in text) or call in ("_note", "_stop"):
            found[node.lineno] = text
    return found


def executed(files: set[str], run: Callable[[], None]) -> set[tuple[str, int]]:
    """The lines of ``files`` that ``run`` reaches."""
    lines: set[tuple[str, int]] = set()

    def local(frame: FrameType, event: str, _: Any) -> Any:
        lines.add((frame.f_code.co_filename, frame.f_lineno))
        return local

    before = sys.gettrace()
    sys.settrace(lambda frame, event, arg: local if frame.f_code.co_filename in files else None)
    try:
        run()
    finally:
        sys.settrace(before)
    return lines


def test_every_refusal_is_reached_by_an_invalid_scenario(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line that refuses something is reached by an invalid scenario, or named with the test that reaches it."""
    monkeypatch.chdir(HERE / "invalid")
    paths = {str(PACKAGE / name): refusals(PACKAGE / name) for name in GUARDED}

    def run() -> None:
        for file in INVALID:
            refusal(file)

    reached = executed(set(paths), run)
    missed = {
        f"{Path(path).name}:{line}": text
        for path, lines in paths.items()
        for line, text in lines.items()
        if (path, line) not in reached
    }
    unexplained = {place: text for place, text in missed.items() if not any(words in text for words in ELSEWHERE)}
    assert unexplained == {}
    idle = [words for words in ELSEWHERE if not any(words in text for text in missed.values())]
    assert idle == []


@pytest.fixture(scope="module")
def sound_parts() -> list[Scenario]:
    """The invalid scenarios whose parts are sound, so that only a cross-check can refuse them."""
    scenarios = []
    for file in INVALID:
        try:
            document = read(file.read_text(encoding="utf-8", errors="replace"), file.name)
            apply(document, overrides(file))
            context = {"folder": file.parent, "checks_later": True}
            scenarios.append(Scenario.model_validate(document.data, context=context))
        except (ScenarioError, ValidationError):
            continue
    return scenarios


def test_a_problem_without_a_file_says_its_place() -> None:
    """A problem that no file has is shown by its path alone."""
    assert str(Problem(("links", "p -> s1"), "is odd")) == 'links."p -> s1": is odd'
