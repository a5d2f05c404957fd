"""How fast studies are: the cost of a run beyond its simulation, two processes against one, and memory.

``make bench`` runs it after the engines' own; ``python -m tests.benchmarks.studies`` runs it alone.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any, Final

import replsim
from replsim.study import Here, Processes, Store
from replsim.study.conduct import Plan, carry_out
from replsim.study.design import Parcels, grid
from replsim.study.parcel import code_version, pack
from replsim.study.runs import Outcome
from replsim.study.settings import Setting
from tests.benchmarks.bench import SCENARIO, Line

READS: Final = "readers:\n  web: {rate: 4000/s, route: round_robin}\n"
METRICS: Final = ("commit_latency.p50", "commit_latency.p99", "lag.seconds.p99", "stale_reads.fraction")
RUNS: Final = 1_000


def scenario(seconds: int) -> replsim.Scenario:
    """Three standbys, 1,000 commits and 4,000 reads a second."""
    return replsim.loads(SCENARIO.format(rate=1_000, seconds=seconds) + READS)


def plan(seconds: int, runs: int, settings: int = 1) -> Plan:
    """So many runs of it."""
    parcel = pack(scenario(seconds), Path())
    return Plan((parcel,) * settings, tuple(range(1, runs + 1)), METRICS)


def overhead() -> Line:
    """What a run costs beyond its own seconds: reading its parcel, judging it, keeping it in a store."""
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder, "runs.sqlite")) as store:
        carry_out(plan(1, 1), executor=Here())
        started = time.perf_counter()
        found = carry_out(plan(1, 200), executor=Here(), store=store)
        took = time.perf_counter() - started
    spent = 1e3 * (took - found.seconds) / 200
    return Line("a run beyond its simulation, kept in a store", spent, "ms", 5, at_most=True)


def efficiency(runs: int) -> Line:
    """Two processes against one, both started and warm, in turns; the best of three each."""
    best = {1: 0.0, 2: 0.0}
    pools = {jobs: Processes(jobs) for jobs in best}
    for jobs, pool in pools.items():
        carry_out(plan(5, 2 * jobs), executor=pool)
    for _ in range(3):
        for jobs, pool in pools.items():
            started = time.perf_counter()
            carry_out(plan(60, runs), executor=pool)
            best[jobs] = max(best[jobs], runs / (time.perf_counter() - started))
    for pool in pools.values():
        pool.shutdown()
    print(f"runs of 60 s a second: {best[1]:.2f} on one process, {best[2]:.2f} on two")
    return Line("two processes against one", best[2] / best[1] / 2, "", 0.9)


def thousand() -> Line:
    """1,000 runs of 60 s, from nothing to the numbers, on two processes that have to start."""
    pool = Processes(2)
    started = time.perf_counter()
    found = carry_out(plan(60, RUNS), executor=pool)
    took = time.perf_counter() - started
    pool.shutdown()
    assert found.done.all()
    busy = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"processor time of all workers so far: {busy.ru_utime + busy.ru_stime:.0f} s")
    engines = ", ".join(f"{count} by {engine}" for engine, count in found.engines.items())
    print(f"{RUNS} runs: {engines}; {1e3 * found.seconds / RUNS:.0f} ms each")
    return Line("1,000 runs of 60 s, two processes", took, "s", 90, at_most=True)


class Instant(Executor):
    """Answers at once, without a simulation: what is left is what a study itself costs."""

    width = 2

    def submit(self, fn: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        """Give numbers that nobody computed."""
        future: Future[Any] = Future()
        version = code_version()
        future.set_result(
            [Outcome(run.setting, run.nth, (1.0,) * len(run.metrics), (), "none", 0.0, version) for run in arguments[0]]
        )
        return future


def hundred_thousand() -> list[Line]:
    """100,000 runs over 50,000 settings, into a store: memory, and time a run."""
    base = Setting(scenario(60), Path())
    over = {"links.p -> s1.latency": "1ms..50ms:250", "writers.app.rate": "100/s..2000/s:200"}
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder, "runs.sqlite")) as store:
        few = Plan(Parcels(base, grid({"links.p -> s1.latency": "1ms..2ms:250"})), (1, 2), METRICS)
        carry_out(few, executor=Instant(), store=store)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        started = time.process_time()
        found = carry_out(Plan(Parcels(base, grid(over)), (1, 2), METRICS), executor=Instant(), store=store)
        took = time.process_time() - started
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert len(store) == 100_500
        size = Path(folder, "runs.sqlite").stat().st_size
    assert found.done.all()
    print(f"the store takes {size / 100_500:.0f} bytes a run")
    return [
        Line("memory of a sweep of 100,000 runs, beyond one of 500", (after - before) / 1e3, "MB", 100, at_most=True),
        Line("what it costs the study itself, a run", 1e3 * took / 100_000, "ms", 5, at_most=True),
    ]


def main() -> int:
    """Measure everything and print it."""
    lines = [overhead(), *hundred_thousand(), efficiency(24), thousand()]
    print(*lines, sep="\n")
    return 0 if all(line.passed for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
