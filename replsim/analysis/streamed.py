"""The metrics of a run that is not kept: measured section by section, and added up.

Each metric is measured by the same function as on a whole record; here it is asked about each section's stretch of
time.  What it gives adds up: counts and sums exactly, distributions as a `Tally`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from replsim.analysis.facts import Facts
from replsim.analysis.lag import lag_seconds
from replsim.analysis.reads.counted import CountedReads
from replsim.analysis.registry import METRICS, Metric, Named, Part, names_for
from replsim.analysis.staleness import stale_reads
from replsim.analysis.tally import Tally, TallyOfRamps
from replsim.analysis.unmade import Age, Gap
from replsim.analysis.weighted import PERMILLE, AtEnd, Ramps, Sample, Share, Steps, Total
from replsim.errors import UnsupportedScenario
from replsim.randomness import DurationDistribution, Streams
from replsim.randomness.arrivals import Arriving, Open
from replsim.randomness.streams import Uniforms
from replsim.record import Record
from replsim.scenario import Scenario
from replsim.scenario.nodes import Primary, Standby
from replsim.scenario.topology import client_ways

__all__ = ["Streamed", "measure", "not_streamed", "reach", "refuse", "streamed_names"]

Ints = NDArray[np.int64]
Adding = Tally | TallyOfRamps | Share | Total | AtEnd

POINTS: Final = 2000
"""Equal stretches of the run, in each of which the largest lag is kept."""


def streamed_names(scenario: Scenario) -> list[str]:
    """The metrics that a streamed run of ``scenario`` has."""
    return [name for name in names_for(scenario) if _plain(name).adds_up]


def not_streamed(name: str) -> str:
    """What is to be said of a metric that a streamed run does not have."""
    return f"{name!r} needs the whole record: a run that keeps only metrics does not have it (keep='all' does)"


def refuse(scenario: Scenario) -> None:
    """Raise `UnsupportedScenario` where reads depend on more than a stretch of time."""
    reasons = [f"reads of session {name} follow its writes" for name in scenario.sessions]
    for name, reader in scenario.readers.items():
        route = reader.route
        if reader.keys is not None or reader.guarantee != "none" or reader.bound is not None:
            reasons.append(f"reader {name} reads rows, or is promised something")
        if route.quorum is not None or route.looks_at_lag or route.looks_at_writes or route.policy == "per_session":
            reasons.append(f"the route of reader {name} depends on more than its draws")
    nodes: list[Primary | Standby] = [scenario.primary, *scenario.standbys.values()]
    if any(node.read_capacity is not None for node in nodes):
        reasons.append("reads queue for a node's capacity")
    if reasons:
        raise UnsupportedScenario(f"this cannot be run without keeping its record: {'; '.join(reasons)}")


def reach(scenario: Scenario) -> int:
    """The longest way of a read to its node, in nanoseconds."""
    ways = [
        _longest(client_ways(scenario, reader, node).out)
        for reader in scenario.readers.values()
        for node in reader.route.nodes(scenario.primary.name, tuple(scenario.standbys))
    ]
    return max(ways, default=0)


def _longest(law: DurationDistribution) -> int:
    """The largest value that can be drawn."""
    if law.mixture is not None:
        return max(_longest(part.of) for part in law.mixture)
    if law.empirical is not None:
        return int(np.rint(law.empirical.measured.max()))
    assert law.family is not None
    return int(np.rint(law.family.quantile(np.array([1 - 2.0**-53]))[0]))


def _plain(name: str) -> Metric:
    return METRICS[name] if name in METRICS else METRICS[name.partition(".")[2]]


class Luck(Streams):
    """The streams of a run that go on from section to section."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._going: dict[str, Uniforms] = {}
        self._arriving: dict[str, Arriving] = {}
        self._count: dict[str, int] = {}

    @override
    def uniforms(self, name: str) -> Uniforms:
        if name not in self._going:
            self._going[name] = super().uniforms(name)
        return self._going[name]

    def issued(self, name: str, client: Open, until: int, end: int) -> tuple[int, Ints]:
        """The next arrivals before ``until``, and how many came before them; the run ends at ``end``."""
        if name not in self._arriving:
            self._arriving[name] = Arriving(self, name, client, end)
        first, times = self._count.get(name, 0), self._arriving[name].until(until)
        self._count[name] = first + len(times)
        return first, times


