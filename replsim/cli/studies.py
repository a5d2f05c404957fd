"""The commands that do many runs: what they take.  What they print is in a file each.

Like `replsim.cli.app`, only ``typer`` is imported up here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from replsim.cli.formats import Format
from replsim.cli.means import Dask, Jobs, Means, NoStore, Seeds, SoFar, Store, Wanted
from replsim.cli.outlets import Outlets

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
      -m commit_latency.p99 --plot latency.html
  replsim sweep three-nodes --set "links.p -> s1.latency=1ms..50ms" \\\\
      --set writers.app.rate=100/s..1000/s --design sobol --points 64 --out runs.csv
"""
SEARCH = """\b
Examples:
  replsim search three-nodes -j 2 --set primary.synchronous_commit=off,local,on \\
      --set "primary.synchronous_standby_names=ANY 1 (s1, s2),ANY 2 (s1, s2)" \\
      --where "commit_latency.p99 < 10ms" --where "loss_if_primary_dies.probability < 1%" \\
      --minimize commit_latency.p50 --minimize stale_reads.fraction
  replsim search three-nodes --set writers.app.rate=100/s..2000/s --by optuna --trials 48 \\
      --where "P(commit_latency.p99 > 20ms) < 5%" --maximize throughput --most 80
"""
SENSITIVITY = """\b
Examples:
  replsim sensitivity three-nodes -m commit_latency.p99 -m s2.lag.seconds.p99 -j 2 \\
      --set "links.p -> s1.latency=0.3ms..5ms" --set writers.app.rate=100/s..1000/s \\
      --set standbys.s2.replay.per_record=10us..500us
"""
STUDY = """\b
Examples:
  replsim study                      what is shipped, and the question that each asks
  replsim study distance -j 2
  replsim study mine.yaml --dask tcp://10.0.0.1:8786 --out runs.parquet
  replsim study mine.yaml --so-far   in another terminal, while it runs
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
Plot = Annotated[Path | None, typer.Option(metavar="FILE", help="Draw the main figure: .html, .svg, .png or .pdf.")]
Where = Annotated[
    list[str], typer.Option(metavar="CONDITION", help="What must hold: 'commit_latency.p99 < 20ms', 'P(...) < 1%'.")
]
Minimize = Annotated[list[str], typer.Option(metavar="NAME", help="What is to be small: a metric, P(...), or cost.")]
Maximize = Annotated[list[str], typer.Option(metavar="NAME", help="What is to be large.")]
Cost = Annotated[
    list[str], typer.Option(metavar="PATH=VALUE:COST,...", help="What a knob's values cost, for --minimize cost.")
]
SearchBy = Annotated[str, typer.Option(help="grid: every combination; optuna: --trials settings that it proposes.")]
Trials = Annotated[int | None, typer.Option(min=1, help="With optuna: how many settings.")]
MostSure = Annotated[
    int | None, typer.Option(min=1, help="Settings on the front whose conditions are not sure get so many runs.")
]
SensitivityBy = Annotated[str, typer.Option(help="morris: what matters, at little cost; sobol: variance shares.")]
StudyFile = Annotated[str | None, typer.Argument(metavar="[STUDY]", help="A study's file, or a shipped one's name.")]
Output = Annotated[Format, typer.Option("--format", help="What to print.")]
Engine = Annotated[str, typer.Option(help="auto, or an engine's name.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command(epilog=COMPARE)(compare)
    app.command(epilog=SWEEP)(sweep)
    app.command(epilog=SEARCH)(search)
    app.command(epilog=SENSITIVITY)(sensitivity)
    app.command(epilog=STUDY)(study)


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

    run_comparison(
        files, values, seeds, wanted, Outlets(output, out), Means(engine, jobs, dask, store, no_store, not so_far)
    )


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
    plot: Plot = None,
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
    run_sweep(file, Options(tuple(values), seeds, wanted, design, points, Outlets(output, out, plot)), means)


def search(
    file: One,
    values: Values = [],  # noqa: B006
    where: Where = [],  # noqa: B006
    minimize: Minimize = [],  # noqa: B006
    maximize: Maximize = [],  # noqa: B006
    cost: Cost = [],  # noqa: B006
    by: SearchBy = "grid",
    trials: Trials = None,
    seeds: Seeds = 5,
    most: MostSure = None,
    out: Out = None,
    plot: Plot = None,
    output: Output = Format.table,
    engine: Engine = "auto",
    jobs: Jobs = 1,
    dask: Dask = None,
    store: Store = None,
    no_store: NoStore = False,
) -> None:
    """Find the best settings: those that meet every condition and that no other betters in every goal.

    Each condition is judged by its interval: ✓ it holds, ✗ it does not, ? more runs would tell. The exit code is 1
    where no setting meets the conditions. Each setting on the front comes with the command that runs it again.
    """
    from replsim.cli.search import SearchOptions, run_search

    options = SearchOptions(tuple(values), where, minimize, maximize, cost, by, trials, seeds, most)
    run_search(file, options, Outlets(output, out, plot), Means(engine, jobs, dask, store, no_store))


def sensitivity(
    file: One,
    values: Values = [],  # noqa: B006
    wanted: Wanted = None,
    by: SensitivityBy = "morris",
    samples: Annotated[int, typer.Option(min=2, help="Ways through the space; for sobol a power of two.")] = 16,
    seeds: Seeds = 3,
    out: Out = None,
    plot: Plot = None,
    output: Output = Format.table,
    engine: Engine = "auto",
    jobs: Jobs = 1,
    dask: Dask = None,
    store: Store = None,
    no_store: NoStore = False,
) -> None:
    """Find out which knobs drive a metric, over the whole space that they span.

    Morris (the default) tells how much a metric changes when a knob is turned over its range; Sobol which share of
    the metric's variance is due to it, alone and with the others.
    """
    from replsim.cli.search import run_sensitivity

    means = Means(engine, jobs, dask, store, no_store)
    run_sensitivity(file, values, wanted, (by, samples, seeds), Outlets(output, out, plot), means)


def study(
    file: Annotated[
        str | None, typer.Argument(metavar="[STUDY]", help="A study's file, or a shipped one's name.")
    ] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="Runs of each setting, in place of the file's.")] = None,
    out: Out = None,
    plot: Plot = None,
    output: Output = Format.table,
    engine: Engine = "auto",
    jobs: Jobs = 1,
    dask: Dask = None,
    store: Store = None,
    no_store: NoStore = False,
    so_far: SoFar = False,
) -> None:
    """Do the study in a file; without one, list those that are shipped."""
    from replsim.cli.study import list_studies, run_study

    if file is None:
        list_studies(output)
    else:
        run_study(file, seeds, Outlets(output, out, plot), Means(engine, jobs, dask, store, no_store, not so_far))
