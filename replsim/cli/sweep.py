"""``replsim sweep``: a row a setting."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, get_args

import typer

from replsim.cli.formats import Format
from replsim.cli.loading import overrides
from replsim.cli.means import Means
from replsim.cli.replicate import print_failures, print_notes
from replsim.cli.studybar import study_bar
from replsim.cli.table import plain_table, wide_console
from replsim.errors import StudyError
from replsim.study.design import Kind
from replsim.study.knobs import read
from replsim.study.sample import Sample
from replsim.study.sweep import Sweep, sweep
from replsim.study.table import check_ending, csv_text, save
from replsim.study.words import short

__all__ = ["Options", "parted", "print_rows", "print_sweep", "run_sweep"]

MOST_ROWS: Final = 60
LEADING: Final = ("commit_latency.p50", "commit_latency.p99", "lag.seconds.p99", "stale_reads.fraction", "throughput")
"""The columns where nobody says which."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asked for, besides the scenario."""

    values: tuple[str, ...]
    seeds: int
    metrics: Sequence[str] | None
    design: str
    points: int | None
    out: Path | None
    output: Format


def run_sweep(file: str, options: Options, means: Means) -> None:
    """Sweep, print, write and draw."""
    kind = next((kind for kind in get_args(Kind) if kind == options.design), None)
    if kind is None:
        raise StudyError(f"there is no design {options.design!r}; there are {', '.join(get_args(Kind))}")
    if options.out:
        check_ending(options.out)
    over, fixed = parted(options.values)
    with study_bar("sweep") as listen:
        found = sweep(
            file,
            over,
            options.seeds,
            metrics=options.metrics,
            design=kind,
            points=options.points,
            overrides=fixed,
            **means.how(listen),
        )
    if options.output is Format.table:
        print_sweep(found, options.metrics is None)
    elif options.output is Format.csv:
        typer.echo(csv_text(found.table), nl=False)
    else:
        typer.echo(json.dumps(found.to_dict(), indent=2, ensure_ascii=False, allow_nan=False))
    if options.out:
        save(found.runs, options.out)
    print_notes(found.warnings)
    print_failures([found[failure.setting] for failure in found.failures[:10]])
    if found.failures:
        raise typer.Exit(1)


def parted(values: Sequence[str]) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """What varies, and what has one value in all settings."""
    given = overrides(values)
    over = {path: text for path, text in given.items() if (knob := read(path, text)).span or len(knob.values) > 1}
    return over, {path: text for path, text in given.items() if path not in over}


def print_sweep(found: Sweep, leading: bool) -> None:
    """A row a setting: its knobs, and its measures with half of their intervals' width."""
    names = [one.name for one in found.measures if not leading or one.name in LEADING] or [found.measures[0].name]
    print_rows(found, found.knobs, names)
    console = wide_console()
    first, last = found.seeds[0], found.seeds[-1]
    console.print(f"{len(found)} settings · seeds {first} to {last} in each · ± 95 % intervals", style="dim")


def print_rows(samples: Sequence[Sample], knobs: Sequence[str], names: Sequence[str]) -> None:
    """The first rows of a table of settings."""
    console = wide_console()
    table = plain_table(*[knob.rpartition(".")[2] if _tells(knob, knobs) else knob for knob in knobs], *names)
    for sample in samples[:MOST_ROWS]:
        chosen = [one for one in sample.measures if one.name in names]
        values = [sample.setting.changes[knob] for knob in knobs]
        table.add_row(*values, *(short(one, sample[one.name]) for one in chosen))
    console.print(table)
    if len(samples) > MOST_ROWS:
        console.print(f"… and {len(samples) - MOST_ROWS} more: --out FILE writes all of them")
    console.print()


def _tells(knob: str, knobs: Sequence[str]) -> bool:
    """Whether the last key of a path is enough to know it by."""
    return sum(other.rpartition(".")[2] == knob.rpartition(".")[2] for other in knobs) == 1
