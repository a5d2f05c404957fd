"""The answers, in figures and in words: how long commits take, how far standbys are behind, what is stale or lost."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from replsim.analysis import find
from replsim.result import Result
from replsim.scenario import Scenario
from replsim.scenario.failover import NoFailover
from replsim.summary import show, show_metric

__all__ = ["Answer", "answers", "averages", "change", "sentences", "wanted"]

MOST_STANDBYS: Final = 4
OUTAGE: Final = (
    "The longest time from a client's first transaction that failed, or whose outcome it does not know, to its next "
    "acknowledgement. A commit that only waits has not failed."
)


@dataclass(frozen=True)
class Answer:
    """One number at the top of a page: its words, its metric, and which way is better."""

    label: str
    metric: str
    help: str
    better: int = -1
    """-1: less is better, 1: more is."""
    noun: str = ""
    """What is counted, where the label does not say it."""

    def said(self, value: float) -> str:
        """A value in words."""
        words = show_metric(self.metric, value)
        return f"{words} {self.noun}{'' if words == '1' else 's'}" if self.noun else words


def wanted(scenario: Scenario) -> list[Answer]:
    """What a page leads with, for a scenario: only what it has."""
    found = [
        Answer("Commit p50", "commit_latency.p50", "Half of all commits take no longer."),
        Answer("Commit p99", "commit_latency.p99", "99 of 100 commits take no longer."),
        Answer("Throughput", "throughput", "Commits acknowledged a second.", better=1),
    ]
    names = list(scenario.standbys)
    lag = "How far it is behind the primary, in time: 99% of the time no more than this."
    if len(names) <= MOST_STANDBYS:
        found += [Answer(f"Lag {name} p99", f"{name}.lag.seconds.p99", lag) for name in names]
    else:
        found.append(Answer("Worst lag p99", "lag.seconds.p99", lag))
    if scenario.readers or scenario.sessions:
        found.append(
            Answer(
                "Stale reads", "stale_reads.fraction",
                "Reads that miss a commit whose client had been told of it – anywhere in the database.",
            )
        )  # fmt: skip
    if any(each.promises for each in (*scenario.readers.values(), *scenario.sessions.values())):
        found.append(Answer("Promise broken", "promises.broken", "Reads that did not see what they were promised."))
        found.append(Answer("Read wait p99", "promises.wait.p99", "How long reads waited for a standby to replay."))
    if scenario.faults:
        found.append(Answer("Outage", "rto", OUTAGE))
    if _may_fail_over(scenario):
        found.append(Answer("Commits lost", "lost_commits", "Acknowledged commits that the new primary does not have."))
    elif names:
        found.append(
            Answer(
                f"Lost if {scenario.primary.name} died", "loss_if_primary_dies.commits.p99",
                "Acknowledged commits that would be lost if the best standby took over: p99 over all moments.",
                noun="commit",
            )
        )  # fmt: skip
    return found


def _may_fail_over(scenario: Scenario) -> bool:
    """Whether what is lost can be seen, and need not be guessed."""
    return bool(scenario.faults) and not isinstance(scenario.failover, NoFailover)


def averages(results: Sequence[Result], names: Sequence[str]) -> dict[str, float]:
    """Each metric's mean over the seeds; NaN where no run has it."""
    found = {}
    for name in names:
        values = [value for each in results if name in each.metrics and not math.isnan(value := each.metrics[name])]
        found[name] = sum(values) / len(values) if values else math.nan
    return found


def answers(results: Sequence[Result]) -> list[tuple[Answer, float]]:
    """Each answer of a page, with its value (the mean over the seeds)."""
    every = wanted(results[0].scenario)
    values = averages(results, [answer.metric for answer in every])
    return [(answer, values[answer.metric]) for answer in every if not math.isnan(values[answer.metric])]


def change(metric: str, now: float, before: float) -> str | None:
    """How much a metric changed, with its sign, for an arrow beside it; None where it did not."""
    if math.isnan(before) or show_metric(metric, now) == show_metric(metric, before):
        return None
    if math.isinf(now) or math.isinf(before):
        return "+∞" if now > before else "-∞"
    unit, fraction = find(metric)[0].unit, find(metric)[0].kind == "proportion"
    if fraction:
        return f"{100 * (now - before):+.3g} points"
    return ("+" if now > before else "-") + show(abs(now - before), unit)


def sentences(results: Sequence[Result]) -> list[str]:
    """The same in words, for this result."""
    return list(_sentences(results[0].scenario, results))


def _sentences(scenario: Scenario, results: Sequence[Result]) -> Iterator[str]:
    names = list(scenario.standbys)
    own = [f"{name}.lag.seconds.{stat}" for name in names for stat in ("mean", "max")]
    at = averages(results, [*_TOLD, *own])
    said = {name: show_metric(name, value) for name, value in at.items()}
    known = {name for name, value in at.items() if not math.isnan(value)}
    if "commit_latency.p50" in known:
        yield (
            f"Half of all commits take up to {said['commit_latency.p50']}, "
            f"one in a hundred more than {said['commit_latency.p99']}."
        )
    elif scenario.writers or scenario.sessions:
        yield "No commit was acknowledged: every one of them still waits."
    if names:
        worst = max(names, key=lambda name: (at[f"{name}.lag.seconds.mean"], name))
        mean, most = (said[f"{worst}.lag.seconds.{stat}"] for stat in ("mean", "max"))
        yield f"{worst} is {mean} behind on average, and {most} at worst."
    if "stale_reads.fraction" in known:
        yield _stale(at, said)
    if _may_fail_over(scenario):
        yield _was_lost(at, said)
    elif names and "loss_if_primary_dies.probability" in known:
        yield _lost(scenario.primary.name, at, said)


_TOLD: Final = (
    "commit_latency.p50",
    "commit_latency.p99",
    "stale_reads.fraction",
    "stale_reads.by_key.fraction",
    "loss_if_primary_dies.probability",
    "loss_if_primary_dies.commits.max",
    "lost_commits",
    "rto",
)


def _stale(at: Mapping[str, float], said: Mapping[str, str]) -> str:
    if at["stale_reads.fraction"] == 0:
        return "Every read saw all that had been acknowledged."
    text = f"{said['stale_reads.fraction']} of reads miss a commit that its client had been told of"
    if not math.isnan(at["stale_reads.by_key.fraction"]):
        text += f"; {said['stale_reads.by_key.fraction']} miss a change of the very row they read"
    return f"{text}."


def _lost(primary: str, at: Mapping[str, float], said: Mapping[str, str]) -> str:
    if at["loss_if_primary_dies.probability"] == 0:
        return f"Had {primary} died at any moment, no acknowledged commit would have been lost."
    return (
        f"Had {primary} died at a random moment, acknowledged commits would have been lost with a chance of "
        f"{said['loss_if_primary_dies.probability']}: up to {said['loss_if_primary_dies.commits.max']} of them."
    )


def _was_lost(at: Mapping[str, float], said: Mapping[str, str]) -> str:
    lost = "No acknowledged commit was lost"
    if at["lost_commits"]:
        lost = f"{said['lost_commits']} acknowledged {'commit was' if at['lost_commits'] == 1 else 'commits were'} lost"
    return f"{lost}, and a client was without service for up to {said['rto']}." if at["rto"] > 0 else f"{lost}."
