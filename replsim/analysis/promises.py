"""What readers were promised: whether it was kept, and what it cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from replsim.analysis.facts import Facts
from replsim.analysis.names import spread
from replsim.analysis.reads import chosen
from replsim.analysis.registry import Spec, measures
from replsim.analysis.weighted import statistics
from replsim.scenario import Scenario
from replsim.scenario.clients import Reader, Session
from replsim.scenario.nodes import Primary, Standby
from replsim.units import SECOND

__all__ = ["promises", "read_load", "read_queue"]

SHARE = "The share of reads issued within the window"


def _priced(scenario: Scenario) -> bool:
    clients: list[Reader | Session] = [*scenario.readers.values(), *scenario.sessions.values()]
    return any(each.promises or each.route.looks_at_lag or each.route.looks_at_writes for each in clients)


@measures(
    Spec(
        "promises.broken",
        "1",
        "proportion",
        f"{SHARE} that did not see what their reader or session group is promised; judged from what they saw.",
    ),
    Spec(
        "promises.to_primary",
        "1",
        "proportion",
        f"{SHARE} that went to the primary though their route's policy had not chosen it: to keep a promise, after a "
        "write, or because standbys were shunned.",
    ),
    *spread(
        "promises.wait",
        "s",
        ("mean", "p99", "max"),
        "the time that a read waited for a standby to replay, over all reads issued within the window",
    ),
    Spec("promises.waited", "1", "proportion", f"{SHARE} that waited for a standby to replay."),
    Spec("promises.timed_out", "1", "proportion", f"{SHARE} that waited for as long as they may, in vain."),
    Spec(
        "promises.sent_on",
        "count",
        "mean",
        "The mean number of times that a read issued within the window was sent on to another node.",
    ),
    per=("reader", "session"),
    needs=_priced,
)
def promises(facts: Facts, entity: str | None) -> Mapping[str, float]:
    """Whether promises were kept, and their price."""
    column = chosen(facts, entity)
    waited = column("waited")
    wait = statistics(waited, ("mean", "p99", "max"), SECOND)
    return {
        "promises.broken": _mean(~column("kept")),
        "promises.to_primary": _mean(column("diverted")),
        **{f"promises.wait.{name}": value for name, value in wait.items()},
        "promises.waited": _mean(waited > 0),
        "promises.timed_out": _mean(column("timed_out")),
        "promises.sent_on": _mean(column("tries") - 1),
    }


def _queues(scenario: Scenario) -> bool:
    nodes: list[Primary | Standby] = [scenario.primary, *scenario.standbys.values()]
    return _reads(scenario) and any(node.read_capacity is not None for node in nodes)


@measures(
    *spread(
        "read_queue",
        "s",
        ("mean", "p50", "p99", "max"),
        "the time that a read waited for its turn at its node, over all reads issued within the window",
    ),
    per=("node", "reader", "session"),
    needs=_queues,
)
def read_queue(facts: Facts, entity: str | None) -> Mapping[str, float]:
    """How long reads wait where servers are few."""
    found = statistics(chosen(facts, entity)("queued"), ("mean", "p50", "p99", "max"), SECOND)
    return {f"read_queue.{name}": value for name, value in found.items()}


@measures(
    Spec(
        "read_load",
        "1",
        "mean",
        "The time for which reads issued within the window are served at a node, over the window's time and the node's "
        "servers: above 1 there come more than can be served (the cluster's: the largest).",
    ),
    per=("node",),
    overall="largest",
    needs=_queues,
)
def read_load(facts: Facts, node: str | None) -> Mapping[str, float]:
    """How near reads bring a node to its limit."""
    scenario = facts.record.scenario
    assert node is not None
    limit = (scenario.primary if node == scenario.primary.name else scenario.standbys[node]).read_capacity
    if limit is None or not facts.window_seconds:
        return {"read_load": float("nan")}
    served = float(chosen(facts, node)("served").sum()) / SECOND
    return {"read_load": served / facts.window_seconds / limit.servers}


def _reads(scenario: Scenario) -> bool:
    return bool(scenario.readers or scenario.sessions)


def _mean(values: NDArray[Any]) -> float:
    return float(np.mean(values)) if len(values) else float("nan")
