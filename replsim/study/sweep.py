"""A scenario over many settings: a tidy table, and a matrix of any measure over two knobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack, overload

import numpy as np
from numpy.typing import NDArray

from replsim.errors import StudyError
from replsim.record import Table
from replsim.scenario import Scenario
from replsim.study.conduct import Failure, Findings
from replsim.study.conductor import How, conductor
from replsim.study.design import Design, Kind, Parcels, check, spread
from replsim.study.figures import SweepPlot
from replsim.study.knobs import Given
from replsim.study.measures import Measure, headlines, measures, metrics_of
from replsim.study.sample import Sample, as_json, estimates_table, runs_table, sample_of
from replsim.study.settings import Seeds, Setting, seed_list, setting

__all__ = ["Matrix", "Sweep", "sweep"]


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """A measure over two knobs: a row for each value of one, a column for each of the other; NaN where not known."""

    measure: Measure
    x: str
    y: str
    columns: tuple[str, ...]
    """The values of the knob ``x``."""
    rows: tuple[str, ...]
    """The values of the knob ``y``."""
    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    """The estimates and the ends of their intervals, in the measure's unit."""


@dataclass(frozen=True, eq=False)
class Sweep(Sequence[Sample]):
    """Runs of a scenario over many settings; ``sweep[k]`` is the sample of the k-th."""

    base: Setting
    design: Design
    seeds: tuple[int, ...]
    measures: tuple[Measure, ...]
    findings: Findings

    def __len__(self) -> int:
        return len(self.design)

    @overload
    def __getitem__(self, place: int) -> Sample: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Sample]: ...
    def __getitem__(self, place: int | slice) -> Sample | Sequence[Sample]:
        if isinstance(place, slice):
            return [self[k] for k in range(*place.indices(len(self)))]
        place = place + len(self) if place < 0 else place
        changed = self.base.changed(self.design[place])
        return sample_of(changed, self.seeds, self.measures, self.findings, place)

    @property
    def knobs(self) -> tuple[str, ...]:
        """The paths that vary."""
        return tuple(one.path for one in self.design.knobs)

    @property
    def runs(self) -> Table:
        """A row a finished run: its knobs, its seed and its measures in SI units."""
        return runs_table(self, self.knobs)

    @property
    def table(self) -> Table:
        """A row a setting and measure: its knobs, and the estimate in SI units."""
        return estimates_table(self, self.knobs)

    @property
    def failures(self) -> list[Failure]:
        """The runs that went wrong, by setting and seed."""
        return self.findings.failures

    @property
    def warnings(self) -> list[str]:
        """What is to be known before a number is believed."""
        found = []
        if self.findings.moving:
            settings = [f"setting {place + 1} ({self[place].setting.label})" for place in self.findings.moving]
            more = f" and {len(settings) - 3} more" if len(settings) > 3 else ""
            found.append(f"something had not settled in {', '.join(settings[:3])}{more}: there may be no steady state")
        if self.failures:
            found.append(f"{len(self.failures)} of {self.findings.done.size} runs failed")
        if missing := self.findings.done.size - int(self.findings.done.sum()) - len(self.failures):
            found.append(f"{missing} of {self.findings.done.size} runs have not been done")
        return found

    def matrix(self, measure: str, x: str, y: str, fixed: Mapping[str, str] | None = None) -> Matrix:
        """A measure over two of a grid's knobs; ``fixed`` (path: value) chooses a value of each other one.

        Without a choice another knob stands at its first value.  Raises `StudyError`.
        """
        one = next((each for each in self.measures if each.name == measure), None)
        if one is None:
            there = ", ".join(each.name for each in self.measures)
            raise StudyError(f"this study did not measure {measure!r}; it has {there}")
        values = {each.path: each.values for each in self.design.knobs}
        if self.design.shares is not None or {x, y} - values.keys():
            raise StudyError(f"a matrix is over two knobs of a grid: this study's are {', '.join(values)}")
        at = {path: (fixed or {}).get(path, options[0]) for path, options in values.items()}
        places = {tuple(changes.items()): place for place, changes in enumerate(self.design)}
        shape = (len(values[y]), len(values[x]))
        found = {name: np.full(shape, np.nan) for name in ("value", "low", "high")}
        for i, row in enumerate(values[y]):
            for j, column in enumerate(values[x]):
                estimate = self[places[tuple((at | {x: column, y: row}).items())]][measure]
                for name, cells in found.items():
                    cells[i, j] = getattr(estimate, name) if estimate.settled else np.nan
        return Matrix(one, x, y, values[x], values[y], **found)

    @property
    def plot(self) -> SweepPlot:
        """Its figures (pip install 'replsim[report]')."""
        return SweepPlot(self)

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON has it."""
        return {
            "scenario": self.base.base.name,
            "knobs": list(self.knobs),
            "seeds": list(self.seeds),
            "settings": [as_json(sample) for sample in self],
            "warnings": self.warnings,
        }

    def __repr__(self) -> str:
        done = f"{int(self.findings.done.sum())} of {self.findings.done.size} runs"
        return f"<Sweep of {self.base.base.name!r} over {', '.join(self.knobs)}: {len(self)} settings, {done}>"


def sweep(
    scenario: Scenario | str | Path,
    over: Mapping[str, Given],
    seeds: Seeds = 5,
    *,
    metrics: Sequence[str] | None = None,
    design: Kind = "grid",
    points: int | None = None,
    overrides: Mapping[str, str] | None = None,
    **how: Unpack[How],
) -> Sweep:
    """Run a scenario over many settings, each with the same seeds, so that settings differ by nothing but themselves.

    ``over`` gives each path its values: a list, ``"off,local,on"``, or a range, ``"1ms..50ms:6"`` (see
    `replsim.study.knobs`).  ``design``: ``grid`` takes every combination, ``latin`` (a Latin hypercube) and ``sobol``
    spread ``points`` settings over the ranges.  ``metrics``: as in `replicate`; None measures what a result leads
    with.  ``how``: see `How`.  Raises `ScenarioError` with every setting that cannot run, before the first one does.
    """
    base = setting(scenario, overrides)
    chosen = spread(over, design, points, base.scenario.seed)
    wanted = measures(headlines(base.scenario) if metrics is None else metrics, _scenarios(base, chosen))
    return swept(base, chosen, seed_list(seeds, base.scenario), wanted, how)


def swept(base: Setting, design: Design, seeds: tuple[int, ...], wanted: tuple[Measure, ...], how: How) -> Sweep:
    """Carry out a design that is made already."""
    check(base, design)
    with conductor(how) as conduct:
        findings = conduct(Parcels(base, design), seeds, metrics_of(wanted))
    return Sweep(base, design, seeds, wanted, findings)


def _scenarios(base: Setting, design: Design) -> list[Scenario]:
    """Scenarios that have, between them, the metrics of the study: as it stands, and in the first setting."""
    return [base.scenario, base.changed(design[0]).load()]
