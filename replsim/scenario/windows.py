"""When each fault is on: scheduled or drawn, known before a run begins, and the same for every engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from replsim.units import NEVER

if TYPE_CHECKING:
    from replsim.randomness import Streams
    from replsim.scenario.faults import Fault
    from replsim.scenario.model import Scenario

__all__ = ["Window", "told", "windows"]


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch ``[start, end)`` of a run (nanoseconds) in which a fault is on; `NEVER` is its end where it stays."""

    start: int
    end: int
    fault: Fault
    place: int
    """Of the fault in the scenario."""


def windows(scenario: Scenario, streams: Streams) -> tuple[Window, ...]:
    """Every time that a fault comes before the end of the run, in the order of time, then of the scenario.

    A fault draws from streams of its own, ``fault:{verb and target}:every`` and ``…:for``: the k-th time takes the
    k-th draw, and a further fault changes none.  An ``every`` counts from the end of the time before.
    """
    found: list[Window] = []
    names: Counter[str] = Counter()
    for place, fault in enumerate(scenario.faults):
        names[str(fault)] += 1
        stream = f"fault:{fault}" + (f":{names[str(fault)]}" if names[str(fault)] > 1 else "")
        lasts = None if fault.for_ is None else streams.draws(f"{stream}:for", fault.for_).next
        if fault.at is not None:
            end = fault.at if fault.moment else NEVER if lasts is None else fault.at + lasts() * fault.turns
            found.append(Window(fault.at, end, fault, place))
            continue
        assert fault.every is not None
        gap = streams.draws(f"{stream}:every", fault.every).next
        start = gap()
        while start < scenario.duration:
            end = start if lasts is None else start + lasts() * fault.turns
            found.append(Window(start, end, fault, place))
            start = end + max(gap(), 1)
    return tuple(sorted(found, key=lambda window: (window.start, window.place)))


def told(known: Iterable[Window], duration: int) -> list[tuple[int, str]]:
    """The beginnings and ends, by ``duration``, of faults whose windows are all that there is to tell of them."""
    found = []
    for each in known:
        found.append((each.start, each.fault.verb))
        if each.end > each.start:
            found.append((each.end, f"{each.fault.verb} ends"))
    return sorted((each for each in found if each[0] <= duration), key=lambda each: each[0])
