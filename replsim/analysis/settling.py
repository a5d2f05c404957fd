"""When a run has settled: how much of its start to leave out, and whether it settles at all.

The warm-up is found by *MSER-5* (White 1997; White, Cobb and Spratt 2000): of means over five observations, leave
out as many at the start as make the standard error of the mean of the rest smallest.  A series for which that is more
than half is short of data or still moving; it is called *moving* where it also has a trend (Mann and Kendall's test
on ten stretches, at 1%), so that a single late spike is not taken for one.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from replsim.analysis.facts import Facts
from replsim.analysis.registry import find
from replsim.record import Record, answered
from replsim.scenario import Scenario
from replsim.units import NEVER

__all__ = ["BATCH", "cut", "is_moving", "moving", "series_of", "settled_from"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BATCH: Final = 5
"""Observations in a mean of MSER-5."""
_TAIL: Final = 5
"""Means at the end that a cut never leaves alone: the error of so few says nothing."""
_STRETCHES: Final = 10
_SIGNIFICANT: Final = 2.5758
"""The normal quantile of a two-sided test at 1%."""


_OF_COMMITS: Final = (
    "commit_latency",
    "commit_latency_from_start",
    "connection_wait",
    "learned_latency",
    "pending_commits",
)
_OF_LAG: Final = ("lag", "measured_lag", "stale_reads", "t_visibility", "t_visibility_from_visible")
_NEVER_AT_REST: Final = ("lag.growth",)
"""What is there to tell movement, and means something exactly where a series has not settled."""


def cut(values: NDArray[np.generic]) -> int:
    """How many of a series' first values to leave out, by MSER-5; none where they are too few to say.

    >>> cut(np.concatenate([np.linspace(100.0, 0.0, 50), np.tile([0.0, 1.0], 500)]))
    50
    """
    means = _means(values)
    if len(means) < 2 * _TAIL:
        return 0
    left = np.arange(len(means), 0, -1, dtype=np.float64)
    centred = means - means.mean()
    total, squares = np.cumsum(centred[::-1])[::-1], np.cumsum(centred[::-1] ** 2)[::-1]
    error = (squares - total**2 / left) / left**2
    return BATCH * int(np.argmin(error[:-_TAIL]))


def is_moving(values: NDArray[np.generic]) -> bool:
    """Whether a series has not come to rest: MSER-5 would leave out more than half of it, and it has a trend."""
    means = _means(values)
    if len(means) < 2 * _STRETCHES:
        return False
    return 2 * cut(values) > len(values) and _has_trend(means)


def settled_from(record: Record) -> int:
    """The warm-up of a run (ns): the latest of all its series' cuts, and at most half of the run.

    The series are the commit latency of each writer, and each standby's delay from insert to apply, commit by commit.
    """
    facts, latest = Facts(record), 0
    for _, time, values in _series(facts, tuple(record.scenario.standbys)):
        if kept := cut(values):
            latest = max(latest, int(time[kept]))
    return min(latest, record.scenario.duration // 2)


def moving(facts: Facts, series: Collection[str]) -> list[str]:
    """Which of some ``series`` of a run had not settled within its window: ``commit_latency``, or ``s1.lag``.

    A load that follows a schedule, and a cluster in which something breaks, are not meant to settle.
    """
    scenario = facts.record.scenario
    if scenario.faults or any(writer.schedule for writer in scenario.writers.values()):
        return []
    standbys = tuple(node for node in scenario.standbys if f"{node}.lag" in series)
    found = dict.fromkeys(
        name
        for name, time, values in _series(facts, standbys)
        if name in series and is_moving(values[facts.within(time)])
    )
    return list(found)


def series_of(metric: str, scenario: Scenario) -> tuple[str, ...]:
    """The series of which a metric tells: a mean of it means something only where they have settled.

    >>> from replsim.scenario import Scenario
    >>> parts = {"standbys": {"s1": {}}, "links": {"p -> s1": {"latency": "1ms"}}, "writers": {"app": {"rate": "5/s"}}}
    >>> demo = Scenario(name="demo", duration="9s", **parts)
    >>> series_of("s1.lag.seconds.p99", demo), series_of("app.commit_latency.mean", demo)
    (('s1.lag',), ('commit_latency',))
    """
    found, entity = find(metric)
    family = found.name.split(".")[0]
    if found.name in _NEVER_AT_REST:
        return ()
    if family in _OF_COMMITS:
        return ("commit_latency",)
    if family in _OF_LAG:
        whose = (entity,) if entity in scenario.standbys else tuple(scenario.standbys)
        return tuple(f"{node}.lag" for node in whose)
    return ()


def _series(facts: Facts, standbys: tuple[str, ...]) -> Iterator[tuple[str, Ints, Ints]]:
    """Each series' name, the times at which its observations were due, and their values (ns)."""
    commits, scenario = facts.record.commits, facts.record.scenario
    told = answered(commits["outcome"]) & (commits["acknowledged"] < NEVER)
    for writer in (*scenario.writers, *scenario.sessions):
        chosen = told & facts.of_writer(writer)
        due = commits["submitted"][chosen]
        order = np.argsort(due, kind="stable")
        yield "commit_latency", due[order], (commits["acknowledged"][chosen] - due)[order]
    inserted = facts.column("inserted")
    for node in standbys:
        applied = facts.reached(node, "apply")
        done = applied < NEVER
        yield f"{node}.lag", inserted[done], (applied - inserted)[done]


def _means(values: NDArray[np.generic]) -> Floats:
    whole = len(values) // BATCH * BATCH
    means: Floats = values[:whole].astype(np.float64).reshape(-1, BATCH).mean(axis=1)
    return means


def _has_trend(means: Floats) -> bool:
    """Mann and Kendall's test on ten stretches."""
    each = len(means) // _STRETCHES
    stretches = means[len(means) - each * _STRETCHES :].reshape(_STRETCHES, each).mean(axis=1)
    signs = np.sign(stretches[None, :] - stretches[:, None])
    score = abs(float(np.triu(signs).sum()))
    n = _STRETCHES
    return (score - 1) / math.sqrt(n * (n - 1) * (2 * n + 5) / 18) > _SIGNIFICANT
