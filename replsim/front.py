"""The front door: load a scenario, run it.  The command line, notebooks and the dashboard all come in here."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal

from replsim.choice import ENGINES, Choice, choose, sections, simulate
from replsim.errors import Problem, ScenarioError, UnitError, UnknownMetric, UnsupportedScenario
from replsim.record import Record
from replsim.result import Result, measurement
from replsim.scenario import Scenario
from replsim.scenario import yaml as reader
from replsim.scenario.warmup import AUTO

__all__ = [
    "ENGINES",
    "Choice",
    "Progress",
    "choose",
    "find",
    "load",
    "loads",
    "metric_problems",
    "run",
    "scenarios_folder",
    "shipped",
]

Progress = Callable[[float], None]
"""Is told the fraction of the run that is done, from 0 to 1; what it raises ends the run."""


def run(
    scenario: Scenario | str | Path,
    *,
    seed: int | None = None,
    engine: str = "auto",
    keep: Literal["all", "metrics"] = "all",
    progress: Progress | None = None,
) -> Result:
    """Run a scenario (or the file, or the shipped scenario, of that name) and give what happened.

    ``seed`` replaces the scenario's own.  ``progress`` is called now and then with the fraction that is done; an
    exception that it raises cancels the run, leaves nothing behind and comes out here.  Raises `ScenarioError`
    where the scenario, or what it expects, is wrong, and `UnsupportedScenario` for an engine that there is not, or
    that cannot run it.  ``auto`` takes the fastest that can, and the result says which and why.

    With ``keep="metrics"`` the record is not kept, so that memory does not grow with the duration of the run: counts,
    means and largest values are exact, percentiles to within one per cent, and metrics that need the whole record are
    not there.  Only the stage engine does that.
    """
    if not isinstance(scenario, Scenario):
        scenario = load(scenario)
    wrong = metric_problems(scenario)
    if wrong:
        raise ScenarioError(wrong)
    own = scenario.seed if seed is None else seed
    if keep == "metrics":
        return _streamed(scenario, own, engine, progress)
    record, reason = simulate(scenario, own, engine, progress)
    return Result(_settled(record) if scenario.warmup == AUTO else record, engine_reason=reason)


def _settled(record: Record) -> Record:
    """The record with the warm-up that its scenario left to be found, in whole milliseconds."""
    from replsim.analysis.settling import settled_from

    found = -(-settled_from(record) // 1_000_000) * 1_000_000
    return replace(record, scenario=record.scenario.model_copy(update={"warmup": found}))


def _streamed(scenario: Scenario, seed: int, engine: str, progress: Progress | None) -> Result:
    """Run it section by section, and add up."""
    from replsim.analysis import streamed
    from replsim.streamed import StreamedResult

    if scenario.warmup == AUTO:
        raise UnsupportedScenario("a warm-up can be found only in a run that keeps its record: give one, or keep='all'")
    streamed.refuse(scenario)
    names = streamed.streamed_names(scenario)
    asked: list[tuple[tuple[str | int, ...], str]] = [
        (("expect", place), each.metric) for place, each in enumerate(scenario.expect)
    ]
    asked += [(("measured", metric), metric) for metric in scenario.measured]
    wrong = [Problem(path, streamed.not_streamed(metric)) for path, metric in asked if metric not in names]
    if wrong:
        raise ScenarioError(wrong)
    found = streamed.Streamed(scenario, seed)
    parts, reason = sections(scenario, seed, engine, streamed.reach(scenario), progress)
    for section in parts:
        found.add(section)
    return StreamedResult(section, f"{reason}; only metrics are kept", found)


def load(name: str | Path, *, overrides: Mapping[str, str] | None = None) -> Scenario:
    """Read a scenario from a YAML file, or the shipped one of that name, and check it.

    ``overrides`` replaces values by their path, as ``--set`` does: ``{"writers.app.rate": "800/s"}``.  Raises
    `ScenarioError` with every problem found, each with its line.
    """
    return reader.load(find(name), overrides=overrides or {}, checks=(metric_problems,))


def loads(text: str, *, overrides: Mapping[str, str] | None = None) -> Scenario:
    """Read a scenario from YAML text, and check it: `load` without a file."""
    return reader.loads(text, overrides=overrides or {}, checks=(metric_problems,))


def scenarios_folder() -> Path:
    """Where the shipped scenarios are: in the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent
    installed = package / "_scenarios"
    return installed if installed.is_dir() else package.parent / "scenarios"


def shipped() -> dict[str, Path]:
    """The shipped scenarios by name, such as ``quickstart/first``: the file's path without its ending.

    What lies in ``studies`` are studies of scenarios, which `replsim.study` reads.
    """
    folder = scenarios_folder()
    files = [file for file in sorted(folder.rglob("*.yaml")) if file.relative_to(folder).parts[0] != "studies"]
    return {file.relative_to(folder).with_suffix("").as_posix(): file for file in files}


def find(name: str | Path) -> Path:
    """The file that ``name`` stands for: a path, or a shipped scenario with or without its folder's name.

    Raises `ScenarioError`, with what was perhaps meant.
    """
    path = Path(name)
    if path.is_file():
        return path
    text = path.as_posix()
    known = shipped()
    if text in known:
        return known[text]
    alike = [file for full, file in known.items() if full.rpartition("/")[2] == text]
    if len(alike) == 1:
        return alike[0]
    raise ScenarioError([Problem((), _not_found(text, path, known), file=text)])


def _not_found(text: str, path: Path, known: Mapping[str, Path]) -> str:
    if path.is_dir():
        return "is a folder; name a file in it"
    names = [*known, *(full.rpartition("/")[2] for full in known)]
    close = difflib.get_close_matches(text.removesuffix(".yaml"), names, n=1)
    hint = f"did you mean {close[0]!r}?" if close else "`replsim scenarios` lists what is shipped"
    return f"there is no such file, and no shipped scenario of that name; {hint}"


def metric_problems(scenario: Scenario) -> list[Problem]:
    """What could not be judged after a run, so that it is refused before: nobody waits an hour for a misspelt metric.

    An expectation, or a measured value, that names no metric of this scenario's runs, or whose quantity does not fit.
    """
    from replsim.analysis import expectations, names_for
    from replsim.analysis.registry import unknown

    wrong = expectations.problems(scenario)
    names = names_for(scenario) if scenario.measured else []
    for metric, quantity in scenario.measured.items():
        path = ("measured", metric)
        try:
            measurement(metric, quantity)
            if metric not in names:
                wrong.append(Problem(path, unknown(metric, scenario)))
        except (UnknownMetric, UnitError) as error:
            wrong.append(Problem(path, str(error)))
    return wrong
