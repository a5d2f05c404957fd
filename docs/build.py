"""Write every page that is made from the code: ``make docs``, and with ``--all`` those that run much.

A test holds each against what is written here.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import typer
from rich.console import Console

from docs.snippets import run_page
from replsim import front
from replsim.analysis import reference as metrics
from replsim.calibrate import kills
from replsim.calibrate import page as measured
from replsim.cli.app import app
from replsim.cli.table import tables
from replsim.proof import page as proof
from replsim.scenario import reference as scenario
from replsim.scenario import schema

__all__ = ["README", "commands", "costly", "main", "pages", "readme", "run_pages"]

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
RUN = (ROOT / "docs/tutorial.md", ROOT / "docs/faults.md", ROOT / "docs/failover.md")
"""Pages whose Python is run."""
EXAMPLE = "three-nodes"
START, END = "<!-- output -->\n", "<!-- /output -->\n"

_COMMANDS = """\
# The command line

<!-- Written by docs/build.py from the commands themselves: change those, not this page. -->
"""


def pages() -> dict[Path, str]:
    """Each page, and the text that it should have."""
    return {
        ROOT / "docs/reference/metrics.md": metrics.page(),
        ROOT / "docs/reference/scenario.md": scenario.markdown(),
        ROOT / "docs/reference/commands.md": commands(),
        ROOT / "replsim/scenario/scenario.schema.json": schema.text(),
    }


def run_pages() -> dict[Path, str]:
    """Each page whose Python is run, with what it prints."""
    return {path: run_page(path.read_text(encoding="utf-8")) for path in RUN}


def costly() -> dict[Path, Callable[[], str]]:
    """Pages for which much must be run: they are written with ``--all``."""
    return {
        ROOT / "docs/validation.md": lambda: measured.markdown(
            list(measured.comparisons(measured.measured_runs())), kills.losses()
        ),
        ROOT / "docs/closed-forms.md": proof.markdown,
    }


def commands() -> str:
    """The help of every command."""
    return "\n".join([_COMMANDS, *_helps()])


def _helps() -> Iterator[str]:
    group = typer.main.get_command(app)
    with group.make_context("replsim", [], resilient_parsing=True, terminal_width=100) as outer:
        yield _section("replsim", group.get_help(outer))
        for name, command in group.commands.items():  # type: ignore[attr-defined]
            with command.make_context(name, [], parent=outer, resilient_parsing=True, terminal_width=100) as inner:
                yield _section(f"replsim {name}", command.get_help(inner))


def _section(title: str, text: str) -> str:
    lines = "\n".join(line.rstrip() for line in text.strip().splitlines())
    return f"## {title}\n\n```\n{lines}\n```\n"


def readme(text: str) -> str:
    """The README's text with the output of its example as it is now."""
    before, rest = text.split(START)
    _, after = rest.split(END)
    return f"{before}{START}{_output()}{END}{after}"


def _output() -> str:
    out = io.StringIO()
    console = Console(file=out, width=108, highlight=False)
    for part in tables(front.run(EXAMPLE), console):
        console.print(part)
        console.print()
    lines = "\n".join(line.rstrip() for line in out.getvalue().strip().splitlines())
    return f"```console\n$ replsim run {EXAMPLE}\n{lines}\n```\n"


def main() -> None:
    """Write all of them; the costly ones if asked to."""
    written = pages()
    if "--all" in sys.argv:
        written |= {path: write() for path, write in costly().items()}
    for path, text in written.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for path, text in run_pages().items():
        path.write_text(text, encoding="utf-8")
    README.write_text(readme(README.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
