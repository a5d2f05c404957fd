"""The best settings of a space: those that meet every condition, and that no other betters in every goal."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, Unpack, get_args

from replsim.errors import StudyError
from replsim.record import Table
from replsim.scenario import Scenario
from replsim.study import design as designs
from replsim.study.conductor import Conductor, How, conductor
from replsim.study.figures import SearchPlot
from replsim.study.goals import Condition, Costs, Goal, Verdict, condition, cost_of, needed
from replsim.study.knobs import Given
from replsim.study.measures import Measure, measures, metrics_of
from replsim.study.sample import Sample, as_json, join, plain, runs_table, sample_of
from replsim.study.settings import Setting, seed_list, setting
from replsim.study.suggest import suggestions

__all__ = ["By", "Candidate", "Search", "pareto", "search"]

By = Literal["grid", "optuna"]
"""Every combination of the values; or a sampler (a tree of Parzen estimators) that learns where to look."""

GENERATION: Final = 16
"""Settings that a sampler proposes at a time: always as many, so that the number of workers changes nothing."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """A setting that was tried, and how it stands to the goals."""

    sample: Sample
    verdicts: Mapping[str, Verdict]
    """By condition."""
    values: Mapping[str, float]
    """By goal, in its unit."""
    excess: float
    """How far it is beyond the condition that it breaks most, relative to its bound; at most 0 where it breaks none."""

    @property
    def verdict(self) -> Verdict:
        """The worst of its verdicts."""
        told = set(self.verdicts.values())
        return "not met" if "not met" in told else "open" if "open" in told else "met"

    @property
    def command(self) -> str:
        """The command that runs it again."""
        return self.sample.setting.command("--seeds", str(len(self.sample.seeds)))


@dataclass(frozen=True, eq=False)
class Search:
    """What a search found."""

    base: Setting
    knobs: tuple[str, ...]
    conditions: tuple[Condition, ...]
    goals: tuple[Goal, ...]
    candidates: tuple[Candidate, ...]
    """Every setting that was tried, in the order in which it was proposed."""
    front: tuple[int, ...]
    """The places of those that meet the conditions (or may) and that no other such one betters in every goal."""

    @property
    def best(self) -> tuple[Candidate, ...]:
        """The candidates on the front, the best in the first goal first."""
        return tuple(self.candidates[place] for place in self.front)

    @property
    def nearest(self) -> Candidate | None:
        """Where nothing meets the conditions: what comes nearest to it."""
        usable = [one for one in self.candidates if math.isfinite(one.excess)]
        return min(usable, key=lambda one: one.excess, default=None)

    @property
    def runs(self) -> Table:
        """A row a run of any candidate."""
        return runs_table([one.sample for one in self.candidates], self.knobs)

    @property
    def warnings(self) -> list[str]:
        """What is to be known before a setting is chosen."""
        found = []
        if not self.front:
            found.append(f"none of {len(self.candidates)} settings meets every condition")
        for one in self.best:
            open_ = [text for text, verdict in one.verdicts.items() if verdict == "open"]
            if open_:
                runs = one.sample.finished
                found.append(f"{one.sample.setting.label}: {' and '.join(open_)} is not sure yet after {runs} runs")
        failed = sum(len(one.sample.failures) for one in self.candidates)
        return [*found, *([f"{failed} runs failed"] if failed else [])]

    @property
    def plot(self) -> SearchPlot:
        """Its figures (pip install 'replsim[report]')."""
        return SearchPlot(self)

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON has it."""
        return {
            "scenario": self.base.base.name,
            "where": [str(one) for one in self.conditions],
            "goals": [{"goal": goal.name, "largest": goal.largest} for goal in self.goals],
            "candidates": [
                as_json(one.sample)
                | {
                    "verdicts": dict(one.verdicts),
                    "values": {name: plain(value) for name, value in one.values.items()},
                    "on_front": place in self.front,
                }
                for place, one in enumerate(self.candidates)
            ],
            "front": list(self.front),
            "warnings": self.warnings,
        }

    def __repr__(self) -> str:
        return f"<Search of {self.base.base.name!r}: {len(self.front)} of {len(self.candidates)} settings on the front>"


def search(
    scenario: Scenario | str | Path,
    space: Mapping[str, Given],
    *,
    where: Sequence[str] = (),
    minimize: Sequence[str] = (),
    maximize: Sequence[str] = (),
    cost: Costs | None = None,
    by: By = "grid",
    trials: int | None = None,
    seeds: int = 5,
    most: int | None = None,
    overrides: Mapping[str, str] | None = None,
    **how: Unpack[How],
) -> Search:
    """Find the settings that meet every condition of ``where`` and are best by what is to be small or large.

    ``space`` gives each path its values (see `replsim.study.knobs`).  A goal is a metric, a chance ``P(…)``, or
    ``cost``, the sum of what ``cost`` says of each knob's value.  ``by``: ``grid`` tries every combination, ``optuna``
    proposes ``trials`` settings.  Each is run with ``seeds`` seeds, the same for all; settings on the front whose
    conditions are not sure get more, up to ``most``.  ``how``: see `How`.

    Raises `ScenarioError`, and `StudyError` for what does not fit together.
    """
    base = setting(scenario, overrides)
    conditions = tuple(condition(text) for text in where)
    goals = (*(Goal.read(text) for text in minimize), *(Goal.read(text, largest=True) for text in maximize))
    if not goals:
        raise StudyError("a search needs a goal: something to minimize or to maximize, such as commit_latency.p99")
    if any(goal.measure is None for goal in goals) and not cost:
        raise StudyError("a cost is to be small: say what each value of a knob costs")
    names = needed(conditions, goals)
    wanted = measures(names, [base.scenario]) if names else ()
    judge = _Judge(conditions, goals, cost or {})
    with conductor(how) as conduct:
        trying = _Trying(base, conduct, wanted, seed_list(seeds, base.scenario), judge)
        candidates = trying.everything(space) if by == "grid" else trying.proposed(space, by, trials)
        candidates, front = trying.surer(candidates, most or seeds)
    return Search(base, tuple(space), conditions, goals, tuple(candidates), front)


