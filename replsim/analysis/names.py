"""How a metric's statistic is called, and what it is: the words that definitions are put together from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from replsim.analysis.registry import Kind, Spec, Unit

__all__ = ["spread"]

_OF_VALUES: Final = {
    "mean": "The mean of {of}.",
    "p50": "The median (nearest rank) of {of}.",
    "p90": "The 90th percentile (nearest rank) of {of}.",
    "p99": "The 99th percentile (nearest rank) of {of}.",
    "p999": "The 99.9th percentile (nearest rank) of {of}.",
    "max": "The largest of {of}.",
}
_OF_TIME: Final = {
    "mean": "The mean over the window's time of {of}.",
    "p50": "What is not exceeded for half of the window's time: {of}.",
    "p99": "What is not exceeded for 99% of the window's time: {of}.",
    "max": "The largest value within the window: {of}.",
}
_KINDS: Final[dict[str, Kind]] = {"mean": "mean", "max": "extreme"}


def spread(
    family: str, unit: Unit, statistics: tuple[str, ...], of: str, *, note: str = "", over_time: bool = False
) -> Iterator[Spec]:
    """The specifications of ``{family}.mean`` and so on: statistics of values, or of a function of time.

    ``of`` completes the sentence 'the mean of …'; ``note`` is a sentence that follows it.
    """
    phrases = _OF_TIME if over_time else _OF_VALUES
    end = f" {note}" if note else ""
    subject = f"{of[0].upper()}{of[1:]}.{end}"
    for name in statistics:
        yield Spec(f"{family}.{name}", unit, _KINDS.get(name, "percentile"), phrases[name].format(of=of) + end, subject)
