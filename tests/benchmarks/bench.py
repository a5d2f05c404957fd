"""How fast the simulators are: ratios against a plain SimPy model in the same run, memory, and reads without events.

``make bench`` runs it: a line for each bound, kept or missed.  It ends with exit code 1 where one is missed.  All is
processor time, so that a busy machine is as good as a quiet one; but for what somebody waits for.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import replsim
from replsim.engines import events, stages
from tests.benchmarks import baseline

SCENARIO: Final = """
name: bench
duration: {seconds}s
seed: 1
primary:
  wal_device: {{flush: {{lognormal: {{median: 0.4ms, p99: 1ms}}}}}}
  synchronous_standby_names: ANY 1 (s1, s2, s3)
  max_connections: 600
standbys:
  s1: &standby {{wal_device: {{flush: {{lognormal: {{median: 0.4ms, p99: 1ms}}}}}}}}
  s2: *standby
  s3: *standby
links:
  p -> s1: {{latency: 0.5ms}}
  p -> s2: {{latency: 1ms}}
  p -> s3: {{latency: 5ms}}
writers:
  app: {{rate: {rate}/s, connections: 500, keys: {{count: 100000, zipf: 1.1}}}}
"""
READERS: Final = "readers:\n  web: {rate: 16700/s}\n"
KEYED: Final = "readers:\n  web: {rate: 16700/s, keys: {count: 100000, zipf: 1.1}}\n"


READ_FOUR_TIMES: Final = "readers:\n  web: {{rate: {rate}/s}}\n"
BOUNDS: Final = {
    "events at 1,000/s": 3,
    "events at 20,000/s": 20,
    "stages at 1,000/s": 150,
    "stages at 20,000/s": 500,
    "1,000/s with reads, only metrics kept": 60,
    "20,000/s with reads, only metrics kept": 200,
}
"""How many times the baseline's speed is asked for.

End to end, it is held against runs that keep only their metrics: exact counts and means, percentiles from bins.  What a
run takes that keeps its whole record, and has each of its metrics worked out exactly, is measured beside it.
"""


@dataclass(frozen=True)
class Line:
    """One measured number, and the bound that it must keep."""

    what: str
    value: float
    unit: str
    bound: float
    at_most: bool = False

    @property
    def passed(self) -> bool:
        """Whether the bound is kept."""
        return self.value <= self.bound if self.at_most else self.value >= self.bound

    def __str__(self) -> str:
        sign = "≤" if self.at_most else "≥"
        word = "pass" if self.passed else "MISS"
        return f"{self.what:<58} {self.value:>10,.2f} {self.unit:<8} {sign} {self.bound:>6,g}   {word}"


def cpu_seconds(work: Callable[[], int]) -> tuple[int, float]:
    """What ``work`` gives, and the processor time that it took."""
    start = time.process_time()
    count = work()
    return count, time.process_time() - start


def scenario(rate: int, seconds: int, extra: str = "") -> replsim.Scenario:
    """The baseline's cluster as a scenario."""
    return replsim.loads(SCENARIO.format(rate=rate, seconds=seconds) + extra)


def engine(rate: int, seconds: int, extra: str = "") -> replsim.Result:
    """A run of it, event by event."""
    return replsim.run(scenario(rate, seconds, extra), engine="events")


