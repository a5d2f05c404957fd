"""``replsim validate``: a scenario's run beside a measured one."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import math
from pathlib import Path
from typing import Any

import typer
from rich.table import Table
from rich.text import Text

from replsim import front
from replsim.calibrate import Comparison, Row, compare, read, seen_in, validate_live
from replsim.cli.files import new_folder, refuse_to_replace
from replsim.cli.formats import Format
from replsim.cli.loading import load_all
from replsim.cli.progress import following
from replsim.cli.table import wide_console
from replsim.summary import show_metric

__all__ = ["comparison_table", "tell", "validate"]


def validate(
    name: str,
    against: Path | None,
    *,
    changes: list[str],
    seed: int | None,
    out: Path | None,
    force: bool,
    output: Format,
) -> bool:
    """Run the scenario, compare it with the measured run in ``against``, or with one on real servers, and tell; whether
    it is near enough."""
    loaded = load_all([name], changes)[0]
    if out:
        refuse_to_replace(out, force=force)
    if against is None:
        with following(loaded.scenario.name) as progress:
            live = validate_live(loaded.scenario, seed, progress)
        held = tell(live.comparison, out=out, output=output)
        typer.echo("\n".join([live.told, *(f"note: {note}" for note in live.real.record.notes)]), err=True)
        return held
    measured = read(against, name=loaded.scenario.name)
    with following(loaded.scenario.name) as progress:
        result = front.run(loaded.scenario, seed=seed, progress=progress)
    return tell(compare(loaded.scenario, measured, seen_in(result, "simulated")), out=out, output=output)


def tell(comparison: Comparison, *, out: Path | None, output: Format) -> bool:
    """Print a comparison, and write it to a folder if asked to; whether every metric is within its limit."""
    with new_folder(out) if out else contextlib.nullcontext() as folder:
        if folder:
            (folder / "comparison.json").write_text(_json(comparison), encoding="utf-8")
            (folder / "comparison.csv").write_text(_csv(comparison), encoding="utf-8")
            (folder / "comparison.html").write_text(_html(comparison), encoding="utf-8")
        if output is Format.json:
            typer.echo(_json(comparison), nl=False)
        elif output is Format.csv:
            typer.echo(_csv(comparison), nl=False)
        else:
            wide_console().print(comparison_table(comparison))
    return comparison.held


def comparison_table(comparison: Comparison) -> Table:
    """The comparison as a table: each metric measured and simulated, how far off it is, and how far it may be."""
    held = [row.held for row in comparison.rows if row.limit]
    table = Table(
        box=None, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False, title_justify="left", title_style="bold"
    )
    table.title = f"{comparison.scenario.name}: {sum(held)} of {len(held)} within their limits"
    for place, column in enumerate(
        ("metric", comparison.measured.source, comparison.simulated.source, "error", "limit")
    ):
        table.add_column(column, justify="left" if place == 0 else "right", no_wrap=True)
    for row in comparison.rows:
        mark = "  " if row.limit is None else Text("✓ ", "green") if row.held else Text("✗ ", "bold red")
        shown = [show_metric(row.metric, value) for value in (row.measured, row.simulated)]
        table.add_row(Text.assemble(mark, row.metric), *shown, _percent(row.error), _limit(row))
    return table


def _percent(share: float) -> str:
    return "" if math.isnan(share) else f"{share:+.1%}"


def _limit(row: Row) -> str:
    if row.limit is None:
        return ""
    amount = f" or {show_metric(row.metric, row.limit.amount)}" if row.limit.amount else ""
    return f"{row.limit.share:.0%}{amount}"


def _records(comparison: Comparison) -> list[dict[str, Any]]:
    return [
        {
            "metric": row.metric,
            comparison.measured.source: row.measured,
            comparison.simulated.source: row.simulated,
            "error": None if math.isnan(row.error) else row.error,
            "held": None if row.limit is None else row.held,
        }
        for row in comparison.rows
    ]


def _json(comparison: Comparison) -> str:
    found = {"scenario": comparison.scenario.name, "held": comparison.held, "metrics": _records(comparison)}
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def _csv(comparison: Comparison) -> str:
    text = io.StringIO()
    records = _records(comparison)
    writer = csv.DictWriter(text, list(records[0]) if records else ["metric"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue()


def _figures(comparison: Comparison) -> list[Any]:
    from replsim.plots.validation import lag_overlay, quantiles

    seen = (comparison.measured, comparison.simulated)
    family = comparison.latency
    figures = []
    if all(family in each.latencies for each in seen):
        figures.append(quantiles(*(each.latencies[family] for each in seen)))
    if seen[0].lag:
        curves = [
            {node: (lag["replay"].time, lag["replay"].value) for node, lag in each.lag.items() if "replay" in lag}
            for each in seen
        ]
        figures.append(lag_overlay(*curves))
    return figures


def _html(comparison: Comparison) -> str:
    from html import escape

    from rich.console import Console

    console = Console(record=True, width=120, file=io.StringIO())
    console.print(comparison_table(comparison))
    table = escape(console.export_text())
    drawn = "\n".join(
        figure.to_html(full_html=False, include_plotlyjs=place == 0)
        for place, figure in enumerate(_figures(comparison))
    )
    title = escape(f"{comparison.scenario.name}: measured and simulated")
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>\n'
        f"<body><h1>{title}</h1>\n<pre>{table}</pre>\n{drawn}\n</body></html>\n"
    )
