"""How fast the engine is: ratios against a plain SimPy model in the same run, memory, and reads without events.

``make bench`` runs it.  It ends with exit code 1 where a bound is missed.
"""

from __future__ import annotations

import sys
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import replsim
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
    """A run of it."""
    return replsim.run(scenario(rate, seconds, extra))


def speed() -> list[Line]:
    """Commits per CPU second: baseline and engine in turns, the best of three each, so that noise cancels."""
    scenarios = {1_000: scenario(1_000, 20), 20_000: scenario(20_000, 5)}
    best = dict.fromkeys(("baseline", *scenarios), 0.0)
    engine(1_000, 1)  # imports and first draws are not the engine's speed
    for _ in range(3):
        count, took = cpu_seconds(lambda: baseline.commits(1_000, 10, seed=1))
        best["baseline"] = max(best["baseline"], count / took)
        for rate, each in scenarios.items():
            count, took = cpu_seconds(lambda each=each: len(replsim.run(each).commits))
            best[rate] = max(best[rate], count / took)
    print(f"baseline: {best['baseline']:,.0f} commits per CPU second at 1,000/s")
    for rate in scenarios:
        print(f"engine:   {best[rate]:,.0f} commits per CPU second at {rate:,}/s")
    return [
        Line("engine at 1,000 commits/s, against the baseline (aim: 5)", best[1_000] / best["baseline"], "×", 3),
        Line("engine at 20,000 commits/s, against the same baseline", best[20_000] / best["baseline"], "×", 20),
    ]


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
        *speed(),
        memory(1_000, 60),
        memory(20_000, 5),
        reads(READERS, "of anything", "stale_reads.fraction"),
        reads(KEYED, "of a row", "stale_reads.by_key.fraction"),
    ]
    print(*lines, sep="\n")
    return 0 if all(line.passed for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
