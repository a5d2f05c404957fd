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
from replsim.units import SECOND

__all__ = ["promises"]

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


def _mean(values: NDArray[Any]) -> float:
    return float(np.mean(values)) if len(values) else float("nan")
