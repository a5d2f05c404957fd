"""``replsim report`` and ``replsim trace``: run one scenario and write a file about it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from replsim import front
from replsim.cli.check import print_warnings
from replsim.cli.files import refuse_to_replace, write_text
from replsim.cli.loading import load_all
from replsim.cli.progress import ctrl_c, progress_bar

if TYPE_CHECKING:
    from replsim.plots.palette import Theme
    from replsim.result import Result
    from replsim.scenario import Scenario

__all__ = ["write_report", "write_trace"]


def write_report(
    file: str, changes: Sequence[str], *, seed: int | None, seeds: int, out: Path, theme: Theme, force: bool
) -> None:
    """Run a scenario with so many seeds and write the page."""
    from replsim.export import report  # before the run: it may lack plotly

    refuse_to_replace(out, force=force)
    write_text(out, report(_run(_load(file, changes), seed, seeds), theme=theme))
    typer.echo(f"Wrote {out}: open it in a browser, it needs no network.")


def write_trace(
    file: str, changes: Sequence[str], *, seed: int | None, out: Path, start: float, end: float | None, force: bool
) -> None:
    """Run a scenario and write the trace of it from ``start`` to ``end`` (seconds)."""
    from replsim.export import stretch, trace

    refuse_to_replace(out, force=force)
    scenario = _load(file, changes)
    stretch(scenario, start, end)
    (result,) = _run(scenario, seed, 1)
    write_text(out, trace(result, start=start, end=end))
    typer.echo(f"Wrote {out}: open it at ui.perfetto.dev or in chrome://tracing.")


def _load(file: str, changes: Sequence[str]) -> Scenario:
    (loaded,) = load_all([file], changes)
    print_warnings(loaded)
    return loaded.scenario


def _run(scenario: Scenario, seed: int | None, seeds: int) -> list[Result]:
    """The results of ``seeds`` neighbouring seeds, from the given one or the scenario's own on."""
    first = scenario.seed if seed is None else seed
    results = []
    with ctrl_c() as raise_if_pressed:
        for each in range(first, first + seeds):
            with progress_bar(f"{scenario.name}, seed {each}") as show:

                def progress(fraction: float, show: front.Progress = show) -> None:
                    raise_if_pressed()
                    show(fraction)

                results.append(front.run(scenario, seed=each, progress=progress))
    return results
