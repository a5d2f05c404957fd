"""A study on a terminal: a bar with the rate and the time that is left, and what an interrupt leaves."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar

from replsim.study.progress import Listener, Progress
from replsim.units import SECOND, format_duration

__all__ = ["study_bar"]


@contextlib.contextmanager
def study_bar(name: str) -> Iterator[Listener]:
    """A bar on stderr, where that is a terminal; a study that was interrupted says there how to go on."""
    console = Console(stderr=True)
    state: Progress | None = None
    with contextlib.ExitStack() as stack:
        bar = None
        if console.is_terminal:
            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[at]}"),
            )
            bar = stack.enter_context(Bar(*columns, console=console, transient=True))
            task = bar.add_task(name, total=None, at="")

        def listen(progress: Progress) -> None:
            nonlocal state
            state = progress
            if bar is not None:
                bar.update(task, total=progress.total, completed=progress.done, at=_pace(progress))

        try:
            yield listen
        except KeyboardInterrupt:
            if state is not None:
                kept = f"{state.done} of {state.total} runs are finished"
                console.print(f"interrupted: {kept}; the same command goes on from there")
            raise typer.Exit(130) from None
    if state is not None and state.stored and console.is_terminal:
        console.print(f"{state.stored} of {state.total} runs had been done before", style="dim")


def _pace(progress: Progress) -> str:
    parts = [f"{progress.rate:.3g}/s"] if progress.rate else []
    if not math.isnan(progress.left):
        parts.append(f"{format_duration(round(progress.left) * SECOND)} left")
    if progress.failed:
        parts.append(f"{progress.failed} failed")
    return " · ".join(parts)
