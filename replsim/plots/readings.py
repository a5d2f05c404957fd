"""One sentence or two for each figure: what *this* result says."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from replsim.analysis.breakdown import Slice, breakdown, by_rank
from replsim.analysis.frames import frames
from replsim.analysis.histogram import overdue
from replsim.analysis.life import choose_commit, commit_life
from replsim.analysis.readlife import choose_read, read_life
from replsim.plots import runs as several
from replsim.plots.failovers import fates_reading, primaries_reading, recovery_reading
from replsim.plots.phrases import listed, percent
from replsim.plots.runs import Run, Runs
from replsim.plots.stories import commit_story, read_story
from replsim.summary import show
from replsim.units import SECOND

__all__ = ["READINGS", "reading"]

FALLS_BEHIND: Final = 0.02
"""A standby that loses more than so many seconds a second does not keep up."""
NO_COMMITS: Final = "No commit was acknowledged within the measured window."


def reading(figure: str, results: Runs, **options: Any) -> str:
    """What a figure (``lag``, ``commit_latency``, …) shows of a result, with the figure's own options.

    Of several results the median over them.
    """
    if figure not in READINGS:
        raise ValueError(f"there is no figure {figure!r}; there are {', '.join(READINGS)}")
    return READINGS[figure](several.of(results), **options)


def _value(runs: Sequence[Run], name: str) -> float:
    """The median of a metric over the runs that have a number; NaN where none has."""
    values = [run.metrics[name] for run in runs if name in run.metrics]
    values = [value for value in values if not math.isnan(value)]
    return float(np.median(values)) if values else math.nan


def _seeds(runs: Sequence[Run]) -> str:
    return f" (Medians over {len(runs)} seeds.)" if len(runs) > 1 else ""


def _lag(runs: Sequence[Run], *, kind: str = "seconds", **_: Any) -> str:
    unit = {"seconds": "s", "bytes": "B", "commits": "count"}[kind]
    noun = " commits" if kind == "commits" else ""
    behind = {name: _value(runs, f"{name}.lag.{kind}.mean") for name in runs[0].scenario.standbys}
    behind = {name: value for name, value in behind.items() if not math.isnan(value)}
    if not behind:
        return "There is no standby."
    worst = max(behind, key=behind.__getitem__)
    most = show(_value(runs, f"{worst}.lag.{kind}.max"), unit)
    others = [f"{name} {show(value, unit)}" for name, value in behind.items() if name != worst]
    also = f", {listed(others)}" if others else ""
    text = f"{worst} was on average {show(behind[worst], unit)}{noun} behind (at most {most}){also}."
    growth = _value(runs, f"{worst}.lag.growth")
    if growth > FALLS_BEHIND:
        text += f" It falls behind by {show(growth, 's')} a second: it does not keep up."
    stale = _value(runs, f"{worst}.stale_reads.fraction")
    if not math.isnan(stale):
        text += f" {percent(stale)} of the reads on {worst} were stale."
    return text + _seeds(runs)


def _loss(runs: Sequence[Run], **_: Any) -> str:
    chance = _value(runs, "loss_if_primary_dies.probability")
    if math.isnan(chance):
        return "There is no standby that could take over."
    if not chance:
        return "Whenever the primary had died, some standby would have had every acknowledged commit." + _seeds(runs)
    mean, most = (_value(runs, f"loss_if_primary_dies.commits.{name}") for name in ("mean", "max"))
    return (
        f"Had the primary died, the standby with the most WAL would have lacked {show(mean, 'count')} acknowledged "
        f"commits on average, {show(most, 'count')} at most; the chance to lose any was {percent(chance)}."
        f"{_seeds(runs)}"
    )


def _commit_latency(runs: Sequence[Run], *, view: str = "spread", **_: Any) -> str:
    p50, p99, top = (_value(runs, f"commit_latency.{name}") for name in ("p50", "p99", "max"))
    text = NO_COMMITS
    if not math.isnan(p50):
        text = (
            f"Half of the commits took at most {show(p50, 's')}, 99 in 100 at most {show(p99, 's')}, "
            f"the slowest {show(top, 's')}."
        )
        if view == "time":
            return _slowest(runs[0])
    waiting = int(np.median([overdue(run.facts) for run in runs]))
    if waiting:
        text += (
            f" {waiting} {'was' if waiting == 1 else 'were'} still waiting at the end, for longer than any other took."
        )
    return text + _seeds(runs)


def _slowest(run: Run) -> str:
    """When the slowest commit of a run was told, and how it stands out."""
    commits, row = run.record.commits, choose_commit(run.facts, "slowest")
    took = int(commits["acknowledged"][row] - commits["submitted"][row])
    told = show(int(commits["acknowledged"][row]) / SECOND, "s")
    half = _value([run], "commit_latency.p50")
    times = f", {show(took / SECOND / half, '1')} times the median" if half > 0 else ""
    return f"The slowest, commit {row}, took {show(took / SECOND, 's')}{times}; it was acknowledged at {told}."


def _breakdown(runs: Sequence[Run], **_: Any) -> str:
    slices = {each.name: each for each in by_rank(breakdown(runs[0].facts))}
    if "all" not in slices:
        return NO_COMMITS
    every = slices["all"]
    total = sum(every.parts.values())
    largest = sorted(every.parts, key=lambda part: -every.parts[part])[:3]
    shares = [f"{percent(every.parts[part] / total)} {part}" for part in largest if every.parts[part] > total / 20]
    text = (
        f"A commit took {show(total / SECOND, 's')} on average: {listed(shares)}." if total else "Commits took no time."
    )
    slow = slices.get("slowest 1 %")
    if slow is not None and slow.count < every.count:
        text += f" The slowest 1 % took {show(_total(slow) / SECOND, 's')}{_why(every, slow)}."
    return text


def _total(each: Slice) -> float:
    return sum(each.parts.values())


def _why(every: Slice, slow: Slice) -> str:
    more = {part: slow.parts[part] - every.parts[part] for part in every.parts}
    part = max(more, key=more.__getitem__)
    extra = _total(slow) - _total(every)
    return f"; {percent(more[part] / extra)} of the extra time went into {part}" if extra > 0 else ""


def _stale_reads(runs: Sequence[Run], *, own_row: bool = False, by: str = "node", **_: Any) -> str:
    family = "stale_reads.by_key" if own_row else "stale_reads"
    overall = _value(runs, f"{family}.fraction")
    if math.isnan(overall):
        return "Nobody read within the measured window."
    scenario = runs[0].scenario
    names = scenario.nodes if by == "node" else (*scenario.readers, *scenario.sessions)
    own = {name: _value(runs, f"{name}.{family}.fraction") for name in names}
    parts = [
        f"{percent(value)} {'on' if by == 'node' else 'by'} {name}" for name, value in own.items() if value == value
    ]
    missed = "a commit to their row" if own_row else "a commit that its client already knew of"
    text = f"{percent(overall)} of reads missed {missed}" if overall else f"No read missed {missed}"
    text += f": {listed(parts)}." if len(parts) > 1 and overall else "."
    age = _value(runs, f"{family}.age.p99")
    if overall and age > 0:
        text += f" 99 in 100 reads were at most {show(age, 's')} out of date."
    return text + _seeds(runs)


def _t_visibility(runs: Sequence[Run], **_: Any) -> str:
    needed = {name: _value(runs, f"{name}.t_visibility.p99") for name in runs[0].scenario.standbys}
    needed = {name: value for name, value in needed.items() if not math.isnan(value)}
    if not needed:
        none = "No commit was seen on a standby within the measured window."
        return none if runs[0].scenario.standbys else "There is no standby on which a commit could be seen."
    seen = []
    for name, value in needed.items():
        when = "never within the run" if math.isinf(value) else "at once" if value == 0 else f"after {show(value, 's')}"
        seen.append(f"{when} on {name}")
    return f"99 in 100 commits can be seen {listed(seen)}, counted from their acknowledgement." + _seeds(runs)


def _topology(runs: Sequence[Run], *, at: float | None = None, **_: Any) -> str:
    run = runs[0]
    (frame,) = frames(run.facts, [run.scenario.duration / SECOND if at is None else at])
    behind = []
    for name in run.scenario.standbys:
        state = frame.nodes[name]
        commits = f"{state.lag_commits} commit{'s' if state.lag_commits != 1 else ''}"
        behind.append(
            f"{name} lacked {commits} ({show(state.lag_seconds, 's')})" if state.lag_commits else f"{name} had all"
        )
    if not behind:
        return "There is no standby."
    if not any(frame.nodes[name].lag_commits for name in run.scenario.standbys):
        return f"At {show(frame.time, 's')} every standby had all commits."
    return f"At {show(frame.time, 's')} {listed(behind)}."


def _follow(runs: Sequence[Run], *, commit: str | int = "median", **_: Any) -> str:
    facts = runs[0].facts
    return commit_story(facts, commit_life(facts, choose_commit(facts, commit)))


def _follow_read(runs: Sequence[Run], *, read: str | int = "stalest", **_: Any) -> str:
    facts = runs[0].facts
    return read_story(read_life(facts, choose_read(facts, read)))


READINGS: Final[Mapping[str, Callable[..., str]]] = {
    "lag": _lag,
    "loss": _loss,
    "commit_latency": _commit_latency,
    "breakdown": _breakdown,
    "stale_reads": _stale_reads,
    "t_visibility": _t_visibility,
    "topology": _topology,
    "follow": _follow,
    "follow_read": _follow_read,
    "primaries": primaries_reading,
    "commit_fates": fates_reading,
    "recovery": recovery_reading,
}
"""The reading of each figure, by the figure's name."""
