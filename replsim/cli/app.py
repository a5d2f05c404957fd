"""The commands, what they take, and how they end.

Exit codes: 0 all went well and every expectation held, 1 an expectation failed, 2 the input is wrong, 130 Ctrl-C.
Only ``typer`` is imported up here: a command imports what it needs when it runs, so that ``--help`` is instant.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from replsim.cli import studies
from replsim.cli.formats import Format, Keep, ListFormat
from replsim.cli.means import Dask, Jobs, Means, Most, NoStore, Store, Until, Wanted
from replsim.errors import ReplsimError

__all__ = ["app"]

ABOUT = """Before you touch production: what commit latency, replication lag and stale reads will I get?

replsim simulates a PostgreSQL primary and its standbys, described in a short YAML file.
"""

TOUR = """\b
Try, in this order:
  replsim scenarios         what is shipped, and the question that each asks
  replsim run SCENARIO      run one, by its name or its file
  replsim run SCENARIO --set primary.synchronous_commit=off
                            ... with one thing changed
  replsim new mine.yaml     a commented scenario to start from
  replsim check mine.yaml   all that is wrong, and how long a run takes
  replsim dashboard         the same with sliders, in a browser

\b
Exit codes: 0 all is well, 1 an expectation failed, 2 the input is wrong,
130 interrupted.
"""


DASHBOARD = """\b
Its pages:
  Explore             the knobs that matter, the answers in words and charts
  Follow one commit   why was this one slow, stale or lost?
  Break it            faults on a timeline: who was primary, what was lost
  Compare             two to four settings side by side, on the same luck
  Sweep, Find         two knobs on a heat map; the best settings of many
  Validation          measured and real servers beside their simulation
  Learn               a guided tour: predict, then look

\b
Every state has a URL that says what the command line would:
  /?scenario=quickstart/three-nodes&set=writers.app.rate=800/s
  is  replsim run quickstart/three-nodes --set writers.app.rate=800/s
"""

RUN = """\b
Examples:
  replsim run three-nodes
  replsim run three-nodes --set primary.synchronous_commit=off --seed 7
  replsim run three-nodes --seeds 20 --jobs 2
  replsim run three-nodes --until "relative_half_width<2%" -m commit_latency.p99
"""


class Group(TyperGroup):
    """Ends a command as a program should: a user's mistake is a message and exit code 2, never a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except ReplsimError as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(2) from None
        except KeyboardInterrupt:
            typer.echo("interrupted: nothing was written", err=True)
            raise typer.Exit(130) from None


app = typer.Typer(
    cls=Group,
    help=ABOUT,
    epilog=TOUR,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)

Files = Annotated[list[str], typer.Argument(metavar="FILE...", help="Scenario files, or names of shipped ones.")]
Changes = Annotated[
    list[str],
    typer.Option(
        "--set",
        metavar="PATH=VALUE",
        help="Change one value, such as writers.app.rate=800/s or 'links.\"p -> s1\".latency=5ms'. Repeat for more.",
    ),
]


@app.command(epilog=RUN)
def run(
    files: Files,
    seed: Annotated[int | None, typer.Option(min=0, help="Replaces the scenario's own seed.")] = None,
    engine: Annotated[str, typer.Option(help="auto, events, stages, or postgres: real servers.")] = "auto",
    keep: Annotated[
        Keep, typer.Option(help="all, or metrics: for long runs, whose memory then does not grow with their duration.")
    ] = Keep.all,
    changes: Changes = [],  # noqa: B006
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Also write metrics, commits, reads and the scenario there.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Let --out replace a folder that is there.")] = False,
    output: Annotated[Format, typer.Option("--format", help="What to print.")] = Format.table,
    full: Annotated[bool, typer.Option("--all", help="Print every metric, not only the main ones.")] = False,
    seeds: Annotated[
        int | None, typer.Option(min=1, help="Run with so many seeds: every metric with an interval.")
    ] = None,
    until: Until = None,
    most: Most = 1000,
    wanted: Wanted = None,
    jobs: Jobs = 1,
    dask: Dask = None,
    store: Store = None,
    forget: NoStore = False,
) -> None:
    """Run scenarios and print what came out.

    The exit code says whether all that they expect held: a scenario with expectations is a test.
    """
    if seeds is not None or until is not None:
        if keep is Keep.metrics:
            raise typer.BadParameter("a run with several seeds keeps metrics only anyway", param_hint="--keep")
        from replsim.cli.replicate import Options as Many
        from replsim.cli.replicate import replicate_all

        means = Means(engine, jobs, dask, store, forget)
        many = Many(seed, seeds, until, most, wanted, tuple(changes), out, force, output, full)
        raise typer.Exit(0 if replicate_all(files, many, means) else 1)
    from replsim.cli.run import Options, run_all

    options = Options(
        seed=seed, engine=engine, keep=keep, changes=tuple(changes), out=out, force=force, output=output, full=full
    )
    raise typer.Exit(0 if run_all(files, options) else 1)