class SectionFacts(Facts):
    """What follows from a section."""

    def __init__(self, record: Record, luck: Luck) -> None:
        super().__init__(record)
        self._luck = luck

    @override
    def streams(self) -> Streams:
        return self._luck

    @override
    def issued(self, streams: Streams, name: str, client: Open) -> tuple[int, Ints]:
        assert self.record.stretch is not None
        return self._luck.issued(name, client, self.record.stretch[1], self.record.scenario.duration)


class Streamed(Named):
    """Metrics that are added up as sections come."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        names = streamed_names(scenario)
        super().__init__(scenario, names)
        self._luck = Luck(seed)
        self._found: dict[tuple[Any, str | None], dict[str, Adding]] = {}
        self._worked_out: dict[tuple[str, str | None], dict[str, float]] = {}
        """The statistics of a family, once one of them is asked for."""
        self._reads: CountedReads | None = None
        self._of_reads: dict[str | None, Mapping[str, Adding]] = {}
        """What metrics of reads are worked out from, once one of them is asked for."""
        for name in names:
            metric = _plain(name)
            own = self._whose(metric, None if name in METRICS else name.partition(".")[0])
            if metric.function is stale_reads:
                self._reads = self._reads or CountedReads(scenario)
            elif own is not None or metric.overall == "own":
                self._found[metric.function, own] = {}
        self.lag = {}
        """Each standby's largest lag, in seconds, in each of `POINTS` equal stretches of the run."""
        for standby in scenario.standbys:
            tally = TallyOfRamps(POINTS, scenario.duration)
            self._found[lag_seconds, standby]["lag.seconds"] = tally
            self.lag[standby] = tally.peaks

    def add(self, section: Record) -> None:
        """Add the next section."""
        self._worked_out.clear()
        self._of_reads.clear()
        facts = SectionFacts(section, self._luck)
        if self._reads is not None:
            self._reads.add(facts)
        for (function, entity), found in self._found.items():
            for name, part in facts.once(function, entity).items():
                found[name] = _sum(found.get(name), part)

    @override
    def _value(self, metric: Metric, entity: str | None) -> float:
        found = self._parts(metric, entity)
        own = found.get(metric.name)
        if isinstance(own, Share | Total | AtEnd):
            return own.value
        spread = found.get(metric.family)
        if not isinstance(spread, Tally | TallyOfRamps):
            return float("nan")
        if (metric.family, entity) not in self._worked_out:
            self._worked_out[metric.family, entity] = spread.statistics(("mean", *PERMILLE, "max"))
        return self._worked_out[metric.family, entity][metric.name.rpartition(".")[2]]

    def _parts(self, metric: Metric, entity: str | None) -> Mapping[str, Adding]:
        if metric.function is not stale_reads:
            return self._found[metric.function, entity]
        assert self._reads is not None
        if entity not in self._of_reads:
            self._of_reads[entity] = self._reads.parts(entity)
        return self._of_reads[entity]

    @override
    def _unknown(self, name: str) -> str:
        return not_streamed(name) if name in names_for(self._scenario) else super()._unknown(name)


def _sum(before: Adding | None, part: float | Part) -> Adding:
    """Two parts as one."""
    if isinstance(part, Sample | Steps | Gap):
        tally = before if isinstance(before, Tally) else Tally()
        tally.add(part)
        return tally
    if isinstance(part, Ramps | Age):
        ramps = before if isinstance(before, TallyOfRamps) else TallyOfRamps()
        ramps.add(part)
        return ramps
    if isinstance(part, Share):
        return Share(part.part + before.part, part.whole + before.whole) if isinstance(before, Share) else part
    if isinstance(part, Total):
        return Total(part.value + before.value) if isinstance(before, Total) else part
    assert isinstance(part, AtEnd), "a metric that adds up gives nothing but parts"
    return part


def measure(scenario: Scenario, seed: int, sections: Iterable[Record]) -> Streamed:
    """The metrics of a run, from its sections."""
    streamed = Streamed(scenario, seed)
    for section in sections:
        streamed.add(section)
    return streamed
