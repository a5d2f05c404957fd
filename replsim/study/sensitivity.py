"""Which knobs drive a measure: screening by Morris, or shares of the variance by Sobol (SALib)."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Unpack, get_args

import numpy as np
from numpy.typing import NDArray

from replsim.errors import MissingExtra, StudyError
from replsim.record import Table
from replsim.scenario import Scenario
from replsim.study.conductor import How
from replsim.study.design import Design, knobs_of
from replsim.study.figures import SensitivityPlot
from replsim.study.knobs import Given
from replsim.study.measures import Measure, measures
from replsim.study.sample import plain
from replsim.study.settings import Seeds, seed_list, setting
from replsim.study.sweep import Sweep, swept
from replsim.study.table import text_column

__all__ = ["Index", "Method", "Sensitivity", "sensitivity"]

Method = Literal["morris", "sobol"]
"""``morris``: the mean size of a knob's effect.  ``sobol``: the share of the variance that a knob accounts for."""

LEVELS = 4
"""Morris' grid has this many levels: 0, 1/3, 2/3 and 1 of a knob's range."""


@dataclass(frozen=True, slots=True)
class Index:
    """How much a knob matters to a measure.

    Morris (1991; Campolongo 2007): ``total`` is the mean absolute change of the measure, in its unit, when the knob is
    turned over its range; ``first`` its mean with the sign.  Sobol (Saltelli 2010): ``first`` is the share of the
    variance due to the knob alone, ``total`` that with its interactions.  ``error``: half of ``total``'s 95% interval.
    """

    knob: str
    total: float
    error: float
    first: float
    spread: float
    """Morris: the standard deviation of its effects (not linear, or it depends on the others); Sobol: total - first."""


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """What drives each measure."""

    method: Method
    sweep: Sweep
    """The runs that it is worked out from."""
    indices: Mapping[str, tuple[Index, ...]]
    """By measure, the knobs that matter most first."""

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What was measured."""
        return self.sweep.measures

    @property
    def table(self) -> Table:
        """A row a measure and knob."""
        every = [(name, index) for name, found in self.indices.items() for index in found]
        told = {"measure": [name for name, _ in every], "knob": [index.knob for _, index in every]}
        columns: dict[str, NDArray[Any]] = {}
        words = {}
        for title, texts in told.items():
            columns[title], words[title] = text_column(texts)
        for title in ("total", "error", "first", "spread"):
            columns[title] = np.array([getattr(index, title) for _, index in every], dtype=np.float64)
        return Table(columns, words=words)

    @property
    def plot(self) -> SensitivityPlot:
        """Its figures (pip install 'replsim[report]')."""
        return SensitivityPlot(self)

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON has it."""
        return {
            "method": self.method,
            "settings": len(self.sweep),
            "measures": {
                name: [{key: plain(value) for key, value in asdict(index).items()} for index in found]
                for name, found in self.indices.items()
            },
            "warnings": self.sweep.warnings,
        }

    def __repr__(self) -> str:
        return f"<Sensitivity by {self.method}: {len(self.sweep)} settings over {', '.join(self.sweep.knobs)}>"


def sensitivity(
    scenario: Scenario | str | Path,
    space: Mapping[str, Given],
    metrics: Sequence[str],
    *,
    by: Method = "morris",
    samples: int = 16,
    seeds: Seeds = 3,
    overrides: Mapping[str, str] | None = None,
    **how: Unpack[How],
) -> Sensitivity:
    """How much each knob of ``space`` matters to each metric, over the whole space.

    ``by``: ``morris`` walks ``samples`` ways through the space (knobs + 1 settings each) and finds what matters at
    little cost; ``sobol`` shares out the variance (knobs + 2 settings for each of ``samples``, a power of two, better
    hundreds than tens).  All settings see the same seeds, so that luck is not taken for an effect.  ``how``: see `How`.
    """
    if by not in get_args(Method):
        raise StudyError(f"there is no method {by!r}; there are {', '.join(get_args(Method))}")
    base = setting(scenario, overrides)
    knobs = knobs_of(space)
    if len(knobs) < 2:
        raise StudyError("which of two things matters more? Name at least two paths")
    design = Design(knobs, _shares(by, len(knobs), samples, base.scenario.seed))
    found = swept(base, design, seed_list(seeds, base.scenario), measures(metrics, [base.scenario]), how)
    if not how.get("compute", True) and not found.findings.done.all():
        raise StudyError(f"indices need every run: {found.warnings[-1]}")
    return Sensitivity(by, found, {one.name: _indices(by, found, one.name) for one in found.measures})


def _problem(knobs: Sequence[str]) -> dict[str, Any]:
    return {"num_vars": len(knobs), "names": list(knobs), "bounds": [[0.0, 1.0]] * len(knobs)}


def _shares(by: Method, knobs: int, samples: int, seed: int) -> NDArray[np.float64]:
    try:
        from SALib.sample import morris, sobol  # type: ignore[import-untyped] # theirs
    except ImportError as error:
        raise MissingExtra("SALib is not installed: pip install 'replsim[sensitivity]'") from error
    problem = _problem([str(k) for k in range(knobs)])
    if by == "morris":
        return np.asarray(morris.sample(problem, samples, num_levels=LEVELS, seed=seed % 2**32), dtype=np.float64)
    if samples & (samples - 1):
        raise StudyError(f"Sobol indices need a power of two of samples, such as 64, not {samples}")
    return np.asarray(sobol.sample(problem, samples, calc_second_order=False, seed=seed % 2**32), dtype=np.float64)


def _indices(by: Method, found: Sweep, name: str) -> tuple[Index, ...]:
    from SALib.analyze import morris, sobol  # type: ignore[import-untyped] # theirs

    values = np.array([sample[name].value for sample in found])
    if bad := int(np.count_nonzero(~np.isfinite(values))):
        raise StudyError(f"{name} has no finite value in {bad} of {len(values)} settings: narrow the ranges")
    problem, seed = _problem(found.knobs), found.base.scenario.seed % 2**32
    with warnings.catch_warnings():
        # A knob without any effect divides nothing by nothing; its index is then taken as 0.
        warnings.simplefilter("ignore", RuntimeWarning)
        if by == "morris":
            told = morris.analyze(problem, found.design.shares, values, num_levels=LEVELS, seed=seed)
            rows = zip(told["mu_star"], told["mu_star_conf"], told["mu"], told["sigma"], strict=True)
        else:
            told = sobol.analyze(problem, values, calc_second_order=False, seed=seed)
            rows = zip(told["ST"], told["ST_conf"], told["S1"], told["ST"] - told["S1"], strict=True)
    numbers = [[float(np.nan_to_num(value)) for value in row] for row in rows]
    every = [Index(knob, *row) for knob, row in zip(found.knobs, numbers, strict=True)]
    return tuple(sorted(every, key=lambda index: -index.total))
