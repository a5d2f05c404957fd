"""Queries on standbys that conflicted with replay: what they cost, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from replsim.analysis.facts import Facts
from replsim.analysis.registry import Spec, measures
from replsim.scenario import Scenario
from replsim.units import SECOND

__all__: list[str] = []


def _queries(scenario: Scenario) -> bool:
    return any(fault.verb == "query" for fault in scenario.faults)


@measures(
    Spec(
        "conflicts.cancelled",
        "count",
        "count",
        "Queries that replay cancelled on a standby, as max_standby_streaming_delay was used up; for the cluster, "
        "on all standbys.",
    ),
    Spec(
        "conflicts.waited",
        "s",
        "extreme",
        "For how long replay stood still for queries on a standby, over the whole run; for the cluster, the longest of "
        "all standbys'.",
    ),
    per=("standby",),
    needs=_queries,
)
def conflicts(facts: Facts, standby: str | None) -> Mapping[str, float]:
    """What queries did to replay, and replay to queries."""
    names = tuple(facts.record.scenario.standbys) if standby is None else (standby,)
    waits = [_times(facts, name, "conflict ends", last=True) - _times(facts, name, "conflict") for name in names]
    return {
        "conflicts.cancelled": float(sum(len(_times(facts, name, "query cancelled")) for name in names)),
        "conflicts.waited": max(float(each.sum()) for each in waits) / SECOND,
    }


def _times(facts: Facts, node: str, what: str, *, last: bool = False) -> NDArray[np.int64]:
    """When something happened to a node; ``last`` adds the end of the run where a wait has no end yet."""
    events, scenario = facts.record.events, facts.record.scenario
    words = events.words["what"]
    chosen = (events["node"] == scenario.nodes.index(node)) & (
        events["what"] == (words.index(what) if what in words else -1)
    )
    times: NDArray[np.int64] = events["time"][chosen]
    begun = len(_times(facts, node, "conflict")) if last else 0
    return np.append(times, np.full(max(begun - len(times), 0), scenario.duration))
