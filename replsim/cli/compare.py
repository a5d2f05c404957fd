"""``replsim compare``: settings side by side, and how they differ."""

from __future__ import annotations

import math
from collections.abc import Sequence

import typer
from rich.text import Text

from replsim.cli.loading import overrides
from replsim.cli.means import Means
from replsim.cli.outlets import Outlets
from replsim.cli.replicate import print_failures, print_notes
from replsim.cli.studybar import study_bar
from replsim.cli.table import plain_table, wide_console
from replsim.study.compare import Comparison, Difference, compare
from replsim.study.measures import Measure
from replsim.study.words import short

__all__ = ["run_comparison", "show_comparison"]


def run_comparison(
    files: Sequence[str],
    values: Sequence[str],
    seeds: int,
    metrics: Sequence[str] | None,
    outlets: Outlets,
    means: Means,
) -> None:
    """Compare, print and write."""
    outlets.check()
    changes = overrides(values)
    one = len(files) == 1
    with study_bar("compare") as listen:
        found = compare(
            files,
            changes if one else None,
            seeds,
            metrics=metrics,
            overrides=None if one else changes,
            **means.how(listen),
        )
    show_comparison(found, outlets)


def show_comparison(found: Comparison, outlets: Outlets) -> None:
    """Print and write a comparison; exit code 1 where a run failed."""
    outlets.write(found, lambda: _print_comparison(found), found.table, found.runs)
    print_notes(found.warnings)
    print_failures(found.samples)
    if any(sample.failures for sample in found.samples):
        raise typer.Exit(1)


def _print_comparison(found: Comparison) -> None:
    """A table for each setting beside the first: both estimates, the paired difference and what the pairing saved."""
    console = wide_console()
    for place, label in enumerate(found.labels):
        if not place:
            continue
        console.print(Text.assemble((found.labels[0], "bold"), "  →  ", (label, "bold")))
        table = plain_table("", "before", "after", "difference", "", "pairing saves")
        for one in found.measures:
            before, after = found[0][one.name], found[place][one.name]
            cells = [short(one, before), short(one, after)]
            if before.settled and after.settled and before.runs and after.runs:
                cells += _differs(one, found.difference(one.name, place))
            table.add_row(one.name, *cells)
        console.print(table)
        console.print()
    seeds = found[0].seeds
    same = f"{len(seeds)} runs each · seeds {seeds[0]} to {seeds[-1]}, the same in all"
    console.print(f"{same} · ± 95 % intervals", style="dim")


def _differs(one: Measure, difference: Difference) -> list[str]:
    """The difference, the same as a change in percent or as a factor, and how many times the runs pairing is worth."""
    paired, relative, saved = difference.estimate, difference.relative, difference.saved
    if not difference.found:
        return [short(one, paired, signed=True), "not seen", ""]
    change = "" if math.isnan(relative) else f"{100 * relative:+.3g} %" if relative < 2 else f"× {1 + relative:.3g}"
    return [short(one, paired, signed=True), change, "" if not math.isfinite(saved) else f"{saved:.3g} ×"]
