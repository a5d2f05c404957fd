"""``replsim check``: all that is wrong, what will probably disappoint, and what a run will come to."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from replsim import front
from replsim.cli.loading import Loaded, load_all
from replsim.errors import ScenarioError
from replsim.scenario.warnings import estimate, warnings

__all__ = ["check_all", "print_warnings"]


def check_all(files: Sequence[str], changes: Sequence[str]) -> bool:
    """Print what is to be said of each file; whether all of them can run."""
    sound = True
    for file in files:
        try:
            (loaded,) = load_all([file], changes)
        except ScenarioError as error:
            typer.echo(str(error), err=True)
            sound = False
            continue
        engine, reason = front.choose(loaded.scenario)
        typer.echo(f"{loaded.file}: sound; a run is {estimate(loaded.scenario, compiled=engine == 'stages')}")
        typer.echo(f"engine {engine}: {reason}")
        print_warnings(loaded, err=False)
    return sound


def print_warnings(loaded: Loaded, *, err: bool = True) -> None:
    """What will probably disappoint; before a run on stderr, out of the way of its result."""
    if found := warnings(loaded.scenario):
        for warning in loaded.placed(found):
            typer.echo(f"warning: {warning}", err=err)
