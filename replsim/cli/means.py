"""What every command takes that does many runs: where they happen, and where the finished ones are kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from replsim.study.conductor import How
    from replsim.study.progress import Listener

__all__ = ["Dask", "Jobs", "Means", "Most", "NoStore", "Seeds", "SoFar", "Store", "Until", "Wanted"]

Seeds = Annotated[int, typer.Option(min=1, help="Runs of each setting, with seeds from the scenario's own on.")]
Until = Annotated[
    str | None,
    typer.Option(
        metavar="TEXT",
        help="Add seeds until intervals are narrow: relative_half_width<2%, or commit_latency.p99.half_width<1ms.",
    ),
]
Most = Annotated[int, typer.Option(min=2, help="With --until: never more runs than this.")]
Wanted = Annotated[
    list[str] | None,
    typer.Option(
        "--metric",
        "-m",
        metavar="NAME",
        help="Measure only this: a metric, 'lag.*', or a chance such as 'P(pending_commits > 0)'. Repeat for more.",
    ),
]
Jobs = Annotated[int, typer.Option("--jobs", "-j", min=1, help="Processes that share the runs.")]
Dask = Annotated[str | None, typer.Option(metavar="ADDRESS", help="Run on the Dask cluster with this scheduler.")]
Store = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Keep finished runs here; they are never computed again. [default: in the user's cache]"
    ),
]
NoStore = Annotated[bool, typer.Option("--no-store", help="Neither look for finished runs nor keep any.")]

SoFar = Annotated[bool, typer.Option("--so-far", help="Run nothing: only look at the runs that are finished.")]


@dataclass(frozen=True, slots=True)
class Means:
    """How a command's runs are done."""

    engine: str = "auto"
    jobs: int = 1
    dask: str | None = None
    store: Path | None = None
    no_store: bool = False
    compute: bool = True

    def how(self, progress: Listener | None = None) -> How:
        """The same, as studies take it."""
        from replsim.study.store import default_path

        return {
            "engine": self.engine,
            "executor": self.dask or self.jobs,
            "store": None if self.no_store else self.store or default_path(),
            "progress": progress,
            "compute": self.compute,
        }
