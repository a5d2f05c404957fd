"""How far each standby is behind the primary, as one who sees both at once would say: the *true* lag.

In bytes and in commits it is a step function of time.  In seconds it is the age of the oldest commit that
the standby has not applied, a sawtooth: it rises by a second a second and falls when that commit is applied.
All statistics are exact integrals over time; nothing is sampled.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from replsim.analysis.facts import Facts
from replsim.analysis.names import spread
from replsim.analysis.registry import Part, Spec, measures
from replsim.analysis.unmade import Age, Gap, levels
from replsim.analysis.weighted import Share, Steps, Total
from replsim.kernels.places import crossed
from replsim.kernels.steps import differences
from replsim.record import Record
from replsim.record.branch import distance
from replsim.units import NEVER, SECOND

__all__ = ["LagKind", "facts_lag_series", "lag_series"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

LagKind = Literal["bytes", "commits", "seconds"]
STATISTICS: Final = ("mean", "p50", "p99", "max")
STAGES: Final = {
    "send": "the primary's insert to its being sent by the upstream (the primary's flush is in it)",
    "network": "being sent to being received (the link's queue is in it)",
    "write": "being received to being written there",
    "flush": "being written to being flushed there",
    "replay": "being flushed to being applied there",
}
WORST: Final = "for the cluster, the largest of all standbys'"


@measures(
    *spread(
        "lag.bytes",
        "B",
        STATISTICS,
        f"the primary's insert position minus the standby's apply position ({WORST})",
        over_time=True,
    ),
    per=("standby",),
    overall="largest",
    adds_up=True,
)
def lag_bytes(facts: Facts, node: str | None) -> Mapping[str, Part]:
    """True lag in bytes.  Each kind of lag is worked out by itself: a study may want one of them of many runs."""
    assert node is not None
    if len(facts.record.branches) > 1:
        return {"lag.bytes": Steps.between(*_bytes(facts, node), *facts.window)}
    insert, apply = facts.of_primary("insert"), facts.record.position(node, "apply")
    return {"lag.bytes": Gap((insert.time, insert.lsn), (apply.time, apply.lsn), facts.window)}


@measures(
    *spread(
        "lag.commits",
        "count",
        STATISTICS,
        f"the number of commits inserted on the primary and not applied on the standby ({WORST})",
        over_time=True,
    ),
    per=("standby",),
    overall="largest",
    adds_up=True,
)
def lag_commits(facts: Facts, node: str | None) -> Mapping[str, Part]:
    """True lag in commits."""
    assert node is not None
    inserted, applied = _in_and_out(facts, node)
    return {"lag.commits": Gap((inserted, None), (applied, None), facts.window)}


@measures(
    *spread(
        "lag.seconds",
        "s",
        STATISTICS,
        "the age, since its commit record was inserted on the primary, of the oldest commit that the standby has not "
        f"applied, 0 if there is none ({WORST})",
        over_time=True,
    ),
    per=("standby",),
    overall="largest",
    adds_up=True,
)
def lag_seconds(facts: Facts, node: str | None) -> Mapping[str, Part]:
    """True lag in seconds."""
    assert node is not None
    return {"lag.seconds": _age(facts, node)}


@measures(
    Spec(
        "lag.growth",
        "1",
        "mean",
        "The least-squares slope of the lag in seconds over the window, in seconds a second: near 0 where the standby "
        f"keeps up, 1 where it has stopped ({WORST}).",
    ),
    per=("standby",),
    overall="largest",
    adds_up=True,
)
def growth(facts: Facts, node: str | None) -> Mapping[str, Part]:
    """Whether the lag grows without end."""
    assert node is not None
    scenario = facts.record.scenario
    window = scenario.warmup, scenario.duration
    return {"lag.growth": Total(_age(facts, node).slope(window) if window[1] > window[0] else float("nan"))}


@measures(
    *(
        Spec(
            f"lag.split.{stage}",
            "s",
            "mean",
            f"The mean time of a commit record's bytes from {what}, over the commits applied on the standby within the "
            f"window ({WORST}).",
        )
        for stage, what in STAGES.items()
    ),
    per=("standby",),
    overall="largest",
    adds_up=True,
)
def split(facts: Facts, node: str | None) -> Mapping[str, Part]:
    """The stages of a commit's way to the standby; for one standby they add up to its mean delay."""
    assert node is not None
    applied = facts.reached(node, "apply")
    # Times of a position never fall, so the commits of the window are neighbours.
    first, last = np.searchsorted(applied, facts.window).tolist()
    codes = facts.codes[first:last]
    sums = [int(facts.column("inserted")[first:last].sum())]
    for stage in ("sent", "receive", "write", "flush"):
        position = facts.record.position(node, stage)
        sums.append(crossed(position.lsn, position.time, codes, outside=NEVER))
    sums.append(int(applied[first:last].sum()))
    return {
        # Both sums may wrap round, their difference does not.
        f"lag.split.{stage}": Share(float((after - before + 2**63) % 2**64 - 2**63) / SECOND, float(last - first))
        for stage, (before, after) in zip(STAGES, pairwise(sums), strict=True)
    }


