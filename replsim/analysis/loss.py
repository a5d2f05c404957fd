"""What would be lost if the primary died now, and a standby were promoted: asked of every moment at once.

Lost is what a client was told is committed and the standby does not have.  A promoted standby first replays
all that it has received, so *received* is what counts, not applied.  What is in flight dies with the primary
by default; ``in_flight="arrives"`` counts what had been sent as saved.  Commit i is at risk in
``[acknowledged[i], received[i])``, so every number is an exact integral over time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from replsim.analysis.facts import Facts
from replsim.analysis.names import spread
from replsim.analysis.registry import Spec, measures
from replsim.analysis.weighted import Ramps, Steps, counting
from replsim.record import Record
from replsim.units import NEVER

__all__ = ["InFlight", "loss_if_primary_dies", "loss_series"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

InFlight = Literal["dies", "arrives"]
STATISTICS: Final = ("mean", "p50", "p99", "max")
WHAT: Final = (
    "{what} that a standby has not received, and so would lack if the primary died with all that is in flight and it "
    "were promoted (for the cluster, at each moment the standby that has received most)"
)


def loss_if_primary_dies(record: Record, node: str | None = None, in_flight: InFlight = "dies") -> dict[str, float]:
    """The metrics ``loss_if_primary_dies.*`` of a standby (None: at each moment, of the one with most), by name."""
    return dict(_measured(Facts(record), node, in_flight))


def loss_series(record: Record, node: str | None = None, in_flight: InFlight = "dies") -> tuple[Floats, Floats]:
    """The number of commits that would be lost, over the whole run: times (s) and values from then on."""
    facts = Facts(record)
    time, value = _at_risk(facts.acknowledged, _received(facts, node, in_flight), np.ones(facts.count, dtype=np.int64))
    return time / 1e9, value.astype(np.float64)


@measures(
    *spread(
        "loss_if_primary_dies.commits",
        "count",
        STATISTICS,
        WHAT.format(what="the number of commits acknowledged at their clients"),
        over_time=True,
    ),
    *spread(
        "loss_if_primary_dies.bytes",
        "B",
        STATISTICS,
        WHAT.format(what="the WAL of the commits acknowledged at their clients"),
        over_time=True,
    ),
    *spread(
        "loss_if_primary_dies.seconds",
        "s",
        STATISTICS,
        WHAT.format(what="the time since the first acknowledgement at its client of a commit"),
        over_time=True,
    ),
    Spec(
        "loss_if_primary_dies.probability",
        "1",
        "proportion",
        "The share of the window's time at which a promotion would lose a commit acknowledged at its client.",
    ),
    per=("standby",),
    needs=lambda scenario: bool(scenario.standbys),
)
def loss(facts: Facts, node: str | None) -> Mapping[str, float]:
    """What would be lost, by the convention that what is in flight dies with the primary."""
    return _measured(facts, node, "dies")


def _measured(facts: Facts, node: str | None, in_flight: InFlight) -> dict[str, float]:
    received = _received(facts, node, in_flight)
    found: dict[str, float] = {}
    for what, weight in {"commits": np.ones(facts.count, dtype=np.int64), "bytes": facts.column("bytes")}.items():
        steps = Steps.between(*_at_risk(facts.acknowledged, received, weight), *facts.window)
        for name, value in steps.statistics(STATISTICS).items():
            found[f"loss_if_primary_dies.{what}.{name}"] = value
    ramps = _since_first(facts, received)
    for name, value in ramps.statistics(STATISTICS).items():
        found[f"loss_if_primary_dies.seconds.{name}"] = value
    share = 1 - ramps.zero / ramps.total if ramps.total else float("nan")
    return found | {"loss_if_primary_dies.probability": share}


def _received(facts: Facts, node: str | None, in_flight: InFlight) -> Ints:
    """When each commit of the log was safe on the standby, or on the first of all standbys."""
    stage = "receive" if in_flight == "dies" else "sent"
    if node is not None:
        return facts.reached(node, stage)
    every = [facts.reached(name, stage) for name in facts.record.scenario.standbys]
    return np.minimum.reduce(every) if every else np.full(facts.count, NEVER)


def _at_risk(told: Ints, received: Ints, weight: Ints) -> tuple[Ints, Ints]:
    risky = (told < NEVER) & (received > told)
    starts, ends, weight = told[risky], received[risky], weight[risky].astype(np.int64)
    return counting([starts, ends[ends < NEVER]], [weight, -weight[ends < NEVER]])


def _since_first(facts: Facts, received: Ints) -> Ramps:
    """The age of the first acknowledgement among the commits that are not received."""
    # While exactly the first i commits are received, that is the earliest acknowledgement from commit i on.
    first = np.minimum.accumulate(facts.acknowledged[::-1])[::-1] if facts.count else facts.acknowledged
    start = np.maximum(np.concatenate([[0], received])[: len(received)], first)
    return Ramps.of(start, received, first, facts.window)
