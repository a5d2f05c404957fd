"""How commit latencies are spread: shares in bins of equal ratio, for plots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from replsim.analysis.facts import Facts
from replsim.record import PENDING, answered
from replsim.units import NEVER, SECOND

__all__ = ["Histogram", "latencies", "latency_histogram", "latency_rows", "overdue", "together"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

PER_DECADE: Final = 40
"""Bins in a factor of ten: each is 6 % wide."""


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """The share of values in each bin; ``edges`` are in seconds, one more than there are bins.

    A value on an edge counts in the bin that begins there.  No values: no bins.
    """

    edges: Floats
    share: Floats
    count: int


def latency_rows(facts: Facts, writer: str | None = None) -> Ints:
    """The commits over which latency is measured (acknowledged within the window), of one writer or of all."""
    commits = facts.record.commits
    chosen = facts.within(commits["acknowledged"]) & answered(commits["outcome"]) & facts.of_writer(writer)
    return np.flatnonzero(chosen)


def latencies(facts: Facts, rows: Ints) -> Ints:
    """From when each commit was due to its acknowledgement at its client, in nanoseconds."""
    commits = facts.record.commits
    waits: Ints = commits["acknowledged"][rows] - commits["submitted"][rows]
    return waits


def overdue(facts: Facts) -> int:
    """How many commits were pending at the run's end that had waited for longer than any other took."""
    commits = facts.record.commits
    longest = int(latencies(facts, latency_rows(facts)).max(initial=0))
    pending = commits["submitted"][commits["outcome"] == PENDING]
    return int(np.count_nonzero(facts.record.scenario.duration - pending[pending < NEVER] > longest))


def latency_histogram(facts: Facts, writer: str | None = None) -> Histogram:
    """The spread of the commit latency of one writer or session group, or of all."""
    waits = latencies(facts, latency_rows(facts, writer)) / SECOND
    if not len(waits):
        return Histogram(np.empty(0), np.empty(0), 0)
    # The same bins for every run: what differs between two histograms is never where their bins begin.
    places = np.floor(np.log10(np.maximum(waits, 1e-9)) * PER_DECADE).astype(np.int64)
    low, high = int(places.min()), int(places.max())
    share = np.bincount(places - low, minlength=high - low + 1) / len(waits)
    return Histogram(10.0 ** (np.arange(low, high + 2) / PER_DECADE), share, len(waits))


def together(many: Sequence[Histogram]) -> tuple[Floats, list[Floats]]:
    """Histograms on common bins: the edges, and each one's shares; those of no values are left out."""
    some = [each for each in many if each.count]
    first = [round(np.log10(each.edges[0]) * PER_DECADE) for each in some]
    low = min(first)
    high = max(start + len(each.share) for start, each in zip(first, some, strict=True))
    shares = []
    for start, each in zip(first, some, strict=True):
        share = np.zeros(high - low)
        share[start - low : start - low + len(each.share)] = each.share
        shares.append(share)
    return 10.0 ** (np.arange(low, high + 1) / PER_DECADE), shares