@measures(
    *(
        Spec(
            f"replay_backlog.{when}",
            "B",
            "count",
            f"WAL that the standby has flushed and not applied at the window's {when} ({WORST}).",
        )
        for when in ("start", "end")
    ),
    per=("standby",),
    overall="largest",
)
def backlog(facts: Facts, node: str | None) -> Mapping[str, float]:
    """What waits for replay at the window's two ends: more at the end is a replay that does not keep up."""
    assert node is not None
    flush, apply = facts.record.position(node, "flush"), facts.record.position(node, "apply")
    waiting = distance(facts.record.branches, flush.at(facts.window), apply.at(facts.window))
    return {"replay_backlog.start": float(waiting[0]), "replay_backlog.end": float(waiting[1])}


def lag_series(record: Record, node: str, kind: LagKind) -> tuple[Floats, Floats]:
    """A standby's lag over the whole run, for plots: times in seconds, and bytes, commits or seconds.

    In bytes and commits, each value holds from its time to the next.  In seconds, the values are corners to
    be joined by straight lines.
    """
    return facts_lag_series(Facts(record), node, kind)


def facts_lag_series(facts: Facts, node: str, kind: LagKind) -> tuple[Floats, Floats]:
    """`lag_series`, sharing what other metrics have derived."""
    if kind == "seconds":
        start, end, origin = _oldest(facts, node)
        end = np.minimum(end, facts.record.scenario.duration)
        kept = end > start
        start, end, origin = start[kept], end[kept], origin[kept]
        # Up from 0 before a ramp and down to 0 after it, where the next one does not follow at once.
        time = np.stack([start, start, end, end], axis=1)
        value = np.stack([np.zeros_like(start), start - origin, end - origin, np.zeros_like(end)], axis=1)
        shown = np.ones(time.shape, dtype=bool)
        follows = start[1:] == end[:-1]
        shown[1:, 0], shown[:-1, 3] = ~follows, ~follows
        return time[shown] / 1e9, value[shown] / 1e9
    time_ns, steps = _bytes(facts, node) if kind == "bytes" else _commits(facts, node)
    return time_ns / 1e9, steps.astype(np.float64)


def _bytes(facts: Facts, node: str) -> tuple[Ints, Ints]:
    insert, apply = facts.of_primary("insert"), facts.record.position(node, "apply")
    if len(facts.record.branches) > 1:
        moments = np.unique(np.concatenate([insert.time, apply.time]))
        return moments, facts.behind(node, moments)
    return differences(insert.time, insert.lsn, apply.time, apply.lsn)


def _commits(facts: Facts, node: str) -> tuple[Ints, Ints]:
    inserted, applied = _in_and_out(facts, node)
    return differences(inserted, levels((inserted, None)), applied, levels((applied, None)))


def _in_and_out(facts: Facts, node: str) -> tuple[Ints, Ints]:
    """When commits were inserted on the primary, and when they were applied on a standby, each in order."""
    applied = facts.reached(node, "apply")
    return facts.once(_insertions), applied[: int(np.searchsorted(applied, NEVER))]


def _insertions(facts: Facts) -> Ints:
    """When commits were inserted, in order; after a failover that is not always the log's."""
    inserted = facts.column("inserted")
    return inserted if np.all(inserted[1:] >= inserted[:-1]) else np.sort(inserted)


def _oldest(facts: Facts, node: str) -> tuple[Ints, Ints, Ints]:
    """For each commit: from when to when it is the oldest not applied, and when it was inserted."""
    inserted, applied = facts.column("inserted"), facts.reached(node, "apply")
    start = np.maximum(np.concatenate([[0], applied])[: len(applied)], inserted)
    return start, applied, inserted


def _age(facts: Facts, node: str) -> Age:
    """The lag in seconds within the window."""
    return Age(facts.column("inserted"), facts.reached(node, "apply"), facts.window)
