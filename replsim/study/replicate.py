"""The same scenario with many seeds: every metric with its spread and an interval."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Unpack

import numpy as np

from replsim.analysis import names_for
from replsim.analysis.expectations import quantity
from replsim.errors import StudyError, UnitError
from replsim.record import Table
from replsim.scenario import Scenario
from replsim.study.conductor import Conductor, How, conductor
from replsim.study.measures import Measure, measures, metrics_of
from replsim.study.sample import Sample, as_json, estimates_table, join, runs_table, sample_of
from replsim.study.settings import Seeds, Setting, seed_list, setting
from replsim.study.statistics import Estimate, estimate

__all__ = ["Replication", "Until", "replicate"]

_UNTIL: Final = re.compile(r"\s*(?:(.+?)\.)?(relative_half_width|half_width)\s*<=?\s*(\S.*?)\s*")
_LEADING: Final = ("commit_latency.p99", "lag.seconds.p99", "throughput")
"""Whose interval is to become narrow where nobody says whose: the first that there is."""
_FEWEST: Final = 5
"""Runs before the first look: the spread of fewer says too little."""


@dataclass(frozen=True, slots=True)
class Until:
    """Add seeds until intervals are narrow: ``relative_half_width<2%``, ``commit_latency.p99.half_width < 1ms``."""

    measure: str
    """Whose interval; empty: of all that were asked for by name."""
    relative: bool
    quantity: str

    @classmethod
    def read(cls, text: str) -> Until:
        """Read it from text.  Raises `StudyError`.

        >>> Until.read("relative_half_width<2%")
        Until(measure='', relative=True, quantity='2%')
        """
        match = _UNTIL.fullmatch(text)
        if match is None:
            raise StudyError(f"expected 'relative_half_width<2%' or 'commit_latency.p99.half_width<1ms', got {text!r}")
        return cls(match[1] or "", match[2] == "relative_half_width", match[3])

    def bound(self, measure: Measure) -> float:
        """How narrow, in the measure's unit or as a fraction.  Raises `StudyError` where the unit does not fit."""
        try:
            bound = quantity("1" if self.relative else measure.unit, self.quantity)
        except UnitError as error:
            raise StudyError(f"{measure.name}: {error}") from None
        if bound <= 0:
            raise StudyError("no interval has a half width of 0: ask for more than that")
        return bound

    def width(self, found: Estimate) -> float:
        """The half width in question; infinite where there is no interval."""
        width = found.relative_half_width if self.relative else found.half_width
        return math.inf if math.isnan(width) else width


@dataclass(frozen=True, eq=False)
class Replication:
    """Many runs of one scenario.  ``replication["commit_latency.p99"]`` is an `Estimate`."""

    sample: Sample
    unreached: tuple[str, ...] = ()
    """The measures whose intervals are not as narrow as they were to be."""

    def __getitem__(self, measure: str) -> Estimate:
        return self.sample[measure]

    @property
    def estimates(self) -> Mapping[str, Estimate]:
        """What the runs say, by measure."""
        return self.sample.estimates

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds that were run."""
        return self.sample.seeds

    @property
    def runs(self) -> Table:
        """A row a run: its seed and its measures in SI units."""
        return runs_table([self.sample], ())

    @property
    def table(self) -> Table:
        """A row a measure, with its estimate in SI units."""
        return estimates_table([self.sample], ())

    @cached_property
    def expectations(self) -> Mapping[str, Estimate]:
        """What the scenario expects, each with the share of the runs in which it held."""
        found = {}
        for expectation in self.sample.setting.scenario.expect:
            one = Measure(str(expectation), expectation.metric, expectation)
            # What has no value does not hold, as in a single run.
            held = np.nan_to_num(one.of(self.sample.metrics[one.metric]), nan=0.0)
            found[one.name] = estimate(held[self.sample.done], "proportion")
        return found

    @property
    def held(self) -> bool:
        """Whether every expectation held in every run."""
        return all(found.value == 1 for found in self.expectations.values())

    @property
    def warnings(self) -> list[str]:
        """What is to be known before a number is believed."""
        short = [f"{name}: its interval is not yet as narrow as asked for: allow more runs" for name in self.unreached]
        return [*self.sample.warnings, *short]

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON has it."""
        held = {
            text: {"held": round(one.value * one.runs), "runs": one.runs} for text, one in self.expectations.items()
        }
        return as_json(self.sample) | {"expectations": held, "warnings": self.warnings}

    def __repr__(self) -> str:
        return f"<Replication of {self.sample.setting.scenario.name!r}: {self.sample.finished} runs>"

    def _repr_html_(self) -> str:
        from replsim.study.words import html

        return html(self.sample, self.warnings)


