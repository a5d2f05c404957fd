"""``replsim run``: load all, run each in turn, print, and write if asked to."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from replsim import front
from replsim.cli.check import print_warnings
from replsim.cli.files import new_folder, refuse_to_replace, write_result
from replsim.cli.formats import Format, Keep
from replsim.cli.loading import load_all
from replsim.cli.progress import ctrl_c, progress_bar
from replsim.errors import Problem, ScenarioError
from replsim.scenario.warmup import AUTO
from replsim.units import format_duration

if TYPE_CHECKING:
    from replsim.result import Result
    from replsim.scenario import Scenario

__all__ = ["Options", "run_all"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line asked for, besides the files."""

    seed: int | None
    engine: str
    keep: Keep
    changes: tuple[str, ...]
    out: Path | None
    force: bool
    output: Format
    full: bool


def run_all(files: Sequence[str], options: Options) -> bool:
    """Run every scenario and print its result; whether all that they expect held.

    All that can be wrong with the input is found before the first one runs.
    """
    if options.out:
        refuse_to_replace(options.out, force=options.force)
    every = load_all(files, options.changes)
    for loaded in every:
        front.choose(loaded.scenario, options.engine)
    if options.out:
        _refuse_equal_names([loaded.scenario.name for loaded in every])
    results: list[Result] = []
    with ctrl_c() as raise_if_pressed, new_folder(options.out) if options.out else contextlib.nullcontext() as folder:
        for loaded in every:
            print_warnings(loaded)
            result = _run(loaded.scenario, options, raise_if_pressed)
            results.append(result)
            if folder:
                own = folder if len(every) == 1 else folder / loaded.scenario.name
                write_result(result, own, samples=loaded.file.parent)
        if options.output is Format.json:
            found = [result.to_dict() for result in results]
            typer.echo(
                json.dumps(found[0] if len(found) == 1 else found, indent=2, ensure_ascii=False, allow_nan=False)
            )
        elif options.output is Format.csv:
            typer.echo(_csv(results), nl=False)
    return all(result.held for result in results)


def _run(scenario: Scenario, options: Options, raise_if_pressed: Callable[[], None]) -> Result:
    """Run one; its table is printed at once, while the next one runs."""
    started = time.perf_counter()
    with progress_bar(scenario.name) as show:

        def progress(fraction: float) -> None:
            raise_if_pressed()
            show(fraction)

        result = front.run(
            scenario, seed=options.seed, engine=options.engine, keep=options.keep.value, progress=progress
        )
    if options.output is Format.table:
        from replsim.cli.table import print_result

        print_result(result, full=options.full, seconds=time.perf_counter() - started)
    if scenario.warmup == AUTO:
        typer.echo(f"warm-up: {format_duration(result.scenario.warmup)}, by MSER-5", err=True)
    for series in result.moving():
        why = "it has no steady state, and a mean of it only tells how long the run was"
        typer.echo(f"warning: {series} had not settled by the end: {why}", err=True)
    return result


def _refuse_equal_names(names: Sequence[str]) -> None:
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ScenarioError([Problem((), f"two scenarios are called {twice[0]!r}: --out cannot tell them apart")])


def _csv(results: Sequence[Result]) -> str:
    from replsim.analysis import unit_of

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["scenario", "engine", "seed", "metric", "value", "unit"])
    for result in results:
        head = [result.scenario.name, result.engine, result.seed]
        for name, value in result.to_dict()["metrics"].items():
            writer.writerow([*head, name, "" if value is None else repr(value), unit_of(name)])
    return text.getvalue()
