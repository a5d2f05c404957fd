"""What the nodes' clocks show: the time, but for the faults that skew them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from replsim.analysis.facts import Facts
from replsim.analysis.weighted import counting
from replsim.kernels.places import looked_up
from replsim.randomness import Streams
from replsim.scenario.faults import Skew
from replsim.scenario.windows import windows

__all__ = ["changes", "error", "stamps"]

Ints = NDArray[np.int64]


def changes(facts: Facts, node: str) -> Ints:
    """When the error of a node's clock changes, in nanoseconds."""
    return facts.once(_errors, node)[0]


def error(facts: Facts, node: str, moments: Ints) -> Ints:
    """What a node's clock shows minus the time, at each moment, in nanoseconds."""
    times, errors = facts.once(_errors, node)
    return np.asarray(looked_up(times, errors, moments, "right", back=1, outside=0))


def stamps(facts: Facts) -> Ints:
    """The commit timestamp of each commit of the log: when it was inserted, by the clock of its primary."""
    inserted, record = facts.column("inserted"), facts.record
    reigns = [(branch.first, branch.node) for branch in record.branches] or [(0, record.scenario.primary.name)]
    ends = [*(first for first, _ in reigns[1:]), facts.count]
    parts = [inserted[first:end] for (first, _), end in zip(reigns, ends, strict=True)]
    wrong = [error(facts, node, part) for (_, node), part in zip(reigns, parts, strict=True)]
    return np.asarray(inserted + np.concatenate(wrong))


def _errors(facts: Facts, node: str) -> tuple[Ints, Ints]:
    record = facts.record
    skews = [
        (window.start, window.end, window.fault.offset)
        for window in windows(record.scenario, Streams(record.seed))
        if isinstance(window.fault, Skew) and window.fault.skew == node
    ]
    start, end, offset = np.array(skews, dtype=np.int64).reshape(-1, 3).T
    return counting((start, end), (offset, -offset))
