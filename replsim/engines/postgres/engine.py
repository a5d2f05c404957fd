"""Run a scenario on real PostgreSQL servers, in real time, and hand over what was observed."""

from __future__ import annotations

import contextlib
import platform
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Final

from replsim.engines.postgres import statements
from replsim.engines.postgres.channel import Worker
from replsim.engines.postgres.cluster import Cluster
from replsim.engines.postgres.connection import need_psycopg
from replsim.engines.postgres.coverage import notes, refuse_uncovered
from replsim.engines.postgres.harvest import harvest
from replsim.engines.postgres.injections import PROMOTED, Injections
from replsim.engines.postgres.job import pack
from replsim.engines.postgres.observed import Observed
from replsim.engines.postgres.server import Server
from replsim.engines.postgres.statements import who
from replsim.engines.postgres.waldump import Commit, commits
from replsim.engines.postgres.workspace import Workspace
from replsim.record import Branch, Record
from replsim.scenario import Scenario
from replsim.units import SECOND

__all__ = ["run"]

Progress = Callable[[float], None]

HEADWAY: Final = SECOND // 5
"""From the order to begin to the run's start, so that every process has heard it."""
LOOK: Final = SECOND // 20
"""How often the progress is told, and whether all servers still run."""


def run(scenario: Scenario, seed: int, progress: Progress | None = None) -> Record:
    """Run ``scenario`` on servers of this machine; it takes as long as the scenario says, and a second or two more.

    ``progress`` is called with the fraction of the run that is over; what it raises ends the run.  However the run
    ends, also by Ctrl-C or SIGTERM, its servers and its folder are gone.  Raises `UnsupportedScenario` for what real
    servers cannot do, `MissingExtra` where there is no PostgreSQL or no psycopg, and `ServerFailed` where a server
    does not do its part.
    """
    refuse_uncovered(scenario)
    need_psycopg()
    origin = time.time_ns()
    with _terminable(), Workspace() as workspace:
        cluster = Cluster(scenario, seed, workspace, origin)
        # They start while the servers are made.
        writers, watcher = (Worker(workspace, f"{__package__}.{module}") for module in ("load", "watch"))
        cluster.start()
        return harvest(_observe(cluster, writers, watcher, seed, origin, progress or (lambda _: None)))


def _observe(
    cluster: Cluster, writers: Worker, watcher: Worker, seed: int, origin: int, progress: Progress
) -> Observed:
    from replsim.engines.postgres import load, watch  # they need psycopg, which is known to be there by now

    scenario = cluster.scenario
    nodes = {name: server.conninfo for name, server in cluster.servers.items()}
    writers.give(origin, load.Job(pack(scenario), seed, cluster.primary.conninfo))
    watcher.give(origin, watch.Job(pack(scenario), seed, nodes))
    for worker in (writers, watcher):
        worker.answer()
    zero = time.time_ns() - origin + HEADWAY
    for worker in (writers, watcher):
        worker.ask("begin", zero)
    injections = Injections(cluster, seed, lambda name: writers.ask("route", nodes[name]))
    _wait(cluster, injections, origin + zero, progress)
    injections.finish()
    rows, seen, heard = writers.ask("rows"), watcher.ask("seen"), cluster.links.ask("heard")
    p50, p99 = watcher.ask("late")
    late = f"looks and reads came {p50 / 1e6:.2f} ms late (p50), {p99 / 1e6:.1f} ms (p99): so busy was this machine"
    branches = _branches(cluster, injections)
    return Observed(
        scenario=scenario,
        seed=seed,
        origin=origin,
        zero=zero,
        base=cluster.base,
        rows=rows,
        heard=heard,
        seen=seen,
        wal=_asked_afterwards(cluster, injections.fork),
        branches=branches,
        happened=tuple(injections.happened),
        notes=(_where(cluster), *notes(scenario), late),
    )


def _branches(cluster: Cluster, injections: Injections) -> tuple[Branch, ...]:
    """The histories of the log, where there is more than one."""
    if injections.fork is None:
        return ()
    promoted = next(each for each in injections.happened if each.what == PROMOTED)
    first = Branch(1, -1, 0, 0, cluster.scenario.primary.name)
    return (first, Branch(2, 0, injections.fork - cluster.base, promoted.time, promoted.node))


def _wait(cluster: Cluster, injections: Injections, start: int, progress: Progress) -> None:
    """Until the run is over, while what the scenario does to its servers is done."""
    duration = cluster.scenario.duration

    def now() -> int:
        return time.time_ns() - start

    while now() < duration:
        progress(max(now(), 0) / duration)
        cluster.check()
        injections.do(now)
        time.sleep(max(min(LOOK, duration - now(), injections.next_time() - now()), 0) / SECOND)
    progress(1.0)


def _asked_afterwards(cluster: Cluster, fork: int | None) -> dict[tuple[int, int], tuple[int, Commit]]:
    """The branch and the commit record of each writer's transactions, asked when it disturbs nobody any more."""
    first = cluster.servers[cluster.scenario.primary.name]
    found = {key: (0, commit) for key, commit in _held(cluster, first, cluster.base, 1).items()}
    if fork is not None:
        # What the new primary took over from the old one was committed there.
        later = _held(cluster, cluster.primary, fork, 2)
        found = {key: (1, commit) for key, commit in later.items()} | found
    return found


def _held(cluster: Cluster, server: Server, start: int, timeline: int) -> dict[tuple[int, int], Commit]:
    """What a server holds of the transactions that committed there on a timeline, by writer and number."""
    if server.is_running:
        cluster.release_waiters(server)
    else:
        cluster.start_alone(server.name)
    with server.connect() as connection:
        held = who(connection.execute(statements.WHO.encode()).fetchall())  # type: ignore[arg-type]
    # The last records may still be on their way to the disk.
    server.tell("CHECKPOINT")
    wal = commits(cluster.workspace, cluster.binaries, server.data, start, timeline)
    return {key: wal[xid] for key, xid in held.items() if xid in wal}


def _where(cluster: Cluster) -> str:
    machine = f"{platform.system()} {platform.release()}, data below {cluster.workspace.folder.parent}"
    return f"PostgreSQL {cluster.binaries.version} in {cluster.binaries.folder}, {machine}"


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM end the run as an exception does, where nobody else has said what it should do."""

    def end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - as a handler is called
        sys.exit(128 + number)

    mine = threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    if mine:
        signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        if mine:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
