"""A server, whatever it is at the moment: its device, its faults, and one life after another."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from replsim.engines.events.agenda import Agenda
from replsim.engines.events.device import Device
from replsim.engines.events.life import Life
from replsim.engines.events.pace import Pace

if TYPE_CHECKING:
    from replsim.engines.events.following import Following
    from replsim.engines.events.log import Log
    from replsim.engines.events.reign import Reign

__all__ = ["Node"]


class Node:
    """A server of the cluster.  It reigns, or it follows, or it is down (or being made ready) and does neither."""

    def __init__(
        self, name: str, place: int, agenda: Agenda, device: Device, draw: Callable[[], int], log: Log
    ) -> None:
        self.name = name
        self.place = place
        """Among events of equal time and rank: the order of the stream at the start."""
        self.device = device
        self.replay_draw = draw
        self.agenda = agenda
        """Where its processes plan: the run's own agenda, or its `life` where something may happen to it."""
        self.pace: Pace | None = None
        """Its replay's, where something may happen to it."""
        self.upstream: str | None = None
        """The node that it streams from, or wants to."""
        self.ship: list[Callable[[int, int], None]] = []
        """Called with the time and the position of each flush: the senders to those that stream from it."""
        self.reign: Reign | None = None
        self.following: Following | None = None
        self.gone = False
        """Whether its machine is down."""
        self.agent = False
        """Whether its process alone died, and the manager's agent beside it starts it again."""
        self.deposed = False
        """Whether it was stopped as a primary, and waits for its place in the new order."""
        self.down_since = 0
        self.kept = 0
        self.log = log
        """While it is down: what its disk holds, and up to where it holds it (`kept`)."""
        self.watchers: list[Callable[[Node, int], None]] = []
        """Called when a life of it ends, or begins: those who read from it."""
        self.lives: list[Reign | Following] = []
        """What it has been, one after the other; the last may be what it is."""

    @property
    def up(self) -> bool:
        """Whether it is running, as a primary or as a standby."""
        return self.reign is not None or self.following is not None

    @property
    def flushed(self) -> int:
        """Up to where its WAL is flushed."""
        if self.reign is not None:
            return self.reign.primary.flushed
        assert self.following is not None, f"{self.name} is down"
        return self.following.flushed

    def begin_life(self, agenda: Agenda, resumes: int = 0) -> None:
        """It starts anew, or will once it ``resumes``: what it plans from now on dies with this life."""
        self.agenda = life = Life(agenda)
        life.pause(resumes)

    def end_life(self) -> None:
        """It dies, or stops: nothing that it planned happens any more."""
        assert isinstance(self.agenda, Life)
        self.agenda.end()
        self.ship.clear()
        self.reign = self.following = None
        self.changed()

    def changed(self) -> None:
        """It is not what it was: those who read from it find out."""
        for watch in self.watchers:
            watch(self, self.agenda.now)
