"""What the devices under the WAL had to do: commits per flush, and the share of time spent flushing."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from replsim.analysis.facts import Facts
from replsim.analysis.registry import Part, Spec, measures
from replsim.analysis.weighted import Share
from replsim.record import Record

__all__ = ["flushes"]

Ints = NDArray[np.int64]


def flushes(record: Record, node: str) -> tuple[Ints, Ints]:
    """When each flush of a node's WAL device began and ended (nanoseconds), the last perhaps by the run's end.

    A flush ends when the flush position rises.  Where one raised nothing, which a record does not show, it
    is taken to last until the next rise or the next flush, whichever comes first.
    """
    starts = record.flush_starts.get(node, np.empty(0, dtype=np.int64))
    rises = record.position(node, "flush").time
    end = record.scenario.duration
    if len(rises) <= len(starts) <= len(rises) + 1:
        ends = np.append(rises, end)[: len(starts)]
        if np.all(ends >= starts):
            return starts, ends
    following = np.append(rises, end)[np.searchsorted(rises, starts, side="right")]
    return starts, np.minimum(following, np.append(starts[1:], end))


@measures(
    Spec(
        "commits_per_flush",
        "1",
        "mean",
        "Commits per flush of the WAL device within the window: commit records inserted on the primary (received on a "
        "standby) over flushes begun; for the cluster, the primary's.",
    ),
    Spec(
        "flush_utilisation",
        "1",
        "proportion",
        "The share of the window during which the WAL device was flushing; for the cluster, the primary's.",
    ),
    per=("node",),
    adds_up=True,
)
def devices(facts: Facts, node: str | None) -> Mapping[str, Part]:
    """Group commit at work, and how near the device is to its limit."""
    primary = facts.record.scenario.primary.name
    node = node or primary
    starts, ends = flushes(facts.record, node)
    begun = int(np.diff(np.searchsorted(starts, facts.window))[0])
    if node == primary:
        arrived = int(np.count_nonzero(facts.within(facts.column("inserted"))))
    else:
        arrived = int(np.diff(np.searchsorted(facts.reached(node, "receive"), facts.window))[0])
    busy = int(np.sum(np.clip(ends, *facts.window) - np.clip(starts, *facts.window)))
    return {
        "commits_per_flush": Share(float(arrived), float(begun)),
        "flush_utilisation": Share(busy / 1e9, facts.window_seconds),
    }
