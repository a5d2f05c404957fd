"""Clients who have no primary: what they submit fails, until they are led to one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import heappop, heappush
from typing import Final

from replsim.engines.events.clients import ATTEMPT, Clients, Step, What
from replsim.units import SECOND

__all__ = ["RECONNECT", "Stranded"]

RECONNECT: Final = SECOND
"""How long a client that waits for its answers waits after a failure before it tries again."""


class Stranded:
    """The transactions of clients whom nobody serves.

    A client whose server dies knows it at once: what was under way has failed, or has an outcome that it does not
    know.  Work that comes meanwhile fails when it starts.  A client that does not try again gives it up, and a
    closed-loop client goes on after `RECONNECT`.
    """

    def __init__(self, groups: Sequence[Clients]) -> None:
        self._groups = groups
        self._coming: list[tuple[int, int, int, Step]] = []
        """A heap by the start."""
        self.failed: list[tuple[Step, int]] = []
        """What reached no log and never will, and when its client knew."""

    def add(self, steps: Iterable[Step]) -> None:
        """Transactions that are still to start."""
        for step in steps:
            heappush(self._coming, (step.started, step.group, step.number, step))

    def fail(self, step: Step, now: int) -> None:
        """A transaction that has not reached the log fails."""
        self.failed.append((step, now))
        if step.number < ATTEMPT and (step.what == What.START or self._groups[step.group].in_order):
            later = self._groups[step.group].next_after(step)
            if later is not None:
                self.add([later])
        self.give_up(step, now)

    def give_up(self, step: Step, now: int) -> None:
        """A client will not hear of its transaction any more: it goes on with the next one."""
        group = self._groups[step.group]
        later = group.given_up(step, now, RECONNECT if group.goes_round else 0)
        if later is not None:
            self.add([later])

    def fail_until(self, now: int) -> None:
        """Whatever starts by ``now`` finds no primary."""
        while self._coming and self._coming[0][0] <= now:
            started, _, _, step = heappop(self._coming)
            # A transaction whose steps are known already has one that reaches the log, and chunks on the way to it.
            if step.what != What.CHUNK:
                self.fail(step, started)

    def remaining(self, until: int) -> list[Step]:
        """What was submitted by ``until`` and has not started: its client waits before it tries again."""
        return [step for *_, step in self._coming if step.submitted <= until and step.what != What.CHUNK]

    def leave(self, now: int) -> list[Step]:
        """They are served again: the transactions that start after ``now``."""
        self.fail_until(now)
        steps = [step for *_, step in self._coming]
        self._coming.clear()
        return steps
