"""Where what a study found goes: the terminal, a file with a row a run, a figure."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import typer

from replsim.cli.formats import Format
from replsim.errors import StudyError

if TYPE_CHECKING:
    from replsim.record import Table

__all__ = ["Outlets", "Told"]

FIGURES = (".html", ".svg", ".png", ".pdf")


class Told(Protocol):
    """What a study found, as far as it is written."""

    def to_dict(self) -> dict[str, Any]:
        """All of it, as JSON has it."""
        ...


@dataclass(frozen=True, slots=True)
class Outlets:
    """What is printed, and what is written besides."""

    output: Format
    out: Path | None = None
    plot: Path | None = None

    def check(self) -> None:
        """Refuse, before anything runs, a file whose ending does not say how it is written."""
        from replsim.study.table import check_ending

        if self.out:
            check_ending(self.out)
        if self.plot and self.plot.suffix not in FIGURES:
            raise StudyError(f"{self.plot}: a figure is written as {', '.join(FIGURES)}; give the file one of these")

    def write(self, found: Told, words: Callable[[], None], table: Table, runs: Table) -> None:
        """Print ``words`` (or JSON, or the ``table`` as CSV), and write the ``runs`` and the main figure."""
        from replsim.study.table import csv_text, save

        if self.output is Format.table:
            words()
        elif self.output is Format.csv:
            typer.echo(csv_text(table), nl=False)
        else:
            typer.echo(json.dumps(found.to_dict(), indent=2, ensure_ascii=False, allow_nan=False))
        if self.out:
            save(runs, self.out)
        if self.plot:
            from replsim.study.figures import write

            plot = getattr(found, "plot", None)
            if plot is None:
                raise StudyError("this kind of study has no figure")
            write(plot(), self.plot)
