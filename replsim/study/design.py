"""Which settings a study tries: every combination of its knobs' values, or points spread over their ranges."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, overload
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from replsim.errors import Problem, ScenarioError, StudyError
from replsim.study import knobs as knob
from replsim.study.knobs import Given, Knob
from replsim.study.parcel import Parcel
from replsim.study.settings import Setting

__all__ = ["Design", "Kind", "Parcels", "check", "grid", "knobs_of", "spread"]

Kind = Literal["grid", "latin", "sobol"]
"""``grid``: every combination.  ``latin``: a Latin hypercube.  ``sobol``: a scrambled Sobol sequence."""

MOST_CHECKED: Final = 2_000
"""So many settings are each checked before the first run; of a larger design each value of each knob is."""


@dataclass(frozen=True, eq=False)
class Design(Sequence[Mapping[str, str]]):
    """The settings of a study, each as its changes by path; made when asked for, so that a million take no memory."""

    knobs: tuple[Knob, ...]
    shares: NDArray[np.float64] | None = None
    """By setting and knob, how far the knob is turned (0 to 1); None for a grid."""

    def __len__(self) -> int:
        return math.prod(len(one.values) for one in self.knobs) if self.shares is None else len(self.shares)

    @overload
    def __getitem__(self, place: int) -> Mapping[str, str]: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Mapping[str, str]]: ...
    def __getitem__(self, place: int | slice) -> Mapping[str, str] | Sequence[Mapping[str, str]]:
        if isinstance(place, slice):
            return [self[k] for k in range(*place.indices(len(self)))]
        if not 0 <= place < len(self):
            raise IndexError(place)
        if self.shares is not None:
            return {one.path: one.at(float(share)) for one, share in zip(self.knobs, self.shares[place], strict=True)}
        found = {}
        # The last knob turns fastest, as in nested loops.
        for one in reversed(self.knobs):
            place, nth = divmod(place, len(one.values))
            found[one.path] = one.values[nth]
        return {one.path: found[one.path] for one in self.knobs}


def knobs_of(over: Mapping[str, Given]) -> tuple[Knob, ...]:
    """The knobs, by path.  Raises `StudyError` where there is none."""
    if not over:
        raise StudyError("nothing varies: name a path of the scenario and its values, such as duration=10s,20s")
    return tuple(knob.read(path, given) for path, given in over.items())


def grid(over: Mapping[str, Given]) -> Design:
    """Every combination of the knobs' values."""
    knobs = knobs_of(over)
    for one in knobs:
        if not one.values:
            raise StudyError(f"{one.path}: how many values of the range is a grid to take? Append ':6' for six")
    return Design(knobs)


def spread(over: Mapping[str, Given], kind: Kind, points: int | None, seed: int) -> Design:
    """``points`` settings over the knobs' ranges (and lists), chosen by ``kind`` and reproducible by ``seed``."""
    if kind == "grid":
        if points is not None:
            raise StudyError("a grid has as many points as its values make: leave the number of points out")
        return grid(over)
    knobs = knobs_of(over)
    if points is None or points < 1:
        raise StudyError(f"a {kind} design needs the number of its points")
    if kind == "sobol" and points & (points - 1):
        near = 2 ** math.floor(math.log2(points))
        raise StudyError(f"a Sobol design is balanced at powers of two: take {near} or {2 * near} points, not {points}")
    from scipy.stats import qmc

    random = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(crc32(b"study:design"),))))
    maker = qmc.LatinHypercube(len(knobs), rng=random) if kind == "latin" else qmc.Sobol(len(knobs), rng=random)
    return Design(knobs, np.asarray(maker.random(points), dtype=np.float64))


class Parcels(Sequence[Parcel]):
    """The scenarios of a design, each made when it is asked for."""

    def __init__(self, base: Setting, design: Sequence[Mapping[str, str]]) -> None:
        self._base = base
        self._design = design

    def __len__(self) -> int:
        return len(self._design)

    @overload
    def __getitem__(self, place: int) -> Parcel: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Parcel]: ...
    def __getitem__(self, place: int | slice) -> Parcel | Sequence[Parcel]:
        if isinstance(place, slice):
            return [self[k] for k in range(*place.indices(len(self)))]
        return self._base.changed(self._design[place]).parcel()


def check(base: Setting, design: Sequence[Mapping[str, str]]) -> None:
    """Load settings before anything runs.  Raises `ScenarioError` with every problem, each told once."""
    problems: dict[str, Problem] = {}
    for changes in _each_value(design) if isinstance(design, Design) and len(design) > MOST_CHECKED else design:
        try:
            base.changed(changes).load()
        except ScenarioError as error:
            problems |= {str(problem): problem for problem in error.problems}
    if problems:
        raise ScenarioError(list(problems.values()))


def _each_value(design: Design) -> Iterator[Mapping[str, str]]:
    """Every value of every knob, with the others as in the first setting."""
    first = design[0]
    for one in design.knobs:
        for value in one.values or (one.at(0.0), one.at(1.0)):
            yield {**first, one.path: value}
