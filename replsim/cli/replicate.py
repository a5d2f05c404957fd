"""``replsim run --seeds``: a scenario with many seeds, each metric with its interval."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from rich.table import Table
from rich.text import Text

from replsim.cli.check import print_warnings
from replsim.cli.files import new_folder, refuse_to_replace, write_table
from replsim.cli.formats import Format
from replsim.cli.loading import load_all, overrides
from replsim.cli.means import Means
from replsim.cli.outlets import Outlets
from replsim.cli.studybar import study_bar
from replsim.cli.table import plain_table, title, wide_console
from replsim.study.measures import headlines
from replsim.study.replicate import Replication, replicate
from replsim.study.sample import Sample
from replsim.study.words import COLUMNS, row

__all__ = [
    "Options",
    "estimates",
    "print_failures",
    "print_notes",
    "print_replication",
    "replicate_all",
    "show_replication",
]


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asked for, besides the files."""

    seed: int | None
    seeds: int | None
    until: str | None
    most: int
    metrics: Sequence[str] | None
    changes: tuple[str, ...]
    out: Path | None
    force: bool
    output: Format
    full: bool


def replicate_all(files: Sequence[str], options: Options, means: Means) -> bool:
    """Replicate every scenario and print what was found; whether all that they expect held in every run."""
    if options.out:
        refuse_to_replace(options.out, force=options.force)
    changes = dict(overrides(options.changes))
    if options.seed is not None:
        changes["seed"] = str(options.seed)
    every = load_all(files, [f"{path}={value}" for path, value in changes.items()])
    found = []
    for loaded, file in zip(every, files, strict=True):
        print_warnings(loaded)
        with study_bar(loaded.scenario.name) as listen:
            result = replicate(
                file,
                options.seeds or 5,
                metrics=options.metrics,
                until=options.until,
                most=options.most,
                overrides=changes,
                **means.how(listen),
            )
        found.append(result)
        if options.output is Format.table:
            print_replication(result, whole=options.full or options.metrics is not None)
    if options.output is Format.json:
        told: list[Any] = [result.to_dict() for result in found]
        typer.echo(json.dumps(told[0] if len(told) == 1 else told, indent=2, ensure_ascii=False, allow_nan=False))
    elif options.output is Format.csv:
        typer.echo(_csv(found), nl=False)
    if options.out:
        with new_folder(options.out) as folder:
            for result in found:
                own = folder if len(found) == 1 else folder / result.sample.setting.scenario.name
                own.mkdir(exist_ok=True)
                write_table(result.table, own / "estimates")
                write_table(result.runs, own / "runs")
    return all(result.held and not result.sample.failures for result in found)


def show_replication(found: Replication, outlets: Outlets, *, whole: bool) -> None:
    """Print and write one that a file asked for; exit code 1 where an expectation does not hold, or a run failed."""
    outlets.write(found, lambda: print_replication(found, whole=whole, titled=False), found.table, found.runs)
    if found.sample.failures or not found.held:
        raise typer.Exit(1)


def print_replication(result: Replication, *, whole: bool, titled: bool = True) -> None:
    """A line a measure, what held, and what is to be known; ``whole``: every measure, not only the main ones."""
    console = wide_console()
    sample = result.sample
    shown = None if whole else headlines(sample.setting.scenario)
    if titled:
        console.print(title(sample.setting.scenario), end="\n\n")
    console.print(estimates(sample, shown))
    if result.expectations:
        console.print()
        table = plain_table("expectation", "held in")
        for text, held in result.expectations.items():
            mark = Text("✓ ", "green") if held.value == 1 else Text("✗ ", "bold red")
            table.add_row(Text.assemble(mark, text), f"{round(held.value * held.runs)} of {held.runs} runs")
        console.print(table)
    console.print()
    print_notes(result.warnings)
    print_failures([sample])
    first, last = sample.seeds[0], sample.seeds[-1]
    console.print(f"{sample.finished} runs · seeds {first} to {last} · 95 % intervals\n", style="dim")


def estimates(sample: Sample, shown: Sequence[str] | None = None) -> Table:
    """A line a measure: its estimate, its interval, its spread."""
    table = plain_table("", *COLUMNS)
    for one in sample.measures:
        if shown is None or one.name in shown:
            table.add_row(one.name, *row(one, sample[one.name]))
    return table


def print_notes(notes: Sequence[str]) -> None:
    """What is to be known before a number is believed; on stderr, out of the way of the numbers."""
    for note in notes:
        typer.echo(f"warning: {note}", err=True)


def print_failures(samples: Sequence[Sample]) -> None:
    """The runs that went wrong, each with the command that shows it again; those that say the same once."""
    for sample in samples:
        said = set()
        for failure in sample.failures:
            if failure.error not in said:
                said.add(failure.error)
                typer.echo(f"failed: {sample.setting.command('--seed', str(failure.seed))}", err=True)
                typer.echo(f"  {failure.error}\n{failure.trace}".rstrip(), err=True)


def _csv(found: Sequence[Replication]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["scenario", "measure", "unit", "value", "low", "high", "sd", "runs", "method"])
    for result in found:
        for one in result.sample.measures:
            est = result[one.name]
            numbers = ["" if value != value else repr(value) for value in (est.value, est.low, est.high, est.sd)]
            name = result.sample.setting.scenario.name
            writer.writerow([name, one.name, one.unit, *numbers, est.runs, est.method])
    return text.getvalue()