File = Annotated[str, typer.Argument(metavar="FILE", help="A scenario file, or the name of a shipped one.")]
Seed = Annotated[int | None, typer.Option(min=0, help="Replaces the scenario's own seed.")]
Force = Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")]


@app.command()
def report(
    file: File,
    out: Annotated[Path, typer.Option(metavar="HTML", help="The page to write.")] = Path("report.html"),
    seed: Seed = None,
    seeds: Annotated[int, typer.Option(min=1, max=100, help="Run so many seeds: lines become bands.")] = 1,
    changes: Changes = [],  # noqa: B006
    dark: Annotated[bool, typer.Option("--dark", help="Light on dark.")] = False,
    force: Force = False,
) -> None:
    """Run a scenario and write one page of HTML: every figure, and what it says of this run.

    The page stands alone: it needs no network.
    """
    from replsim.cli.export import write_report

    theme: Literal["light", "dark"] = "dark" if dark else "light"
    write_report(file, changes, seed=seed, seeds=seeds, out=out, theme=theme, force=force)


@app.command()
def trace(
    file: File,
    out: Annotated[Path, typer.Option(metavar="JSON", help="The file to write.")] = Path("trace.json"),
    start: Annotated[float, typer.Option("--from", min=0, metavar="SECONDS", help="Where it begins.")] = 0.0,
    end: Annotated[float | None, typer.Option("--to", min=0, metavar="SECONDS", help="Where it ends.")] = None,
    seed: Seed = None,
    changes: Changes = [],  # noqa: B006
    force: Force = False,
) -> None:
    """Run a scenario and write a trace for Perfetto (ui.perfetto.dev) or chrome://tracing.

    Flushes and replay of each node, WAL on its way, every commit with its parts, and lag; at most 100,000 events.
    """
    from replsim.cli.export import write_trace

    write_trace(file, changes, seed=seed, out=out, start=start, end=end, force=force)


@app.command()
def check(files: Files, changes: Changes = []) -> None:  # noqa: B006
    """Say all that is wrong with scenarios, without running them.

    For each sound one: what can hardly work as meant, and the events, memory and time that a run will take.
    """
    from replsim.cli.check import check_all

    raise typer.Exit(0 if check_all(files, changes) else 2)


@app.command()
def validate(
    scenario: Annotated[str, typer.Argument(help="A scenario's file, or the name of a shipped one.")],
    against: Annotated[
        Path | None,
        typer.Option(metavar="DATA", help="The measured run: its folder, or what its files' names begin with."),
    ] = None,
    live: Annotated[
        bool,
        typer.Option("--live", help="Run it on real PostgreSQL servers of this machine now."),
    ] = False,
    seed: Annotated[int | None, typer.Option(min=0, help="Replaces the scenario's own seed.")] = None,
    changes: Changes = [],  # noqa: B006
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Also write the comparison there, with a QQ plot and lag over time."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Let --out replace a folder that is there.")] = False,
    output: Annotated[Format, typer.Option("--format", help="What to print.")] = Format.table,
) -> None:
    """Run a scenario beside a measured run of the same cluster: how far off is the simulator?

    The measured run is up to three files: transactions (NAME.tx.csv, or the logs of pgbench -l), samples of
    pg_stat_replication (NAME.mon.csv) and flushes (NAME.fsync.csv). Exit code 1: a metric is beyond its limit.

    With --live the simulation is told this machine's flush times, wake-up and executions, as the real run shows them.
    """
    from replsim.cli.validate import validate

    if live == (against is not None):
        raise typer.BadParameter("give either --against DATA or --live")

    held = validate(scenario, against, changes=changes, seed=seed, out=out, force=force, output=output)
    raise typer.Exit(0 if held else 1)


