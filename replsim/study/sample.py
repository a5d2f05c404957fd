"""What several runs of one setting found: the measured values by run, and an estimate of each measure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from replsim.analysis.settling import series_of
from replsim.errors import StudyError
from replsim.record import Table
from replsim.study.conduct import Failure, Findings
from replsim.study.measures import Measure, metrics_of
from replsim.study.settings import Setting
from replsim.study.statistics import Estimate, estimate
from replsim.study.table import text_column

__all__ = ["Sample", "as_json", "estimates_table", "join", "plain", "runs_table", "sample_of"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Sample:
    """Some runs of one setting.  ``sample["commit_latency.p99"]`` is an `Estimate`."""

    setting: Setting
    seeds: tuple[int, ...]
    measures: tuple[Measure, ...]
    metrics: Mapping[str, Floats]
    """Each metric's values in the order of the seeds, in SI units; NaN where a run is missing or has none."""
    moving: Mapping[str, int]
    """By series, in how many runs it had not settled."""
    done: NDArray[np.bool_]
    """By seed: whether the run is finished."""
    failures: tuple[Failure, ...] = ()
    """The runs that went wrong."""

    def __getitem__(self, measure: str) -> Estimate:
        if measure not in self.estimates:
            raise StudyError(f"this study did not measure {measure!r}; it has {', '.join(self.estimates)}")
        return self.estimates[measure]

    @property
    def finished(self) -> int:
        """How many runs there are."""
        return int(self.done.sum())

    @cached_property
    def values(self) -> Mapping[str, Floats]:
        """Each measure's values, in the order of the seeds."""
        return {one.name: one.of(self.metrics[one.metric]) for one in self.measures}

    @cached_property
    def estimates(self) -> Mapping[str, Estimate]:
        """What the runs say, by measure."""
        return {one.name: estimate(self.values[one.name], one.kind, moving=self._moving(one)) for one in self.measures}

    def _moving(self, measure: Measure) -> int:
        if not self.moving:
            return 0
        every = series_of(measure.metric, self.setting.scenario)
        return max((self.moving.get(series, 0) for series in every), default=0)

    @property
    def warnings(self) -> list[str]:
        """What is to be known before a number is believed."""
        found = [
            f"{series} had not settled in {count} of {self.finished} runs: it has no steady state, and a mean of it "
            "only tells how long the runs were"
            if 2 * count > self.finished
            else f"{series} had not settled in {count} of {self.finished} runs"
            for series, count in self.moving.items()
        ]
        if self.failures:
            found.append(f"{len(self.failures)} of {len(self.seeds)} runs failed")
        return found


def sample_of(
    setting: Setting,
    seeds: tuple[int, ...],
    measures: Sequence[Measure],
    findings: Findings,
    nth: int = 0,
    metrics: Sequence[str] | None = None,
) -> Sample:
    """The sample of setting number ``nth`` of a study that asked for ``metrics`` (None: just those of its measures)."""
    metrics = metrics_of(measures) if metrics is None else metrics
    return Sample(
        setting,
        seeds,
        tuple(measures),
        {name: findings.values[nth, :, k] for k, name in enumerate(metrics)},
        dict(findings.moving.get(nth, {})),
        findings.done[nth],
        tuple(failure for failure in findings.failures if failure.setting == nth),
    )


def join(before: Sample, after: Sample) -> Sample:
    """One sample of both's runs: the same setting and measures, other seeds."""
    return Sample(
        before.setting,
        before.seeds + after.seeds,
        before.measures,
        {name: np.concatenate([values, after.metrics[name]]) for name, values in before.metrics.items()},
        dict(Counter(before.moving) + Counter(after.moving)),
        np.concatenate([before.done, after.done]),
        before.failures + after.failures,
    )


def as_json(sample: Sample) -> dict[str, Any]:
    """A sample as JSON has it: None for what is not a number."""
    return {
        "scenario": sample.setting.base.name,
        "changes": dict(sample.setting.changes),
        "seeds": list(sample.seeds),
        "finished": sample.finished,
        "estimates": {
            name: {
                "unit": one.unit,
                **{key: plain(value) for key, value in asdict(sample[name]).items()},
                "settled": sample[name].settled,
            }
            for name, one in ((one.name, one) for one in sample.measures)
        },
        "failures": [{"seed": failure.seed, "error": failure.error} for failure in sample.failures],
        "command": sample.setting.command("--seeds", str(len(sample.seeds))),
    }


def runs_table(samples: Sequence[Sample], knobs: Sequence[str], labels: Sequence[str] = ()) -> Table:
    """A tidy table: a row a finished run, with its setting, its seed and its measures in SI units.

    A setting is told by its knobs, a column each; without knobs by its label.
    """
    columns, words = _knobs(samples, knobs, labels, [sample.finished for sample in samples])
    columns["seed"] = np.concatenate([np.array(sample.seeds, dtype=np.int64)[sample.done] for sample in samples])
    for one in samples[0].measures:
        columns[one.name] = np.concatenate([sample.values[one.name][sample.done] for sample in samples])
    return Table(columns, words=words)


def estimates_table(samples: Sequence[Sample], knobs: Sequence[str], labels: Sequence[str] = ()) -> Table:
    """A tidy table: a row a setting and measure, with its estimate in SI units."""
    names = [one.name for one in samples[0].measures]
    columns, words = _knobs(samples, knobs, labels, [len(names)] * len(samples))
    units = {one.name: one.unit for one in samples[0].measures}
    every = [(name, sample[name]) for sample in samples for name in names]
    told: dict[str, list[str]] = {
        "measure": [name for name, _ in every],
        "unit": [units[name] for name, _ in every],
        "method": [found.method for _, found in every],
    }
    for title, texts in told.items():
        columns[title], words[title] = text_column(texts)
    for title in ("value", "low", "high", "mean", "sd", "smallest", "largest"):
        columns[title] = np.array([getattr(found, title) for _, found in every], dtype=np.float64)
    for title in ("runs", "missing", "moving"):
        columns[title] = np.array([getattr(found, title) for _, found in every], dtype=np.int64)
    return Table(columns, words=words)


def _knobs(
    samples: Sequence[Sample], knobs: Sequence[str], labels: Sequence[str], rows: Sequence[int]
) -> tuple[dict[str, NDArray[Any]], dict[str, tuple[str, ...]]]:
    columns: dict[str, NDArray[Any]] = {}
    words: dict[str, tuple[str, ...]] = {}
    titles: dict[str, list[str]] = {"setting": list(labels) or [sample.setting.label for sample in samples]}
    if knobs:
        titles = {knob: [sample.setting.changes.get(knob, "") for sample in samples] for knob in knobs}
    for title, texts in titles.items():
        codes, words[title] = text_column(texts)
        columns[title] = np.repeat(codes, rows)
    return columns, words


def plain(value: Any) -> Any:
    """A number as JSON has it: None for what is not finite."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
