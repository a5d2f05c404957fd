"""Studies as YAML files: a question to a scenario that takes many runs, read as strictly as scenarios are.

::

    name: distance
    question: How far away may a synchronous standby be?
    scenario: three-nodes
    set: {duration: 10s}
    study:
      sweep: {"links.p -> s1.latency": "1ms..50ms:6"}
      metrics: [commit_latency.p99]
      seeds: 10

``study`` says one of ``replicate``, ``compare``, ``sweep``, ``search`` and ``sensitivity``, and how.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, Unpack

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from replsim import front
from replsim.errors import Problem, ScenarioError
from replsim.scenario.base import Count, Part
from replsim.scenario.dialect import read
from replsim.scenario.explain import explain
from replsim.study.compare import Comparison, compare
from replsim.study.conductor import How
from replsim.study.knobs import text_of
from replsim.study.replicate import Replication, replicate
from replsim.study.search import Search, search
from replsim.study.sensitivity import Sensitivity, sensitivity
from replsim.study.sweep import Sweep, sweep

__all__ = ["Found", "StudyFile", "find", "load", "shipped"]

Found = Replication | Comparison | Sweep | Search | Sensitivity
"""What a study comes to."""

_SEEDS: Final = {"replicate": 20, "compare": 20, "sweep": 5, "search": 5, "sensitivity": 3}
"""Runs of each setting where the file does not say."""


def _values(value: Any) -> Any:
    """Values of a knob: a list of anything, or one text; numbers and truth values become what ``--set`` takes."""
    if isinstance(value, list):
        return [text_of(each) for each in value]
    return value if isinstance(value, str) else [text_of(value)]


def _text(value: Any) -> Any:
    return text_of(value) if isinstance(value, bool | int | float | list | dict) else value


def _texts(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Knobs = dict[str, Annotated[tuple[str, ...] | str, BeforeValidator(_values)]]
Texts = Annotated[tuple[str, ...], BeforeValidator(_texts)]


class Study(Part):
    """What is to be found out, by one kind of study."""

    replicate: bool | None = None
    """The scenario with many seeds."""
    compare: Knobs | Texts | None = None
    """Paths and values, or other scenarios, to compare it with."""
    sweep: Knobs | None = None
    """Paths and the values that they take."""
    search: Knobs | None = None
    """The space in which the best settings are looked for."""
    sensitivity: Knobs | None = None
    """The space over which it is asked what matters."""
    metrics: Texts | None = None
    """What is measured."""
    seeds: Count | None = None
    """Runs of each setting."""
    until: str | None = None
    """Of ``replicate``: add seeds until intervals are narrow, such as ``relative_half_width<2%``."""
    most: Count | None = None
    """Of ``replicate`` and ``search``: never more seeds than this."""
    design: Literal["grid", "latin", "sobol"] | None = None
    """Of ``sweep``: how settings are chosen."""
    points: Count | None = None
    """Of ``sweep``, by latin or sobol: how many settings."""
    where: Texts = ()
    """Of ``search``: the conditions that must hold."""
    minimize: Texts = ()
    """Of ``search``: what is to be small."""
    maximize: Texts = ()
    """Of ``search``: what is to be large."""
    cost: dict[str, dict[str, float]] | None = None
    """Of ``search``: what each value of a knob costs."""
    by: Literal["grid", "optuna", "morris", "sobol"] | None = None
    """Of ``search`` (grid, optuna) and of ``sensitivity`` (morris, sobol): the method."""
    trials: Count | None = None
    """Of ``search`` by optuna: how many settings are tried."""
    samples: Count | None = None
    """Of ``sensitivity``: how many ways through the space."""

    @property
    def kind(self) -> str:
        """Which kind of study it is."""
        return next(kind for kind in _OWN if getattr(self, kind) is not None)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        kinds = [kind for kind in _OWN if getattr(self, kind) is not None]
        if len(kinds) != 1:
            raise ValueError(f"give exactly one of {', '.join(_OWN)}")
        known = {kinds[0], "metrics", "seeds", *_OWN[kinds[0]]}
        if strange := sorted(self.model_fields_set - known):
            raise ValueError(f"{strange[0]!r} does not belong to {kinds[0]}, which takes {', '.join(sorted(known))}")
        if kinds[0] == "search" and self.metrics is not None:
            raise ValueError("a search measures what its conditions and goals name: leave metrics out")
        if kinds[0] == "sensitivity" and not self.metrics:
            raise ValueError("what do the knobs matter to? Give metrics, such as [commit_latency.p99]")
        return self


_OWN: Final[Mapping[str, tuple[str, ...]]] = {
    "replicate": ("until", "most"),
    "compare": (),
    "sweep": ("design", "points"),
    "search": ("where", "minimize", "maximize", "cost", "by", "trials", "most"),
    "sensitivity": ("by", "samples"),
}
"""The kinds of study, and what each takes besides its knobs, metrics and seeds."""


class StudyFile(Part):
    """A study: its question, the scenario that it is about, and what is done with it."""

    name: Annotated[str, Field(min_length=1, max_length=200, examples=["distance"])]
    """A short name."""
    question: str = ""
    """The question that it asks, in a sentence."""
    finding: str = ""
    """The answer, in a sentence."""
    scenario: Annotated[str, Field(examples=["three-nodes"])]
    """The scenario: a file beside this one, or the name of a shipped one."""
    set: dict[str, Annotated[str, BeforeValidator(_text)]] = {}
    """Values that hold in every setting, by path."""
    study: Study
    """What is to be found out."""

    def run(
        self, *, folder: Path | None = None, seeds: int | None = None, overrides: Mapping[str, str] | None = None,
        **how: Unpack[How],
    ) -> Found:  # fmt: skip
        """Do it.  ``seeds`` and ``overrides`` make it smaller or larger than the file says.

        ``folder`` is where the scenario is looked for first.  Raises as the function that the kind is named for.
        """
        one = self.study
        base, fixed = self._near(self.scenario, folder), {**self.set, **(overrides or {})}
        count = seeds or one.seeds or _SEEDS[one.kind]
        given = one.model_fields_set
        more = {name: getattr(one, name) for name in _OWN[one.kind] if name in given}
        if one.kind == "search":
            assert one.search is not None
            return search(base, one.search, seeds=count, overrides=fixed, **more, **how)
        if one.kind == "sensitivity":
            assert one.sensitivity is not None
            assert one.metrics is not None
            return sensitivity(base, one.sensitivity, one.metrics, seeds=count, overrides=fixed, **more, **how)
        if one.kind == "sweep":
            assert one.sweep is not None
            return sweep(base, one.sweep, count, metrics=one.metrics, overrides=fixed, **more, **how)
        if one.kind == "replicate":
            return replicate(base, count, metrics=one.metrics, overrides=fixed, **more, **how)
        if isinstance(one.compare, dict):
            return compare(base, one.compare, count, metrics=one.metrics, overrides=fixed, **how)
        every = [base, *(self._near(name, folder) for name in one.compare or ())]
        return compare(every, None, count, metrics=one.metrics, overrides=fixed, **how)

    def _near(self, name: str, folder: Path | None) -> str | Path:
        """A scenario's file beside the study's, if there is one; else its name."""
        near = folder / name if folder else Path(name)
        return near if near.is_file() else name


def load(file: str | Path) -> tuple[StudyFile, Path]:
    """The study in a file, or the shipped one of that name, and its folder.

    Raises `ScenarioError` with every problem, each with its line.
    """
    path = find(file)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError([Problem((), f"cannot be read: {error}", str(path))]) from None
    document = read(text, str(path))
    if isinstance(document.data, dict) and "study" not in document.data and "duration" in document.data:
        problem = Problem((), f"is a scenario, not a study: `replsim run {file}` runs it", str(path))
        raise ScenarioError([problem])
    problems = list(document.problems)
    try:
        found = StudyFile.model_validate(document.data)
    except ValidationError as error:
        raise ScenarioError([*problems, *explain(error, StudyFile, document)]) from None
    if problems:
        raise ScenarioError(problems)
    return found, path.parent


def shipped() -> dict[str, Path]:
    """The shipped studies by name."""
    folder = front.scenarios_folder() / "studies"
    return {file.stem: file for file in sorted(folder.glob("*.yaml"))}


def find(name: str | Path) -> Path:
    """The file that ``name`` stands for: a path, or a shipped study.  Raises `ScenarioError`."""
    known = shipped()
    if Path(name).is_file():
        return Path(name)
    if str(name).removeprefix("studies/") in known:
        return known[str(name).removeprefix("studies/")]
    listed = f"shipped are {', '.join(known)}" if known else "none is shipped"
    raise ScenarioError([Problem((), f"there is no such file, and no shipped study of that name; {listed}", str(name))])