@app.command()
def calibrate(
    folder: Annotated[
        Path | None, typer.Argument(help="A folder of measurements, as 'replsim observe' writes it.")
    ] = None,
    name: Annotated[str, typer.Option(help="What to call the scenario.")] = "calibrated",
    log: Annotated[
        list[Path], typer.Option(metavar="FILE", help="A log of 'pgbench -l'. Repeat for each thread's.")
    ] = [],  # noqa: B006
    replication: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Samples of pg_stat_replication and WAL positions (CSV).")
    ] = None,
    ping: Annotated[
        list[str], typer.Option(metavar="NODE=FILE", help="Round trips: what 'ping' prints, or milliseconds.")
    ] = [],  # noqa: B006
    fsync: Annotated[
        list[str], typer.Option(metavar="NODE=FILE", help="Flush times: what pg_test_fsync prints, or a CSV.")
    ] = [],  # noqa: B006
    settings: Annotated[Path | None, typer.Option(metavar="FILE", help="The server's settings (JSON).")] = None,
    out: Annotated[Path, typer.Option(metavar="FILE", help="The scenario to write.")] = Path("calibrated.yaml"),
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
) -> None:
    """Build a scenario from measurements of a real cluster.

    Each source may be missing. Distributions are fitted where a family fits, else the samples are kept. What could
    not be identified is assumed, and named. docs/calibrate.md has the command that makes each source.
    """
    from replsim.cli.calibrate import calibrate

    calibrate(
        folder, name=name, logs=log, replication=replication, pings=ping, fsyncs=fsync, settings=settings, out=out,
        force=force,
    )  # fmt: skip


@app.command()
def observe(
    dsn: Annotated[str, typer.Option(help="How to reach the primary, such as 'host=db1 user=monitor dbname=app'.")],
    seconds: Annotated[str, typer.Option("--for", metavar="TIME", help="How long.")] = "60s",
    every: Annotated[str, typer.Option(metavar="TIME", help="How often; at most every 50ms.")] = "250ms",
    out: Annotated[Path, typer.Option(metavar="DIR", help="The folder to write.")] = Path("observed"),
    force: Annotated[bool, typer.Option("--force", help="Let --out replace a folder that is there.")] = False,
) -> None:
    """Sample a live primary, read-only: WAL positions, pg_stat_replication and settings, for 'replsim calibrate'."""
    from replsim.cli.calibrate import observe

    observe(dsn, seconds=seconds, every=every, out=out, force=force)


@app.command()
def prove(
    only: Annotated[
        list[str], typer.Option(metavar="SECTION", help="theory, pbs, differential or measured. Repeat for more.")
    ] = [],  # noqa: B006
    output: Annotated[Format, typer.Option("--format", help="What to print.")] = Format.table,
) -> None:
    """Show why to believe it: theory, a paper's table, two engines, a real server. Takes several minutes.

    Each line is what must come out, what did, and how exactly that is known: intervals are four standard errors to each
    side, and narrower than 2%. The exit code says whether all of it held.
    """
    from replsim.cli.prove import prove

    raise typer.Exit(0 if prove(only, output=output) else 1)


@app.command()
def scenarios(output: Annotated[ListFormat, typer.Option("--format")] = ListFormat.table) -> None:
    """List the shipped scenarios, each with its question."""
    from replsim.cli.lists import print_scenarios

    print_scenarios(output.value)


@app.command()
def metrics(
    words: Annotated[list[str] | None, typer.Argument(metavar="[WORD]...", help="Only those that have these.")] = None,
    output: Annotated[ListFormat, typer.Option("--format")] = ListFormat.table,
) -> None:
    """List every metric: its name, its unit and its definition.

    These are the names that `expect` takes, and the keys of `--format json`.
    """
    from replsim.cli.lists import print_metrics

    print_metrics(words or [], output.value)


@app.command()
def new(
    file: Annotated[Path, typer.Argument(help="The file to write.")] = Path("scenario.yaml"),
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
) -> None:
    """Write a commented scenario to start from."""
    from replsim.cli.files import write_starter

    write_starter(file, force=force)
    typer.echo(f"Wrote {file}. Next: replsim check {file}, then replsim run {file}")


@app.command()
def schema() -> None:
    """Print the JSON Schema of a scenario, for editors."""
    from replsim.cli.lists import print_schema

    print_schema()


@app.command(epilog=DASHBOARD)
def dashboard(
    port: Annotated[
        int | None, typer.Option(min=1024, max=65535, help="Listen there; without it, on the first free one from 8501.")
    ] = None,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open a browser, or only say the URL.")
    ] = True,
) -> None:
    """Open the dashboard: turn a knob, and see what becomes of commits, standbys and reads.

    It listens on 127.0.0.1 only, and no request leaves this machine. Ctrl-C ends it.
    """
    from replsim.cli.dashboard import open_dashboard

    open_dashboard(port, browser=browser)


studies.register(app)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"replsim {version('replsim')}")
        raise typer.Exit(0)


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """What holds for every command."""
