"""A result as a table for a terminal: the answer first, then each node, writer and reader."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Final, Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from replsim import summary
from replsim.result import Result
from replsim.scenario import Scenario
from replsim.units import format_duration

__all__ = ["headed_table", "plain_table", "print_result", "tables", "title", "wide_console"]

WIDE: Final = 180
SPARKLESS: Final = 70
"""The width of the table of nodes without its sparklines."""


def print_result(result: Result, *, full: bool, seconds: float) -> None:
    """Print a result; ``full`` with every metric, ``seconds`` being the time that it took."""
    console = wide_console()
    for part in tables(result, console, full=full):
        console.print(part)
        console.print()
    for note in result.record.notes:
        console.print(f"note: {note}", style="dim")
    took = f"{format_duration(result.scenario.duration)} in {seconds:.1f} s"
    console.print(f"{took} · engine {result.engine} ({result.engine_reason}) · seed {result.seed}\n", style="dim")


def tables(result: Result, console: Console, *, full: bool = False) -> list[Table | Text]:
    """The parts of a result, the answer first."""
    blocks = summary.blocks(result.scenario, result.metrics)
    parts: list[Table | Text] = [title(result.scenario)]
    parts.append(_headline([block for block in blocks if block.about in summary.HEADLINES]))
    if result.expectations:
        parts.append(_expectations(result))
    if result.measured:
        parts.append(_measured(result))
    parts += [_entities(block, result, console) for block in blocks if block.about not in summary.HEADLINES]
    if full:
        parts.append(_everything(result))
    return parts


def wide_console() -> Console:
    """The terminal as it is; a pipe or a file is wide enough for every table."""
    console = Console(highlight=False)
    return console if console.is_terminal or "COLUMNS" in os.environ else Console(highlight=False, width=WIDE)


def title(scenario: Scenario) -> Text:
    """What was asked, and what was found."""
    text = Text(scenario.name, "bold")
    for line in (scenario.question, scenario.finding):
        if line:
            text.append(f"\n{line.strip()}", "not bold")
    return text


def plain_table(*columns: str) -> Table:
    """A table without lines: its first column to the left, numbers to the right."""
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False)
    for place, column in enumerate(columns):
        table.add_column(column, justify="left" if place == 0 else "right", no_wrap=True)
    return table


def headed_table(head: Sequence[str], rows: Sequence[Sequence[str | Text]], width: int) -> Table:
    """A table whose headings take several lines where ``width`` asks for it, so that its cells need not."""
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False)
    widest = [max((len(row[place]) for row in rows), default=1) for place in range(len(head))]
    fits = sum(max(len(title), cell) + 2 for title, cell in zip(head, widest, strict=True)) <= width
    for place, (title, cell) in enumerate(zip(head, widest, strict=True)):
        side: Literal["left", "right"] = "left" if place == 0 else "right"
        shown = title if fits else _folded(title, max(cell, 12))
        table.add_column(shown, justify=side, min_width=cell, overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def _folded(title: str, width: int) -> str:
    """A heading in lines of at most ``width``, broken where its words end."""
    lines = [""]
    for word in re.split(r"(?<=[._ ])", title):
        if lines[-1] and len(lines[-1]) + len(word.rstrip()) > width:
            lines.append("")
        lines[-1] += word
    return "\n".join(line.rstrip() for line in lines)


def _headline(blocks: list[summary.Block]) -> Table:
    """A line for each question: commits, lag, reads."""
    width = max((len(block.columns) for block in blocks), default=0)
    table = Table.grid(*[""] * (width + 1), padding=(0, 3, 0, 0))
    for block in blocks:
        for about, values in block.rows:
            cells = [Text.assemble((f"{column} ", "dim"), (_shown(value), "bold")) for column, value in values.items()]
            table.add_row(about, *cells)
    return table


def _expectations(result: Result) -> Table:
    held = sum(check.held for check in result.expectations)
    table = plain_table(f"{held} of {len(result.expectations)} expectations held", "it is")
    for check in result.expectations:
        mark = Text("✓ ", "green") if check.held else Text("✗ ", "bold red")
        name = check.expectation.metric
        table.add_row(Text.assemble(mark, str(check.expectation)), summary.show_metric(name, check.value))
    return table


def _entities(block: summary.Block, result: Result, console: Console) -> Table:
    """A line for each node, writer or reader; a standby's ends in its lag over the run."""
    lines = {}
    if block.about == "node":
        lines = result.lag_lines(min(max(console.width - SPARKLESS, 8), 32))
    table = plain_table(block.about, *block.columns)
    if lines:
        table.add_column("lag over the run", no_wrap=True)
    for title, values in block.rows:
        cells = [_shown(values[column]) if column in values else "" for column in block.columns]
        table.add_row(title, *cells, *([lines.get(title, "")] if lines else []))
    return table


def _everything(result: Result) -> Table:
    table = plain_table("metric", "value")
    for name, value in result.metrics.items():
        table.add_row(name, summary.show_metric(name, value))
    return table


def _measured(result: Result) -> Table:
    """What a real system showed, beside what was simulated."""
    table = plain_table("measured beside simulated", "measured", "simulated", "simulated / measured")
    for name, value in result.measured.items():
        ours = result.metrics[name]
        ratio = f"{ours / value:.3f}" if value else ""
        table.add_row(name, summary.show_metric(name, value), summary.show_metric(name, ours), ratio)
    return table


def _shown(value: tuple[str, float]) -> str:
    return summary.show_metric(*value)
