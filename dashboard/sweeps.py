"""A scenario over a grid of two knobs, in the background: its cells fill in as runs finish."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dashboard import warmup
from dashboard.knobs import Knob
from replsim.errors import RunCancelled
from replsim.scenario import Scenario
from replsim.study.progress import Progress
from replsim.study.sweep import Sweep, sweep

__all__ = ["MOST_CELLS", "Grid", "Sweeping", "over", "some", "sweepable", "texts"]

MOST_CELLS: Final = 49
_FIRST: Final = (("writers", "rate"), ("writers", "clients"), ("standbys", "per_record"), ("links", "latency"))
_pool: Final = ThreadPoolExecutor(1, thread_name_prefix="sweep")


@dataclass(frozen=True)
class Grid:
    """What is swept: two knobs with their values, as a page shows them and as a scenario takes them."""

    x: Knob
    y: Knob
    columns: tuple[Any, ...]
    rows: tuple[Any, ...]

    def changes(self, cell: int) -> dict[str, str | None]:
        """The changes that make the scenario of a cell, counted row by row."""
        row, column = divmod(cell, len(self.columns))
        return {**self.y.write(self.rows[row]), **self.x.write(self.columns[column])}

    @property
    def cells(self) -> int:
        """How many there are."""
        return len(self.columns) * len(self.rows)


def sweepable(every: Sequence[Knob]) -> dict[str, Knob]:
    """The knobs that a sweep can take, by path: a turn of which changes that one place, and that have values enough.

    First come those that one asks of first: how much is written, how fast it is replayed, how far away that is.
    """
    found = {}
    for knob in every:
        options = [value for value in knob.options if None not in knob.write(value).values()]
        single = all(list(knob.write(value)) == [knob.path] for value in options)
        if len(options) > 1 and single and knob.path not in ("seed", "duration"):
            found[knob.path] = knob
    first = [path for start, end in _FIRST for path in found if path.startswith(start) and path.endswith(end)]
    return {path: found[path] for path in dict.fromkeys([*first, *found])}


def over(grid: Grid) -> dict[str, list[str]]:
    """The paths and their values, as `replsim.study.sweep` takes them: rows vary slowest."""
    return {knob.path: texts(knob, values) for knob, values in ((grid.y, grid.rows), (grid.x, grid.columns))}


def texts(knob: Knob, values: Sequence[Any]) -> list[str]:
    """Values of a knob as a scenario has them."""
    return [str(knob.write(value)[knob.path]) for value in values]


@dataclass
class Sweeping:
    """A sweep under way: the sum and the number of what its runs gave, cell by cell."""

    grid: Grid
    metric: str
    label: str
    """What the metric is called on a page."""
    seeds: int
    total: NDArray[np.float64] = field(init=False)
    runs: NDArray[np.int64] = field(init=False)
    future: Future[Sweep] = field(init=False)
    cancelled: bool = False

    def start(self, scenario: Scenario) -> Sweeping:
        """Begin, in the background."""
        self.total, self.runs = np.zeros(self.grid.cells), np.zeros(self.grid.cells, dtype=np.int64)
        self.future = _pool.submit(
            sweep, scenario, over(self.grid), self.seeds, metrics=[self.metric], progress=self._told,
            engine=warmup.engine(),
        )  # fmt: skip
        return self

    def _told(self, progress: Progress) -> None:
        if self.cancelled:
            raise RunCancelled("cancelled")
        latest = progress.latest
        if latest is not None and latest.values:
            self.total[latest.setting] += latest.values[0]
            self.runs[latest.setting] += 1

    @property
    def share(self) -> float:
        """How much of it is done, from 0 to 1."""
        return float(self.runs.sum()) / (self.grid.cells * self.seeds)

    def cancel(self) -> None:
        """End it after the run that is under way."""
        self.cancelled = True
        self.future.cancel()

    @property
    def means(self) -> NDArray[np.float64]:
        """The mean of what has been run, by row and column; NaN where nothing has."""
        value = np.divide(self.total, self.runs, out=np.full(self.grid.cells, np.nan), where=self.runs > 0)
        shaped: NDArray[np.float64] = value.reshape(len(self.grid.rows), len(self.grid.columns))
        return shaped


def some(options: Sequence[Any], value: Any, number: int = 5) -> list[Any]:
    """A few of a knob's values around the one that holds, evenly spread."""
    if len(options) <= number:
        return list(options)
    at = options.index(value)
    first = min(max(at - number, 0), max(len(options) - 2 * number, 0))
    return list(dict.fromkeys(itertools.islice(options[first:], 0, 2 * number, 2)))