def replicate(
    scenario: Scenario | str | Path,
    seeds: Seeds = 20,
    *,
    metrics: Sequence[str] | None = None,
    until: str | Until | None = None,
    most: int = 1000,
    overrides: Mapping[str, str] | None = None,
    **how: Unpack[How],
) -> Replication:
    """Run a scenario with many seeds, and give every metric with an interval that fits its kind.

    ``seeds``: how many, from the scenario's own on, or which.  ``metrics`` names those that are wanted (``*`` for any
    part of a name, ``P(lost_commits > 0)`` for the chance of something); None measures every metric.  ``until`` adds
    seeds until intervals are narrow (``relative_half_width<2%``), up to ``most`` runs in all.  ``how``: see `How`.

    Raises `ScenarioError`, and `StudyError` for what does not fit together.
    """
    chosen = setting(scenario, overrides)
    wanted = measures(metrics, [chosen.scenario])
    with conductor(how) as conduct:
        if until is None:
            return Replication(_runs(conduct, chosen, seed_list(seeds, chosen.scenario), wanted))
        if not isinstance(seeds, int):
            raise StudyError("`until` adds seeds by itself: give the number of seeds to start with, not a list")
        until = Until.read(until) if isinstance(until, str) else until
        whose = _whose(until, chosen, wanted if metrics is not None else None)
        return _until(conduct, chosen, wanted, {one.name: until.bound(one) for one in whose}, until, (seeds, most))


def _runs(conduct: Conductor, chosen: Setting, seeds: tuple[int, ...], wanted: tuple[Measure, ...]) -> Sample:
    expected = [expectation.metric for expectation in chosen.scenario.expect]
    metrics = tuple(dict.fromkeys([*metrics_of(wanted), *expected]))
    return sample_of(chosen, seeds, wanted, conduct([chosen.parcel()], seeds, metrics), metrics=metrics)


def _until(
    conduct: Conductor,
    chosen: Setting,
    wanted: tuple[Measure, ...],
    limits: Mapping[str, float],
    until: Until,
    bounds: tuple[int, int],
) -> Replication:
    """Round by round: how many seeds come next depends on what was found alone, so it is the same everywhere."""
    first, most = bounds
    sample: Sample | None = None
    count = min(max(first, _FEWEST), most)
    while True:
        have = len(sample.seeds) if sample else 0
        new = _runs(conduct, chosen, seed_list(count, chosen.scenario)[have:], wanted)
        sample = join(sample, new) if sample else new
        wide = {name: until.width(sample[name]) / limit for name, limit in limits.items()}
        open_ = tuple(name for name, ratio in wide.items() if ratio >= 1)
        if not open_ or count >= most or not new.finished:
            return Replication(sample, open_)
        # The half width falls with the root of the runs; a forecast from few runs is trusted for twice as many.
        forecast = count * min(max(wide[name] for name in open_), 1e3) ** 2 * 1.05
        count = min(max(math.ceil(forecast), count + 2), 2 * count, most)


def _whose(until: Until, chosen: Setting, named: Sequence[Measure] | None) -> Sequence[Measure]:
    """The measures whose intervals count; ``named``: those that were asked for, None where all are measured."""
    there = names_for(chosen.scenario)
    if until.measure:
        if named is not None and until.measure not in (one.name for one in named):
            raise StudyError(f"{until.measure!r} is not among the metrics that this study is to measure")
        return measures([until.measure], [chosen.scenario])
    if named is not None:
        return named
    return measures([next((name for name in _LEADING if name in there), there[0])], [chosen.scenario])
