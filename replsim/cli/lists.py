"""What there is: scenarios, metrics, the schema."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import typer

from replsim.analysis import METRICS, Metric, families
from replsim.errors import Problem, ScenarioError

__all__ = ["print_metrics", "print_scenarios", "print_schema"]

Rows = Sequence[tuple[str, ...]]


def print_scenarios(output: str) -> None:
    """The shipped scenarios with the question that each asks."""
    from replsim import front

    rows = [(name, front.load(file).question) for name, file in front.shipped().items()]
    _print(("name", "question"), rows, output)


def print_metrics(words: Sequence[str], output: str) -> None:
    """The metrics that have all of ``words`` in their name or definition."""
    wanted = [word.lower() for word in words]
    found = [
        metric
        for metric in METRICS.values()
        if all(word in f"{metric.name} {metric.definition}".lower() for word in wanted)
    ]
    if not found:
        raise ScenarioError([Problem((), f"no metric speaks of {' '.join(words)}; `replsim metrics` lists all")])
    rows = [(metric.name, metric.unit, _whose(metric), metric.definition) for metric in found]
    if output == "table":
        rows = [
            (_names(family), family[0].unit, _whose(family[0]), family[0].subject or family[0].definition)
            for family in families(found)
        ]
    _print(("name", "unit", "of", "definition"), rows, output)


def _names(family: Sequence[Metric]) -> str:
    """The names of the statistics of one thing, below each other after the first."""
    return "\n".join([family[0].name, *(f"  .{metric.name.rpartition('.')[2]}" for metric in family[1:])])


def print_schema() -> None:
    """The JSON Schema of a scenario."""
    from replsim.scenario import schema

    typer.echo(schema.text(), nl=False)


def _whose(metric: Metric) -> str:
    """Whose value it is: the cluster's, and each node's (or writer's, …) own."""
    return ", ".join([*(["cluster"] if metric.overall else []), *(f"each {whose}" for whose in metric.per)])


def _print(head: tuple[str, ...], rows: Rows, output: str) -> None:
    if output == "json":
        found: Any = [dict(zip(head, row, strict=True)) for row in rows]
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
    elif output == "markdown":
        for row in (head, tuple("---" for _ in head), *rows):
            typer.echo(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |")
    else:
        from rich.table import Table
        from rich.text import Text

        from replsim.cli.table import wide_console

        table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0), pad_edge=False)
        for place, name in enumerate(head):
            table.add_column(name, no_wrap=place == 0, overflow="fold")
        for row in rows:
            table.add_row(*map(Text, row))
        wide_console().print(table)
