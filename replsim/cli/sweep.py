"""``replsim sweep``: a row a setting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, get_args

import typer

from replsim.cli.loading import overrides
from replsim.cli.means import Means
from replsim.cli.outlets import Outlets
from replsim.cli.replicate import print_failures, print_notes
from replsim.cli.studybar import study_bar
from replsim.cli.table import headed_table, wide_console
from replsim.errors import StudyError
from replsim.study.design import Kind
from replsim.study.knobs import read
from replsim.study.sample import Sample
from replsim.study.sweep import Sweep, sweep
from replsim.study.words import short

__all__ = ["Options", "parted", "run_sweep", "short_paths", "show_sweep"]

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
    outlets: Outlets


def run_sweep(file: str, options: Options, means: Means) -> None:
    """Sweep, print, write and draw."""
    kind = next((kind for kind in get_args(Kind) if kind == options.design), None)
    if kind is None:
        raise StudyError(f"there is no design {options.design!r}; there are {', '.join(get_args(Kind))}")
    options.outlets.check()
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
    show_sweep(found, options.outlets, leading=options.metrics is None)


def show_sweep(found: Sweep, outlets: Outlets, *, leading: bool) -> None:
    """Print and write a sweep; exit code 1 where a run failed."""
    outlets.write(found, lambda: _print_sweep(found, leading), found.table, found.runs)
    print_notes(found.warnings)
    print_failures([found[failure.setting] for failure in found.failures[:10]])
    if found.failures:
        raise typer.Exit(1)


def parted(values: Sequence[str]) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """What varies, and what has one value in all settings."""
    given = overrides(values)
    over = {path: text for path, text in given.items() if (knob := read(path, text)).span or len(knob.values) > 1}
    return over, {path: text for path, text in given.items() if path not in over}


def _print_sweep(found: Sweep, leading: bool) -> None:
    """A row a setting: its knobs, and its measures with half of their intervals' width."""
    names = [one.name for one in found.measures if not leading or one.name in LEADING] or [found.measures[0].name]
    _print_rows(found, found.knobs, names)
    console = wide_console()
    first, last = found.seeds[0], found.seeds[-1]
    console.print(f"{len(found)} settings · seeds {first} to {last} in each · ± 95 % intervals", style="dim")


def _print_rows(samples: Sequence[Sample], knobs: Sequence[str], names: Sequence[str]) -> None:
    """The first rows of a table of settings."""
    console = wide_console()
    rows = []
    for sample in samples[:MOST_ROWS]:
        chosen = [one for one in sample.measures if one.name in names]
        rows.append(
            [*(sample.setting.changes[knob] for knob in knobs), *(short(one, sample[one.name]) for one in chosen)]
        )
    table = headed_table([*short_paths(knobs), *names], rows, console.width)
    console.print(table)
    if len(samples) > MOST_ROWS:
        console.print(f"… and {len(samples) - MOST_ROWS} more: --out FILE writes all of them")
    console.print()


def short_paths(knobs: Sequence[str]) -> list[str]:
    """Paths by their last key, where that is enough to know them by."""
    last = [knob.rpartition(".")[2] for knob in knobs]
    return [key if last.count(key) == 1 else knob for key, knob in zip(last, knobs, strict=True)]
