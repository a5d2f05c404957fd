"""The commands that do many runs: what they take.  What they print is in a file each.

Like `replsim.cli.app`, only ``typer`` is imported up here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from replsim.cli.formats import Format
from replsim.cli.means import Dask, Jobs, Means, NoStore, Seeds, SoFar, Store, Wanted

__all__ = ["register"]

COMPARE = """\\b
Examples:
  replsim compare three-nodes --set primary.synchronous_commit=local
  replsim compare three-nodes --set primary.synchronous_commit=off,local,remote_apply -j 2
  replsim compare any-1 first-1 --seeds 10 -m commit_latency.p99
"""
SWEEP = """\\b
Values of --set:
  off,local,on         these (a comma within brackets or quotes belongs to a value)
  1ms..50ms:6          six from 1 ms to 50 ms, evenly spaced
  1ms..50ms:6:log      six, each larger than the one before by the same factor
  1ms..50ms            any in between, for --design latin and sobol

\\b
Examples:
  replsim sweep three-nodes --set primary.synchronous_commit=off,local,on \\\\
      --set "links.p -> s1.latency=1ms..50ms:6" -j 2
  replsim sweep three-nodes --set writers.app.rate=100/s..1600/s:5:log \\\\
      -m commit_latency.p99
  replsim sweep three-nodes --set "links.p -> s1.latency=1ms..50ms" \\\\
      --set writers.app.rate=100/s..1000/s --design sobol --points 64 --out runs.csv
"""

One = Annotated[str, typer.Argument(metavar="SCENARIO", help="A scenario's file, or the name of a shipped one.")]
Values = Annotated[
    list[str],
    typer.Option("--set", metavar="PATH=VALUES", help="A path and the values that it is to take. Repeat for more."),
]
Out = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write a tidy table there, a row a run: .parquet, .csv or .json."),
]
Output = Annotated[Format, typer.Option("--format", help="What to print.")]
Engine = Annotated[str, typer.Option(help="auto, or an engine's name.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command(epilog=COMPARE)(compare)
    app.command(epilog=SWEEP)(sweep)


def compare(
    files: Annotated[list[str], typer.Argument(metavar="SCENARIO...", help="Two or more scenarios, or one and --set.")],
    values: Values = [],  # noqa: B006
    seeds: Seeds = 20,
    wanted: Wanted = None,
    out: Out = None,
    output: Output = Format.table,
    engine: Engine = "auto",
    jobs: Jobs = 1,
    dask: Dask = None,
    store: Store = None,
    no_store: NoStore = False,
    so_far: SoFar = False,
) -> None:
    """Compare scenarios on the same luck: paired differences, each with its interval.

    Runs of different settings with the same seed see the same random draws, so most of the noise cancels. With one
    scenario, --set names what differs: the scenario as it stands is compared with every combination. With several,
    --set holds in all of them.
    """
    from replsim.cli.compare import run_comparison

    run_comparison(files, values, seeds, wanted, out, output, Means(engine, jobs, dask, store, no_store, not so_far))


def sweep(
    file: One,
    values: Values = [],  # noqa: B006
    seeds: Seeds = 5,
    wanted: Wanted = None,
    design: Annotated[
        str, typer.Option(help="grid: every combination; latin or sobol: --points spread over the ranges.")
    ] = "grid",
    points: Annotated[int | None, typer.Option(min=1, help="With latin or sobol: how many settings.")] = None,
    out: Out = None,
    output: Output = Format.table,
    engine: Engine = "auto",
    jobs: Jobs = 1,
    dask: Dask = None,
    store: Store = None,
    no_store: NoStore = False,
    so_far: SoFar = False,
) -> None:
    """Run a scenario over many settings, each with the same seeds.

    A --set with a single value holds in all settings. Finished runs are kept: after Ctrl-C or a crash the same command
    goes on where it was, and --so-far looks at what there is while it runs.
    """
    from replsim.cli.sweep import Options, run_sweep

    means = Means(engine, jobs, dask, store, no_store, not so_far)
    run_sweep(file, Options(tuple(values), seeds, wanted, design, points, out, output), means)
