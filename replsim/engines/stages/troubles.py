"""What the faults of a scenario do to each part of a pipeline, as functions of time that kernels look up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from replsim.engines.stages.columns import Ints
from replsim.engines.stages.kernels.pace import Pace, Stops
from replsim.randomness import Streams
from replsim.scenario import Scenario
from replsim.scenario.faults import (
    Cut,
    Delay,
    Fault,
    LinkFault,
    Lose,
    Partition,
    Pause,
    PauseReplay,
    Slow,
    Stall,
    Throttle,
)
from replsim.scenario.network import Link, link_ends
from replsim.scenario.windows import Window, windows

__all__ = ["LinkTroubles", "Troubles", "concerns", "noted"]


class LinkTroubles(NamedTuple):
    """What is wrong with one direction of a link, piece by piece of time; without pieces where nothing ever is."""

    starts: list[int]
    """When each piece begins; the first at 0."""
    healed: list[int]
    """When the cut ends that is on; 0 where none is."""
    bandwidth: list[int]
    """Bytes a second; 0 for no limit."""
    loss: list[float]
    """The share of packets lost."""
    delays: list[list[int]]
    """Those that are on, by their place in `delayed`."""
    delayed: list[Window]
    """Every delay, in the order of their starts."""


class Troubles:
    """All windows of a run, and what of them concerns a device, a replay, a link."""

    def __init__(self, scenario: Scenario, streams: Streams) -> None:
        # What lasts to the end lasts a little longer, so that times beyond it stay numbers that can be added up.
        beyond = scenario.duration + 1
        self.windows = tuple(
            Window(each.start, min(each.end, beyond), each.fault, each.place) for each in windows(scenario, streams)
        )

    def device(self, node: str) -> Pace:
        """How fast a node's WAL device is."""
        return _pace([each for each in self._of(Stall, Slow) if each.fault.target == node])

    def replay(self, node: str) -> Pace:
        """How fast a standby's replay is."""
        return _pace([each for each in self._of(Pause, PauseReplay) if each.fault.target == node])

    def stops(self, node: str) -> Stops:
        """When a node's processes stand still."""
        stops = _joined([each for each in self._of(Pause) if each.fault.target == node])
        return Stops(_ints([start for start, _ in stops]), _ints([end for _, end in stops]))

    def silences(self, here: str, there: str) -> list[tuple[int, int]]:
        """When one node says nothing that gets to another."""
        return _joined(
            [
                each
                for each in self._of(Cut, Partition, Pause)
                if concerns(each.fault, here, there) or (isinstance(each.fault, Pause) and each.fault.pause == here)
            ]
        )

    def cuts(self, here: str, there: str) -> list[tuple[int, int]]:
        """When nothing comes through on the way from one node to another."""
        return _joined([each for each in self._of(Cut, Partition) if concerns(each.fault, here, there)])

    def link(self, here: str, there: str, link: Link) -> LinkTroubles:
        """What is wrong with the way from one node to another, of which ``link`` says what it is like else."""
        concerned = [each for each in self.windows if concerns(each.fault, here, there)]
        delayed = [each for each in concerned if isinstance(each.fault, Delay)]
        edges = sorted({0} | {edge for each in concerned for edge in (each.start, each.end)}) if concerned else []
        cuts = self.cuts(here, there)
        found = LinkTroubles(edges, [], [], [], [], delayed)
        for edge in edges:
            on = [each for each in concerned if each.start <= edge < each.end]
            limits = [each.fault.to for each in on if isinstance(each.fault, Throttle)]
            shares = [each.fault.share for each in on if isinstance(each.fault, Lose)]
            found.healed.append(next((end for start, end in cuts if start <= edge < end), 0))
            found.bandwidth.append(min([*limits, link.bandwidth] if link.bandwidth else limits, default=0))
            found.loss.append(max([*shares, link.loss]))
            found.delays.append([place for place, each in enumerate(delayed) if each.start <= edge < each.end])
        return found

    def _of(self, *kinds: type[Fault]) -> list[Window]:
        return [each for each in self.windows if isinstance(each.fault, kinds)]


def concerns(fault: Fault, here: str, there: str) -> bool:
    """Whether a fault is about the way from ``here`` to ``there``."""
    if isinstance(fault, Partition):
        group = {name: place for place, names in enumerate(fault.partition) for name in names}
        return group.get(here, -1) != group.get(there, -1)
    if not isinstance(fault, LinkFault):
        return False
    ends = link_ends(fault.target)
    return ends == (here, there) or (fault.ways == "both" and ends == (there, here))


def noted(scenario: Scenario, window: Window) -> Iterator[tuple[int, str, str]]:
    """What there is to note of a window, by the end of the run: of the first node that it names, else the primary."""
    named = [word for word in str(window.fault).replace("->", " ").split() if word in scenario.nodes]
    node = named[0] if named else scenario.primary.name
    yield window.start, node, window.fault.verb
    if window.start < window.end <= scenario.duration:
        yield window.end, node, f"{window.fault.verb} ends"


def _joined(windows: Sequence[Window]) -> list[tuple[int, int]]:
    """Their starts and ends; those that overlap or touch are one."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted((each.start, each.end) for each in windows):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


def _pace(stretches: Sequence[Window]) -> Pace:
    """Where stretches overlap the slowest counts; what is not `Slow` stops everything."""
    edges = sorted({0} | {edge for each in stretches for edge in (each.start, each.end)}) if stretches else []
    own, times = [0], []
    for place, edge in enumerate(edges):
        on = [each.fault for each in stretches if each.start <= edge < each.end]
        factors = [each.times if isinstance(each, Slow) else 0 for each in on]
        times.append(0 if 0 in factors else max(factors, default=1))
        if place + 1 < len(edges):
            lasts = edges[place + 1] - edge
            own.append(own[-1] + (lasts // times[place] if times[place] else 0))
    return Pace(_ints(edges), _ints(own[: len(edges)]), _ints(times))


def _ints(values: Sequence[int]) -> Ints:
    return np.array(values, dtype=np.int64)
