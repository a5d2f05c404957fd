"""``replsim study``: a study that is written in a file."""

from __future__ import annotations

import json

import typer
from rich.text import Text

from replsim.cli.compare import show_comparison
from replsim.cli.formats import Format
from replsim.cli.means import Means
from replsim.cli.outlets import Outlets
from replsim.cli.replicate import show_replication
from replsim.cli.search import show_search, show_sensitivity
from replsim.cli.studybar import study_bar
from replsim.cli.sweep import show_sweep
from replsim.cli.table import plain_table, wide_console
from replsim.study import files
from replsim.study.compare import Comparison
from replsim.study.replicate import Replication
from replsim.study.search import Search
from replsim.study.sweep import Sweep

__all__ = ["list_studies", "run_study"]


def list_studies(output: Format) -> None:
    """The shipped studies with the question that each asks."""
    rows = [(name, files.load(file)[0].question) for name, file in files.shipped().items()]
    if output is Format.json:
        typer.echo(json.dumps([{"name": name, "question": text} for name, text in rows], indent=2, ensure_ascii=False))
        return
    table = plain_table("name", "question")
    table.columns[1].justify = "left"
    table.columns[1].no_wrap = False
    for row in rows:
        table.add_row(*row)
    wide_console().print(table)


def run_study(file: str, seeds: int | None, outlets: Outlets, means: Means) -> None:
    """Do the study in a file, print what it found and write its runs."""
    outlets.check()
    study, folder = files.load(file)
    if outlets.output is Format.table:
        text = Text(study.name, "bold")
        for line in (study.question, study.finding):
            text.append(f"\n{line.strip()}" if line else "", "not bold")
        wide_console().print(text, end="\n\n")
    with study_bar(study.name) as listen:
        found = study.run(folder=folder, seeds=seeds, **means.how(listen))
    if isinstance(found, Replication):
        show_replication(found, outlets, whole=study.study.metrics is not None)
    elif isinstance(found, Comparison):
        show_comparison(found, outlets)
    elif isinstance(found, Sweep):
        show_sweep(found, outlets, leading=study.study.metrics is None)
    elif isinstance(found, Search):
        show_search(found, outlets)
    else:
        show_sensitivity(found, outlets)
