"""Reads that are counted as they go by, and not kept: what they saw and missed, by reader and node.

The same looks and the same judgement as in the table of reads, in one pass over what was issued in a section.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from replsim.analysis.bins import BINS
from replsim.analysis.facts import Facts
from replsim.analysis.reads.views import Views
from replsim.analysis.reads.walk import Router, Walk
from replsim.analysis.tally import Tally
from replsim.analysis.weighted import Share, Total
from replsim.kernels.places import plain
from replsim.randomness import Streams
from replsim.randomness.trips import Trips
from replsim.scenario import Scenario
from replsim.scenario.surges import effective
from replsim.units import SECOND

__all__ = ["CountedReads"]

Ints = NDArray[np.int64]

BLOCK: Final = 16_384
"""So many reads at a time: few enough that what is worked out of them stays in the processor's cache."""
SPREADS: Final = {"read_latency": SECOND, "stale_reads.versions": 1, "stale_reads.age": SECOND}
"""What is counted in bins, and how much of it is one in the metric's unit."""


class CountedReads:
    """The reads of open-loop readers that are promised nothing, added up section by section."""

    def __init__(self, scenario: Scenario) -> None:
        self._readers = tuple(scenario.readers)
        self._nodes = scenario.nodes
        shape = len(self._readers), len(self._nodes)
        self._numbers = np.zeros((*shape, 3), dtype=np.int64)
        """By reader and node: reads, those that were stale, and those ahead of their clients."""
        self._sums = np.zeros((*shape, len(SPREADS), 2), dtype=np.int64)
        """By reader, node and spread: the sum and the largest value."""
        self._held = np.zeros((*shape, len(SPREADS), BINS), dtype=np.int64)

    def add(self, facts: Facts) -> None:
        """Count the reads that are issued in a section."""
        from replsim.analysis.reads import loops

        views, streams = Views(facts), facts.streams()
        acknowledged, window = views.acknowledged, (int(facts.window[0]), int(facts.window[1]))
        told = (
            acknowledged.times,
            acknowledged.newest_by_count,
            acknowledged.first_by_prefix,
            acknowledged.latest_within,
        )
        for code, name in enumerate(self._readers):
            router = Router(facts.record.scenario, facts.record.scenario.readers[name], views)
            shown, places = views.shown(router.codes), np.zeros(len(self._nodes) + 2, dtype=np.int64)
            out = self._numbers[code], self._sums[code], self._held[code]
            for issued, walk in _passing(facts, streams, name, router):
                reads = plain(walk.node), plain(issued), plain(walk.looked), plain(walk.answered)
                loops.counted(reads, *shown, told, window, places, out)

    def parts(self, entity: str | None) -> Mapping[str, Tally | Share | Total]:
        """What metrics are worked out from: of all reads, or a reader's, or a node's."""
        readers = [entity] if entity in self._readers else self._readers
        nodes = [entity] if entity in self._nodes else self._nodes
        mine = np.ix_([self._readers.index(each) for each in readers], [self._nodes.index(each) for each in nodes])
        reads, stale, ahead = self._numbers[mine].sum(axis=(0, 1)).tolist()
        sums, held = self._sums[mine], self._held[mine].sum(axis=(0, 1))
        return {
            "reads.count": Total(float(reads)),
            "stale_reads.fraction": Share(float(stale), float(reads)),
            "reads_ahead.fraction": Share(float(ahead), float(reads)),
            **{
                family: Tally.of(held[place], int(sums[..., place, 0].sum()), int(sums[..., place, 1].max()), per)
                for place, (family, per) in enumerate(SPREADS.items())
            },
        }


def _passing(facts: Facts, streams: Streams, name: str, router: Router) -> Iterator[tuple[Ints, Walk]]:
    """The reads of a reader that are issued in a section, some at a time: when, and their ways."""
    scenario, stream = facts.record.scenario, f"reader:{name}"
    client = effective(scenario, streams.seed, name, scenario.readers[name])
    first, every = facts.issued(streams, f"{stream}:arrivals", client)
    trips = Trips(streams, stream, router.ways, attempts=router.attempts, first=first)
    for begin in range(0, len(every), BLOCK):
        issued = every[begin : begin + BLOCK]
        luck = trips.block(len(issued))
        numbers = np.arange(first + begin, first + begin + len(issued))
        place = router.choose(issued, numbers, luck.route)
        yield issued, router.walk(luck, slice(None), issued, place, None)