@dataclass(frozen=True)
class _Judge:
    conditions: tuple[Condition, ...]
    goals: tuple[Goal, ...]
    costs: Costs

    def __call__(self, sample: Sample) -> Candidate:
        return Candidate(
            sample,
            {str(one): one.verdict(sample[one.measure.name]) for one in self.conditions},
            {
                goal.name: sample[goal.measure.name].value
                if goal.measure
                else cost_of(sample.setting.changes, self.costs)
                for goal in self.goals
            },
            max((one.excess(sample[one.measure.name]) for one in self.conditions), default=0.0),
        )


@dataclass(frozen=True)
class _Trying:
    """Runs settings and judges them."""

    base: Setting
    conduct: Conductor
    measures: tuple[Measure, ...]
    seeds: tuple[int, ...]
    judge: _Judge

    def everything(self, space: Mapping[str, Given]) -> list[Candidate]:
        """Every setting of the grid."""
        grid = designs.grid(space)
        designs.check(self.base, grid)
        return self.of(grid)

    def of(self, changes: Sequence[Mapping[str, str]], seeds: tuple[int, ...] = ()) -> list[Candidate]:
        """Some settings, each with the seeds of the search (or others)."""
        seeds = seeds or self.seeds
        findings = self.conduct(designs.Parcels(self.base, changes), seeds, metrics_of(self.measures))
        changed = [self.base.changed(each) for each in changes]
        return [self.judge(sample_of(each, seeds, self.measures, findings, nth)) for nth, each in enumerate(changed)]

    def proposed(self, space: Mapping[str, Given], by: str, trials: int | None) -> list[Candidate]:
        """What a sampler proposes, a generation at a time; a setting that it proposes again is not tried again."""
        if by not in get_args(By):
            raise StudyError(f"there is no search by {by!r}; there are {', '.join(get_args(By))}")
        if trials is None or trials < 1:
            raise StudyError("a search by optuna needs the number of settings to try")
        knobs = designs.knobs_of(space)
        known: dict[tuple[str, ...], Candidate] = {}

        def tried(generation: Sequence[Mapping[str, str]]) -> list[tuple[list[float], float]]:
            new = {tuple(each.values()): each for each in generation if tuple(each.values()) not in known}
            designs.check(self.base, list(new.values()))
            known.update(zip(new, self.of(list(new.values())), strict=True))
            found = [known[tuple(each.values())] for each in generation]
            return [([goal.signed(one.values[goal.name]) for goal in self.judge.goals], one.excess) for one in found]

        suggestions(knobs, trials, GENERATION, self.base.scenario.seed, len(self.judge.goals), tried)
        return list(known.values())

    def surer(self, candidates: list[Candidate], most: int) -> tuple[list[Candidate], tuple[int, ...]]:
        """More runs for those on the front whose conditions are open, until they are sure or had the most."""
        while True:
            front = pareto(candidates, self.judge.goals)
            doubtful = [place for place in front if candidates[place].verdict == "open"]
            doubtful = [place for place in doubtful if len(candidates[place].sample.seeds) < most]
            if not doubtful:
                return candidates, front
            for place in doubtful:
                sample = candidates[place].sample
                have = len(sample.seeds)
                more = seed_list(min(2 * have, most), self.base.scenario)[have:]
                (new,) = self.of([sample.setting.changes], more)
                candidates[place] = self.judge(join(sample, new.sample))


def pareto(candidates: Sequence[Candidate], goals: Sequence[Goal]) -> tuple[int, ...]:
    """The places of the candidates that may meet the conditions, and that no other such one dominates.

    One dominates another that is at least as good in every goal and better in one.  The best in the first goal first.
    """
    points = dict(_points(candidates, goals))
    front = [place for place, point in points.items() if not any(_dominates(other, point) for other in points.values())]
    return tuple(sorted(front, key=lambda place: (points[place], place)))


def _points(candidates: Sequence[Candidate], goals: Sequence[Goal]) -> Iterator[tuple[int, tuple[float, ...]]]:
    for place, one in enumerate(candidates):
        point = tuple(goal.signed(one.values[goal.name]) for goal in goals)
        if one.verdict != "not met" and all(math.isfinite(value) for value in point):
            yield place, point


def _dominates(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))
