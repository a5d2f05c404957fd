"""``replsim search`` and ``replsim sensitivity``: the settings on the front, and what drives a measure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import typer
from rich.text import Text

from replsim.cli.loading import overrides
from replsim.cli.means import Means
from replsim.cli.outlets import Outlets
from replsim.cli.replicate import print_failures, print_notes
from replsim.cli.studybar import study_bar
from replsim.cli.sweep import parted, short_paths
from replsim.cli.table import headed_table, plain_table, wide_console
from replsim.errors import StudyError
from replsim.study.goals import COST
from replsim.study.knobs import read
from replsim.study.search import By, Candidate, Search, search
from replsim.study.sensitivity import Method, Sensitivity, sensitivity
from replsim.study.words import short

__all__ = ["SearchOptions", "run_search", "run_sensitivity", "show_search", "show_sensitivity"]

_MARKS = {"met": ("✓ ", "green"), "open": ("? ", "yellow"), "not met": ("✗ ", "bold red")}


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """What the command line asked for, besides the scenario."""

    values: tuple[str, ...]
    where: Sequence[str]
    minimize: Sequence[str]
    maximize: Sequence[str]
    cost: Sequence[str]
    by: str
    trials: int | None
    seeds: int
    most: int | None


def run_search(file: str, options: SearchOptions, outlets: Outlets, means: Means) -> None:
    """Search, print and write."""
    outlets.check()
    space, fixed = parted(options.values)
    with study_bar("search") as listen:
        found = search(
            file,
            space,
            where=options.where,
            minimize=options.minimize,
            maximize=options.maximize,
            cost=costs(options.cost),
            by=one_of(options.by, By, "search"),
            trials=options.trials,
            seeds=options.seeds,
            most=options.most,
            overrides=fixed,
            **means.how(listen),
        )
    show_search(found, outlets)


def run_sensitivity(
    file: str,
    values: Sequence[str],
    metrics: Sequence[str] | None,
    how: tuple[str, int, int],
    outlets: Outlets,
    means: Means,
) -> None:
    """Find out what matters, print and write it; ``how``: the method, the samples and the seeds."""
    outlets.check()
    if not metrics:
        raise StudyError("what do the knobs matter to? Name a metric: -m commit_latency.p99")
    by, samples, seeds = how
    space, fixed = parted(values)
    with study_bar("sensitivity") as listen:
        found = sensitivity(
            file,
            space,
            metrics,
            by=one_of(by, Method, "sensitivity"),
            samples=samples,
            seeds=seeds,
            overrides=fixed,
            **means.how(listen),
        )
    show_sensitivity(found, outlets)


def one_of(word: str, literal: Any, about: str) -> Any:
    """The word as one of a literal's.  Raises `StudyError` where it is none."""
    if word not in get_args(literal):
        raise StudyError(f"there is no {about} by {word!r}; there are {', '.join(get_args(literal))}")
    return word


def costs(texts: Sequence[str]) -> Mapping[str, Mapping[str, float]]:
    """What each value of a knob costs, from ``PATH=VALUE:COST,…``.  Raises `StudyError`.

    >>> costs(["primary.synchronous_commit=off:0,on:2.5"])
    {'primary.synchronous_commit': {'off': 0.0, 'on': 2.5}}
    """
    found: dict[str, dict[str, float]] = {}
    for path, text in overrides(texts).items():
        for part in read(path, text).values:
            value, _, price = part.rpartition(":")
            try:
                found.setdefault(path, {})[value] = float(price)
            except ValueError:
                raise StudyError(f"--cost {path}: expected VALUE:COST such as on:2, got {part!r}") from None
    return found


def show_search(found: Search, outlets: Outlets) -> None:
    """Print and write what a search found; exit code 1 where nothing meets the conditions."""
    outlets.write(found, lambda: _print_search(found), found.runs, found.runs)
    print_notes(found.warnings)
    print_failures([one.sample for one in found.candidates])
    if not found.front:
        raise typer.Exit(1)


def _print_search(found: Search) -> None:
    """The settings on the front, each with its goals, its conditions and the command that runs it again."""
    console = wide_console()
    shown = found.best
    if not shown and found.nearest:
        console.print("no setting meets every condition; this one comes nearest:\n")
        shown = (found.nearest,)
    rows: list[list[str | Text]] = []
    for nth, one in enumerate(shown, 1):
        values = [one.sample.setting.changes[knob] for knob in found.knobs]
        rows.append([str(nth), *values, *_goals(found, one), *_conditions(found, one)])
    head = ["", *short_paths(found.knobs), *(goal.name for goal in found.goals), *map(str, found.conditions)]
    table = headed_table(head, rows, console.width)
    console.print(table)
    console.print()
    for nth, one in enumerate(shown, 1):
        console.print(f"{nth}  {one.command}", soft_wrap=True)
    tried = f"{len(found.candidates)} settings tried"
    met = sum(one.verdict != "not met" for one in found.candidates)
    console.print(f"\n{tried}, {met} meet the conditions or may, {len(found.front)} of them on the front", style="dim")


def _goals(found: Search, one: Candidate) -> list[str]:
    cells = []
    for goal in found.goals:
        if goal.name == COST or goal.measure is None:
            cells.append(f"{one.values[goal.name]:g}")
        else:
            cells.append(short(goal.measure, one.sample[goal.measure.name]))
    return cells


def _conditions(found: Search, one: Candidate) -> list[Text]:
    return [
        Text.assemble(_MARKS[one.verdicts[str(each)]], short(each.measure, one.sample[each.measure.name]))
        for each in found.conditions
    ]


def show_sensitivity(found: Sensitivity, outlets: Outlets) -> None:
    """Print and write how much each knob matters."""
    outlets.write(found, lambda: _print_sensitivity(found), found.table, found.sweep.runs)
    print_notes(found.sweep.warnings)
    print_failures([found.sweep[failure.setting] for failure in found.sweep.failures[:10]])


def _print_sensitivity(found: Sensitivity) -> None:
    """A bar for each knob, the longest first."""
    console = wide_console()
    titles = ("effect", "± 95 %", "with its sign", "spread") if found.method == "morris" else (
        "in all", "± 95 %", "alone", "with others")  # fmt: skip
    for one in found.measures:
        indices = found.indices[one.name]
        longest = max((index.total for index in indices), default=0.0)
        table = plain_table(one.name, *titles, "")
        for index in indices:
            numbers = (index.total, index.error, index.first, index.spread)
            cells = [one.show(n) if found.method == "morris" else f"{100 * n:.1f} %" for n in numbers]
            table.add_row(index.knob, *cells, "█" * round(24 * index.total / longest) if longest > 0 else "")
        table.columns[-1].justify = "left"
        console.print(table)
        console.print()
    console.print(f"{len(found.sweep)} settings · {len(found.sweep.seeds)} seeds in each · {found.method}", style="dim")
