"""``replsim prove``: everything that is proved, one line each."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict

import typer
from rich.table import Table
from rich.text import Text

from replsim.cli.formats import Format
from replsim.cli.table import wide_console
from replsim.errors import Problem, ScenarioError
from replsim.proof import SECTIONS, Finding, Section

__all__ = ["prove"]


def prove(only: Sequence[str], *, output: Format) -> bool:
    """Run the sections asked for (all of them) and print each as it is done; whether all held that should."""
    unknown = [name for name in only if name not in SECTIONS]
    if unknown:
        raise ScenarioError([Problem((), f"--only takes {', '.join(SECTIONS)}, not {unknown[0]!r}")])
    console = wide_console()
    every: list[Finding] = []
    started = time.perf_counter()
    for name, section in SECTIONS.items():
        if only and name not in only:
            continue
        found = list(section.findings())
        every += found
        if output is Format.table:
            console.print(_table(section, found))
            console.print()
    missed = [each for each in every if not each.held and not each.known]
    if output is Format.json:
        typer.echo(json.dumps([asdict(each) for each in every], indent=2, ensure_ascii=False))
    elif output is Format.csv:
        typer.echo(_csv(every), nl=False)
    else:
        verdict = f"{sum(each.held for each in every)} of {len(every)} hold"
        console.print(
            Text(verdict, "bold red" if missed else "bold green"), f"in {time.perf_counter() - started:.0f} s"
        )
        for each in every:
            if each.known:
                console.print(f"known: {each.section}: {each.name}: {each.known}", style="yellow")
        for each in missed:
            console.print(
                f"✗ {each.section}: {each.name}: {each.expected}, found {each.found} {each.interval}", style="red"
            )
    return not missed


def _table(section: Section, found: Sequence[Finding]) -> Table:
    table = Table(
        box=None, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False, title_justify="left", title_style="bold"
    )
    table.title = f"{section.title}: {sum(each.held for each in found)} of {len(found)}"
    for place, column in enumerate(("", section.expected, section.found, "")):
        table.add_column(column, justify="left" if place == 0 else "right", no_wrap=True)
    for each in found:
        mark = Text("✓ ", "green") if each.held else Text("– ", "yellow") if each.known else Text("✗ ", "bold red")
        table.add_row(Text.assemble(mark, each.name), each.expected, each.found, each.interval)
    return table


def _csv(found: Sequence[Finding]) -> str:
    import csv
    import io

    text = io.StringIO()
    writer = csv.DictWriter(text, list(Finding.__dataclass_fields__), lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(each) for each in found)
    return text.getvalue()
