"""What the faults of a scenario do to each part of a cluster, as stretches of time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from replsim.engines.events.pace import Stretch
from replsim.randomness import DurationDistribution, Streams
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
from replsim.scenario.network import link_ends
from replsim.scenario.windows import Window, windows

__all__ = ["LinkTroubles", "Troubles", "concerns"]


@dataclass(slots=True)
class LinkTroubles:
    """What is wrong with one direction of a link, and when: each from a start to an end, in order of the starts."""

    cuts: list[tuple[int, int]] = field(default_factory=list)
    """Nothing comes through; they do not overlap."""
    delays: list[tuple[int, int, str, DurationDistribution]] = field(default_factory=list)
    """A draw is added to each latency; with the name of its fault."""
    bandwidths: list[tuple[int, int, int]] = field(default_factory=list)
    """No more than so many bytes a second."""
    losses: list[tuple[int, int, float]] = field(default_factory=list)
    """At least such a share of packets is lost."""

    def cut_at(self, time: int) -> tuple[int, int] | None:
        """The cut that is on at ``time``."""
        return next(((start, end) for start, end in self.cuts if start <= time < end), None)


class Troubles:
    """All windows of a run, and what of them concerns a device, a replay, a link."""

    def __init__(self, scenario: Scenario, streams: Streams) -> None:
        self._scenario = scenario
        self._links: dict[tuple[str, str], LinkTroubles] = {}
        # What lasts to the end lasts a little longer, so that times beyond it stay numbers that can be added up.
        beyond = scenario.duration + 1
        self.windows = tuple(
            Window(each.start, min(each.end, beyond), each.fault, each.place) for each in windows(scenario, streams)
        )

    def device(self, node: str) -> list[Stretch]:
        """When a node's WAL device is slow or stands still."""
        return [
            Stretch(each.start, each.end, each.fault.times if isinstance(each.fault, Slow) else 0)
            for each in self._of(Stall, Slow)
            if each.fault.target == node
        ]

    def replay(self, node: str) -> list[Stretch]:
        """When a standby's replay stands still."""
        paused = [each for each in self._of(Pause, PauseReplay) if each.fault.target == node]
        return [Stretch(each.start, each.end, 0) for each in paused]

    def link(self, here: str, there: str) -> LinkTroubles:
        """What is wrong with the way from one node to another."""
        if (here, there) not in self._links:
            self._links[here, there] = self._link(here, there)
        return self._links[here, there]

    def apart(self, here: str, there: str, now: int) -> bool:
        """Whether a partition puts a node and somebody who is none (a witness, a client) into different groups."""
        for each in self._of(Partition):
            assert isinstance(each.fault, Partition)
            group = {name: place for place, names in enumerate(each.fault.partition) for name in names}
            if each.start <= now < each.end and there in group and group.get(here, -1) != group[there]:
                return True
        return False

    def _link(self, here: str, there: str) -> LinkTroubles:
        found = LinkTroubles()
        for each in self.windows:
            fault = each.fault
            if not concerns(fault, here, there):
                continue
            if isinstance(fault, Cut | Partition):
                found.cuts.append((each.start, each.end))
            elif isinstance(fault, Delay):
                found.delays.append((each.start, each.end, f"{each.place}:{each.start}", fault.by))
            elif isinstance(fault, Throttle):
                found.bandwidths.append((each.start, each.end, fault.to))
            elif isinstance(fault, Lose):
                found.losses.append((each.start, each.end, fault.share))
        found.cuts = _joined(found.cuts)
        return found

    def _of(self, *kinds: type[Fault]) -> Iterator[Window]:
        return (each for each in self.windows if isinstance(each.fault, kinds))


def concerns(fault: Fault, here: str, there: str) -> bool:
    """Whether a fault is about the way from ``here`` to ``there``."""
    if isinstance(fault, Partition):
        group = {name: place for place, names in enumerate(fault.partition) for name in names}
        return group.get(here, -1) != group.get(there, -1)
    if not isinstance(fault, LinkFault):
        return False
    ends = link_ends(fault.target)
    return ends == (here, there) or (fault.ways == "both" and ends == (there, here))


def _joined(cuts: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Cuts that overlap or touch are one."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(cuts):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