def speed() -> list[Line]:
    """Commits per CPU second: the baseline and the engines in turns, the best of three each, so that noise cancels."""
    work: dict[str, Callable[[], int]] = {"baseline": lambda: baseline.commits(1_000, 10, seed=1)}
    for rate in (1_000, 20_000):
        slow, fast = scenario(rate, 20_000 // rate), scenario(rate, 200_000 // rate)
        readers = READ_FOUR_TIMES.format(rate=4 * rate)
        whole, minute = scenario(rate, 200_000 // rate, readers), scenario(rate, 60, readers)
        work |= {
            f"events at {rate:,}/s": lambda slow=slow: len(events.run(slow, 1).commits),
            f"stages at {rate:,}/s": lambda fast=fast: len(stages.run(fast, 1).commits),
            f"{rate:,}/s with reads, all metrics of a whole record": lambda whole=whole: judged(whole),
            f"{rate:,}/s with reads, only metrics kept": lambda minute=minute: streamed(minute),
        }
    judged(scenario(1_000, 1, READ_FOUR_TIMES.format(rate=4_000)))  # imports are not the engines' speed
    best = dict.fromkeys(work, 0.0)
    for _ in range(3):
        for what, each in work.items():
            count, took = cpu_seconds(each)
            best[what] = max(best[what], count / took)
    for what, rate in best.items():
        print(f"{what:<55} {rate:>12,.0f} commits per CPU second")
    return [Line(what, best[what] / best["baseline"], "×", bound) for what, bound in BOUNDS.items()]


def judged(each: replsim.Scenario) -> int:
    """A run with all of its metrics."""
    result = replsim.run(each, engine="stages")
    dict(result.metrics)
    return len(result.commits)


def streamed(each: replsim.Scenario) -> int:
    """A run of which only metrics are kept, with all of those; about how many commits it had."""
    metrics = dict(replsim.run(each, engine="stages", keep="metrics").metrics)
    return round(metrics["throughput"] * each.duration / 1e9)


def answer() -> Line:
    """What a user waits for who moves a knob: a minute of traffic with 4,000 reads a second, from call to metrics."""
    minute = scenario(1_000, 60, READ_FOUR_TIMES.format(rate=4_000))
    took = []
    for _ in range(6):
        start = time.perf_counter()
        judged(minute)
        took.append(time.perf_counter() - start)
    return Line("a minute of 1,000 commits/s and 4,000 reads/s, all metrics", 1000 * min(took), "ms", 150, at_most=True)


def first_call() -> Line:
    """A first run in a new process, with the machine code on disk."""
    code = "import replsim; replsim.run('quickstart/three-nodes')"
    took = []
    for _ in range(3):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        took.append(time.perf_counter() - start)
    return Line("a first run in a new process", min(took), "s", 1.5, at_most=True)


def day() -> list[Line]:
    """A day of 5,000 commits and 20,000 reads a second whose record is not kept: from ten minutes of it."""

    def run(seconds: int) -> int:
        return streamed(scenario(5_000, seconds, READ_FOUR_TIMES.format(rate=20_000)))

    run(1)
    best = {}
    for seconds in (60, 600):
        runs = [cpu_seconds(lambda seconds=seconds: run(seconds)) for _ in range(3 if seconds == 60 else 1)]
        best[seconds] = min(took / count for count, took in runs)
    minutes = best[600] * 5_000 * 86_400 / 60
    gigabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return [
        Line("a day of 5,000 commits/s and 20,000 reads/s", minutes, "CPU min", 15, at_most=True),
        Line("the most memory until then, this whole benchmark's", gigabytes, "GiB", 1.5, at_most=True),
        Line("a commit's time in ten minutes, against one", best[600] / best[60], "×", 1.1, at_most=True),
    ]


def standbys() -> Line:
    """What eight standbys cost, against twice what four do."""

    def cluster(count: int) -> replsim.Scenario:
        names = [f"s{number}" for number in range(1, count + 1)]
        base = scenario(5_000, 20)
        return base.changed(
            standbys=dict.fromkeys(names, base.standbys["s1"]),
            links={f"p -> {name}": {"latency": "1ms"} for name in names},
        )

    def took(each: replsim.Scenario) -> float:
        return min(cpu_seconds(lambda: len(stages.run(each, 1).commits))[1] for _ in range(5))

    ratio = took(cluster(8)) / took(cluster(4)) / 2
    return Line("stages with eight standbys, against twice four", ratio, "×", 1.1, at_most=True)


def memory(rate: int, seconds: int) -> Line:
    """The most memory in use during a run, for each of its commits; batches are small at a low rate."""
    engine(1_000, 1)
    tracemalloc.start()
    result = engine(rate, seconds)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return Line(f"peak memory a commit at {rate:,}/s", peak / len(result.commits), "B", 1_000, at_most=True)


def reads(readers: str, about: str, metric: str) -> Line:
    """A million reads, judged after the run."""
    engine(100, 1, readers).metrics[metric]
    result = engine(1_000, 60, readers)

    def judge() -> int:
        fraction = result.metrics[metric]
        assert 0 < fraction < 1
        return len(result.reads)

    count, took = cpu_seconds(judge)
    assert count > 990_000, count
    return Line(f"{count:,} reads {about}, a 60-second run", took, "CPU s", 0.5, at_most=True)


def main() -> int:
    """Measure everything and print it."""
    lines = [
        *day(),
        *speed(),
        standbys(),
        answer(),
        first_call(),
        memory(1_000, 60),
        memory(20_000, 5),
        reads(READERS, "of anything", "stale_reads.fraction"),
        reads(KEYED, "of a row", "stale_reads.by_key.fraction"),
    ]
    print(*lines, sep="\n")
    return 0 if all(line.passed for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
