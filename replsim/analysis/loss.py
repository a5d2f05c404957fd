"""What would be lost if the primary died now: asked of every moment at once.

Either it comes back by itself: lost is what a client was told is committed and the primary had not flushed, so commit
i is at risk in ``[acknowledged[i], flushed[i])``.  Or a standby is promoted: lost is what a client was told is
committed and the standby does not have.  A promoted standby first replays all that it has received, so *received* is
what counts, not applied.  What is in flight dies with the primary by default; ``in_flight="arrives"`` counts what had
been sent as saved.  Commit i is at risk in ``[acknowledged[i], received[i])``.  Every number is an exact integral over
time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from replsim.analysis.facts import Facts
from replsim.analysis.names import spread
from replsim.analysis.registry import Part, Spec, measures
from replsim.analysis.unmade import Age, Gap, levels
from replsim.analysis.weighted import Share, in_order
from replsim.kernels import worth_compiling
from replsim.kernels.places import plain
from replsim.kernels.steps import differences
from replsim.record import Record
from replsim.units import NEVER

__all__ = ["InFlight", "facts_loss_series", "loss_if_primary_dies", "loss_series"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

InFlight = Literal["dies", "arrives"]
STATISTICS: Final = ("mean", "p50", "p99", "max")


def loss_if_primary_dies(record: Record, node: str | None = None, in_flight: InFlight = "dies") -> dict[str, float]:
    """The metrics ``loss_if_primary_dies.*`` of a standby (None: at each moment, of the one with most), by name."""
    facts = Facts(record)
    found: dict[str, float] = {}
    for name, part in _measured(facts, "loss_if_primary_dies", _received(facts, node, in_flight)).items():
        if isinstance(part, Gap | Age):
            found |= {f"{name}.{each}": value for each, value in part.statistics(STATISTICS).items()}
        elif isinstance(part, Share):
            found[name] = part.value
    return found


def loss_series(record: Record, node: str | None = None, in_flight: InFlight = "dies") -> tuple[Floats, Floats]:
    """The number of commits that would be lost, over the whole run: times (s) and values from then on."""
    return facts_loss_series(Facts(record), node, in_flight)


def facts_loss_series(facts: Facts, node: str | None = None, in_flight: InFlight = "dies") -> tuple[Floats, Floats]:
    """`loss_series`, sharing what other metrics have derived."""
    starts, ends, _, _ = _at_risk(facts.acknowledged, _received(facts, node, in_flight), facts.column("bytes"))
    time, value = differences(starts, levels((starts, None)), ends, levels((ends, None)))
    return time / 1e9, value.astype(np.float64)


def _specs(family: str, what: str) -> list[Spec]:
    """The metrics of one ``family``; ``what`` says which commits are lost, after a noun."""
    told = "acknowledged at their clients"
    return [
        *spread(f"{family}.commits", "count", STATISTICS, f"the number of commits {told} {what}", over_time=True),
        *spread(f"{family}.bytes", "B", STATISTICS, f"the WAL of the commits {told} {what}", over_time=True),
        *spread(
            f"{family}.seconds",
            "s",
            STATISTICS,
            f"the time since the first acknowledgement at its client of a commit {what}",
            over_time=True,
        ),
        Spec(
            f"{family}.probability",
            "1",
            "proportion",
            f"The share of the window's time at which there is a commit acknowledged at its client {what}.",
        ),
    ]


@measures(
    *_specs(
        "loss_if_primary_dies",
        "that a standby has not received, and so would lack if the primary died with all that is in flight and it "
        "were promoted (for the cluster, at each moment the standby that has received most)",
    ),
    per=("standby",),
    needs=lambda scenario: bool(scenario.standbys),
    adds_up=True,
)
def loss(facts: Facts, node: str | None) -> Mapping[str, Part]:
    """What would be lost, by the convention that what is in flight dies with the primary."""
    return _measured(facts, "loss_if_primary_dies", _received(facts, node, "dies"))


@measures(
    *_specs(
        "loss_if_primary_restarts",
        "that the primary has not flushed, and so would lack if it crashed and came back by itself "
        "(``synchronous_commit = off`` risks this)",
    ),
    adds_up=True,
)
def restart_loss(facts: Facts, _: str | None) -> Mapping[str, Part]:
    """What a crash and restart of the primary would lose."""
    return _measured(facts, "loss_if_primary_restarts", facts.column("flushed"))


def _measured(facts: Facts, family: str, saved: Ints) -> dict[str, Part]:
    """The metrics of a ``family``, where each commit of the log is out of danger from ``saved`` on."""
    starts, ends, told, kept = _at_risk(facts.acknowledged, saved, facts.column("bytes"))
    first = _since_first(facts, saved) if len(starts) else Age(starts, starts, facts.window)
    return {
        f"{family}.commits": Gap((starts, None), (ends, None), facts.window),
        f"{family}.bytes": Gap((starts, told), (ends, kept), facts.window),
        f"{family}.seconds": first,
        f"{family}.probability": Share(float(first.covered), float(facts.window[1] - facts.window[0])),
    }


def _received(facts: Facts, node: str | None, in_flight: InFlight) -> Ints:
    """When each commit of the log was safe on the standby, or on the first of all standbys."""
    stage = "receive" if in_flight == "dies" else "sent"
    if node is not None:
        return facts.reached(node, stage)
    every = [facts.reached(name, stage) for name in facts.record.scenario.standbys]
    return np.minimum.reduce(every) if every else np.full(facts.count, NEVER)


def _at_risk(told: Ints, saved: Ints, weight: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """When commits come to be at risk, and when they are saved, each in order; and the sum of weights by then."""
    starts, ends, sums = _risks(told, saved, weight)
    begun = over = sums
    if not _rises(starts):
        starts, by = in_order(starts, np.diff(sums, prepend=0))
        begun = np.cumsum(by)
    if not _rises(ends):
        ends, by = in_order(ends, np.diff(sums, prepend=0))
        over = np.cumsum(by)
    saves = int(np.searchsorted(ends, NEVER))
    return starts, ends[:saves], begun, over[:saves]


def _risks(told: Ints, saved: Ints, weight: Ints) -> tuple[Ints, Ints, Ints]:
    """From when to when each commit is at risk that ever is, in the log's order, and the sum of weights up to it."""
    if not worth_compiling(len(told)):
        risky = told < saved
        return told[risky], saved[risky], np.cumsum(weight[risky], dtype=np.int64)
    from replsim.analysis import loops

    out = np.empty((3, len(told)), dtype=np.int64)
    count = loops.at_risk(plain(told), plain(saved), plain(weight), (out[0], out[1], out[2]))
    return out[0, :count], out[1, :count], out[2, :count]


def _rises(times: Ints) -> bool:
    return bool(np.all(times[1:] >= times[:-1]))


def _since_first(facts: Facts, saved: Ints) -> Age:
    """The age of the first acknowledgement among the commits that are in danger."""
    # While exactly the first i commits are saved, that is the earliest acknowledgement from commit i on.
    return Age(facts.once(_first_told), saved, facts.window)


def _first_told(facts: Facts) -> Ints:
    """The earliest acknowledgement from each commit on."""
    told = facts.acknowledged
    return told if _rises(told) else np.minimum.accumulate(told[::-1])[::-1]
