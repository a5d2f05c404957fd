"""Two or more settings on the same luck: the differences, each with an interval, and what the pairing saved."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Unpack

from replsim.errors import StudyError
from replsim.record import Table
from replsim.scenario import Scenario
from replsim.study import statistics
from replsim.study.conductor import How, conductor
from replsim.study.design import check, grid
from replsim.study.knobs import Given
from replsim.study.measures import Measure, headlines, measures, metrics_of
from replsim.study.sample import Sample, as_json, estimates_table, plain, runs_table, sample_of
from replsim.study.settings import Seeds, Setting, seed_list, setting
from replsim.study.statistics import Estimate

__all__ = ["Comparison", "Difference", "compare"]


@dataclass(frozen=True, slots=True)
class Difference:
    """How much larger a measure is in a setting than in the first one."""

    estimate: Estimate
    """The mean of the paired differences, in the measure's unit."""
    apart: float
    """The half width that independent seeds would have had at equal cost (Welch's)."""
    saved: float
    """How many times as many runs independent seeds would need for the paired half width."""
    relative: float
    """The difference as a fraction of the first setting's value."""

    @property
    def found(self) -> bool:
        """Whether the interval leaves 0 out: there is a difference, by more than luck."""
        return self.estimate.low > 0 or self.estimate.high < 0


@dataclass(frozen=True, eq=False)
class Comparison(Sequence[Sample]):
    """Some settings run with the same seeds; ``comparison[0]`` is the sample that the others are compared with."""

    samples: tuple[Sample, ...]
    labels: tuple[str, ...]
    """What tells them apart."""

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, place: Any) -> Any:
        return self.samples[place]

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What was measured."""
        return self.samples[0].measures

    def difference(self, measure: str, place: int = 1) -> Difference:
        """How setting number ``place`` differs from the first, run by run."""
        first, other = self.samples[0], self.samples[place]
        base = first[measure].mean
        before, after = first.values[measure], other.values[measure]
        paired = statistics.difference(before, after)
        return Difference(
            paired,
            statistics.welch(before, after),
            statistics.variance_ratio(before, after),
            paired.value / base if base else math.nan,
        )

    @property
    def runs(self) -> Table:
        """A row a run: its setting, its seed and its measures in SI units."""
        return runs_table(self.samples, (), self.labels)

    @property
    def table(self) -> Table:
        """A row a setting and measure, with its estimate in SI units."""
        return estimates_table(self.samples, (), self.labels)

    @property
    def warnings(self) -> list[str]:
        """What is to be known before a number is believed."""
        each = zip(self.labels, self.samples, strict=True)
        return [f"{label}: {text}" for label, sample in each for text in sample.warnings]

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON has it."""
        return {
            "settings": [
                {"label": label} | as_json(sample) for label, sample in zip(self.labels, self.samples, strict=True)
            ],
            "differences": [
                {
                    "label": label,
                    "measures": {one.name: _as_json(self.difference(one.name, place)) for one in self.measures},
                }
                for place, label in enumerate(self.labels)
                if place
            ],
            "warnings": self.warnings,
        }

    def __repr__(self) -> str:
        return f"<Comparison of {' | '.join(self.labels)}: {len(self.samples[0].seeds)} seeds>"


def compare(
    scenarios: Scenario | str | Path | Sequence[Scenario | str | Path],
    over: Mapping[str, Given] | None = None,
    seeds: Seeds = 20,
    *,
    metrics: Sequence[str] | None = None,
    overrides: Mapping[str, str] | None = None,
    **how: Unpack[How],
) -> Comparison:
    """Run several settings with the same seeds, so that each pair of runs has the same luck.

    Either several ``scenarios``, or one scenario and ``over``: it is compared, as it stands, with every combination of
    the values that ``over`` gives to its paths.  ``overrides`` hold in all settings.  ``metrics``: as in `replicate`;
    None measures what a result leads with.  ``how``: see `How`.

    Raises `ScenarioError`, and `StudyError` for what does not fit together.
    """
    many = [scenarios] if isinstance(scenarios, Scenario | str | Path) else list(scenarios)
    settings = [setting(each, overrides) for each in many]
    labels = _names(settings)
    if over:
        if len(settings) > 1:
            raise StudyError("give several scenarios, or one scenario and what to change in it, not both")
        design = grid(over)
        check(settings[0], design)
        settings, labels = _changed(settings[0], design)
    if len(settings) < 2:
        raise StudyError("a comparison needs two settings: name another scenario, or a value to change")
    every = [each.scenario for each in settings]
    seeds = seed_list(seeds, every[0])
    leading = list(dict.fromkeys(name for each in every for name in headlines(each)))
    wanted = measures(leading if metrics is None else metrics, every)
    with conductor(how) as conduct:
        findings = conduct([each.parcel() for each in settings], seeds, metrics_of(wanted))
    samples = tuple(sample_of(each, seeds, wanted, findings, nth) for nth, each in enumerate(settings))
    return Comparison(samples, labels)


def _names(settings: Sequence[Setting]) -> tuple[str, ...]:
    """The scenarios' names; their files' where two have the same name."""
    names = [each.base.name for each in settings]
    return tuple(each.source if names.count(name) > 1 and each.source else name for name, each in
                 zip(names, settings, strict=True))  # fmt: skip


def _changed(base: Setting, design: Sequence[Mapping[str, str]]) -> tuple[list[Setting], tuple[str, ...]]:
    """The setting as it stands, and those changes of it that make a difference."""
    settings, labels, known = [base], ["as it stands"], {base.parcel().identity}
    for changes in design:
        changed = base.changed(changes)
        identity = changed.parcel().identity
        if identity in known and len(design) > 1:
            # It stands so already: what it is called tells more than that it is the first.
            if identity == base.parcel().identity:
                labels[0] = f"{_label(changes)} (as it stands)"
            continue
        known.add(identity)
        settings.append(changed)
        labels.append(_label(changes))
    return settings, tuple(labels)


def _label(changes: Mapping[str, str]) -> str:
    return ", ".join(f"{path}={value}" for path, value in changes.items())


def _as_json(found: Difference) -> dict[str, Any]:
    told = {key: plain(value) for key, value in asdict(found).items() if key != "estimate"}
    own = {key: plain(value) for key, value in asdict(found.estimate).items()}
    return own | told | {"found": found.found}
