"""The agenda of something mortal: what it has planned dies with it, and waits while it stands still."""

from __future__ import annotations

from collections.abc import Callable

from replsim.engines.events.agenda import Agenda, Rank

__all__ = ["Life"]


class Life(Agenda):
    """A view of an agenda.  After `end` nothing happens that was planned through it; a `pause` puts it off.

    Lives nest: a connection's plans die with the connection, or with the node that it is on.
    """

    def __init__(self, within: Agenda) -> None:
        self.environment = within.environment
        self._within = within
        self._resumes = 0
        self.alive = True

    def at(self, time: int, rank: Rank, node: int, callback: Callable[[int], None]) -> None:
        """As `Agenda.at`, unless this life has ended by then; what falls into a pause happens at its end."""
        self._within.at(time, rank, node, lambda now: self._happen(now, rank, node, callback))

    def pause(self, until: int) -> None:
        """Stand still until ``until``."""
        self._resumes = max(self._resumes, until)

    def ready(self, time: int) -> int:
        """When it can do what is due at ``time``."""
        return max(time, self._resumes)

    def end(self) -> None:
        """Nothing that was planned happens any more."""
        self.alive = False

    def _happen(self, now: int, rank: Rank, node: int, callback: Callable[[int], None]) -> None:
        if not self.alive:
            return
        if now < self._resumes:
            self._within.at(self._resumes, rank, node, lambda later: self._happen(later, rank, node, callback))
        else:
            callback(now)
