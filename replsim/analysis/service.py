"""What clients felt: how many of their commits were answered over time, and how long none was."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from replsim.analysis.facts import Facts
from replsim.record import answered as was_answered
from replsim.units import SECOND

__all__ = ["Silence", "answered", "longest_silence"]


@dataclass(frozen=True, slots=True)
class Silence:
    """A stretch of a run, in seconds, in which work was due and no client got an answer."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        """How long it was."""
        return self.end - self.start


def answered(facts: Facts, stretches: int = 120) -> NDArray[np.float64]:
    """Commits acknowledged at their clients a second, in each of equal stretches of the run."""
    end = facts.record.scenario.duration
    counts, _ = np.histogram(_times(facts), bins=stretches, range=(0, end))
    rates: NDArray[np.float64] = counts / (end / SECOND / stretches)
    return rates


def longest_silence(facts: Facts) -> Silence:
    """The longest time within the window from when work was due to the next answer that any client got.

    Without work there is no silence: it begins with the first commit that was due after the last answer.
    """
    first, last = facts.record.window
    answers = np.sort(_times(facts))
    answers = np.append(answers[(answers >= first) & (answers < last)], last)
    due = np.sort(facts.record.commits["submitted"])
    due = due[(due >= first) & (due < last)]
    if not len(due):
        return Silence(first / SECOND, first / SECOND)
    # The first work that was due after each answer (and after the window's start) waits for the next answer.
    starts = np.concatenate([[first], answers[:-1]])
    places = np.searchsorted(due, starts, side="right")
    there = places < len(due)
    begins = np.where(there, due[np.minimum(places, len(due) - 1)], answers)
    lengths = np.where(there, answers - begins, 0)
    longest = int(np.argmax(lengths))
    if lengths[longest] <= 0:
        return Silence(first / SECOND, first / SECOND)
    return Silence(float(begins[longest]) / SECOND, float(answers[longest]) / SECOND)


def _times(facts: Facts) -> NDArray[np.int64]:
    """When commits were acknowledged at their clients."""
    commits = facts.record.commits
    times: NDArray[np.int64] = commits["acknowledged"][was_answered(commits["outcome"])]
    return times
