"""What a client is while its load changes: the same client, with the faults that are loads in its schedule."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

from replsim.randomness import Streams
from replsim.scenario.clients import RatePoint, Reader, Schedule, Writer
from replsim.scenario.faults import Load
from replsim.scenario.windows import windows

if TYPE_CHECKING:
    from replsim.scenario.model import Scenario

__all__ = ["effective"]

C = TypeVar("C", Writer, Reader)


def effective(scenario: Scenario, seed: int, name: str, client: C) -> C:
    """A writer or reader as its work really arrives: at its rate, times that of each `Load` that is on.

    Its schedule steps up and down within a nanosecond.  A client with no load of its own is itself, to the byte.
    """
    if not any(isinstance(fault, Load) and fault.load == name for fault in scenario.faults):
        return client
    loads = [
        (each.start, min(each.end, scenario.duration), each.fault.times)
        for each in windows(scenario, Streams(seed))
        if isinstance(each.fault, Load) and each.fault.load == name
    ]
    edges = {edge for start, end, _ in loads for edge in (start, end)}
    times = sorted({0, scenario.duration} | edges | {edge - 1 for edge in edges if edge} | _knots(scenario, client))
    points = tuple(
        RatePoint.model_construct(at=time, rate=rate * _times(loads, time))
        for time, rate in zip(times, _rates(client, times), strict=True)
    )
    return client.model_copy(update={"rate": None, "schedule": Schedule.model_construct(points=points, period=None)})


def _times(loads: list[tuple[int, int, float]], time: int) -> float:
    factor = 1.0
    for start, end, times in loads:
        factor *= times if start <= time < end else 1.0
    return factor


def _knots(scenario: Scenario, client: Writer | Reader) -> set[int]:
    """Where a client's own rate bends."""
    if client.schedule is None:
        return set()
    points, period = client.schedule.points, client.schedule.period or scenario.duration
    return {
        time
        for start in range(0, scenario.duration, period)
        for each in points
        if (time := start + each.at) < scenario.duration
    }


def _rates(client: Writer | Reader, times: list[int]) -> list[float]:
    """A client's own rate at some moments."""
    if client.schedule is None:
        assert client.rate is not None
        return [client.rate] * len(times)
    points = client.schedule.points
    known, rates = [each.at for each in points], [each.rate for each in points]
    return np.interp(times, known, rates, period=client.schedule.period).tolist()
