"""One standby and the sender that feeds it, a stretch of time after the other."""

from __future__ import annotations

from replsim.engines.stages.actors.sender import sender
from replsim.engines.stages.actors.standby import Standby, Steps
from replsim.engines.stages.columns import chained
from replsim.engines.stages.kernels.sender_link import Flushed
from replsim.engines.stages.kernels.standby_state import Bounds
from replsim.engines.stages.log import Log
from replsim.engines.stages.parting import Note, Parting, Rank
from replsim.engines.stages.stream import Stream, Streamed
from replsim.engines.stages.sync_set import Present
from replsim.engines.stages.troubles import Troubles
from replsim.engines.stages.ways import Ways
from replsim.randomness import Streams
from replsim.scenario import Scenario
from replsim.scenario.topology import link_between
from replsim.units import NEVER

__all__ = ["Replica"]


class Replica:
    """The standby ``name``, which is the ``place``-th in the order of the stream."""

    def __init__(
        self, scenario: Scenario, streams: Streams, troubles: Troubles, upstream: str, name: str, place: int, log: Log
    ) -> None:
        link, back = link_between(scenario, upstream, name), link_between(scenario, name, upstream)
        assert link is not None
        assert back is not None
        self.upstream = upstream
        self._name = name
        self._place = place
        self._direct = upstream == scenario.primary.name
        self._ways = Ways(scenario, troubles, upstream, name)
        self._stream = Stream(
            sender(scenario, streams, troubles, upstream, name, link, back),
            Standby(scenario, streams, troubles, upstream, name, back, log),
            log,
        )
        if self._ways.trials:
            self._stream.settle(0)
        self._opened = 0
        self._quiet = -1
        """Up to when all that disturbs it is dealt with."""
        self._known = -1
        """Up to when all is known that its upstream does."""
        self._parting: Parting | None = None
        """What it is being followed through."""
        self._notes: list[Note] = []
        self._left: list[int] = []
        """From when on it counted for nothing any more, each time that its connection was lost."""

    @property
    def standby(self) -> Standby:
        """The standby, as far as it is followed for certain."""
        return self._stream.standby

    @property
    def open_from(self) -> int:
        """Before then all is known that it does, if all is known that its upstream does; `NEVER` for no bound."""
        return self._stream.open_from

    @property
    def notes(self) -> list[Note]:
        """What there is to tell of its connections."""
        caught_up = [
            Note(time, Rank.REPLY, self._place, 0, self._place, self._name, "streaming")
            for time in self._stream.caught_up
        ]
        return self._notes + caught_up

    @property
    def may_part(self) -> bool:
        """Whether it may ever lose its connection."""
        return bool(self._ways.trials)

    @property
    def present(self) -> Present:
        """When its replies counted."""
        starts = [-1, *self._stream.caught_up]
        stretches = [(start, next((left for left in self._left if left > start), NEVER)) for start in starts]
        if stretches[-1][1] < NEVER:
            stretches.append((NEVER, NEVER))
        silent = self._parting is not None and self._parting.lost and self._parting.closed
        return Present(stretches, self._known + 1 if silent else 0)

    def run(self, flushed: Flushed, known: int, end: int) -> Streamed:
        """What follows from what its upstream has ``flushed``, all of which is ``known`` up to a time.

        ``end`` is the end of the run if there is nothing after it, else -1.
        """
        stream = self._stream
        if not self._ways.trials:
            messages = stream.standby.reads(stream.sender.run(flushed, end))
            moved = stream.standby.run(messages, Bounds(end))
            return Streamed(Steps(messages.sent, messages.position), Steps(messages.arrival, messages.position), moved)
        stream.flushed = chained([stream.flushed, flushed])
        self._known = known
        while self._go_on(end):
            pass
        return stream.tell()

    def _go_on(self, end: int) -> bool:
        """Up to what may end the connection, or through that; whether there is more to do."""
        stream, known = self._stream, self._known
        if self._parting is not None:
            quiet = self._parting.follow(known, end)
            if quiet is None:
                return False
            self._quiet, self._opened = quiet, self._parting.opened
            self._parting = None
            return quiet < NEVER
        trial = next((time for time in self._ways.trials if time > self._quiet), NEVER)
        if trial > end >= 0:
            stream.ship(stream.see(end, within=True), end)
            stream.deliver(end, Bounds(end), within=True)
            stream.settle(end + 1)
            return False
        upto = min(trial, known + 1)
        stream.ship(stream.see(upto, within=False), -1)
        stream.deliver(upto, Bounds(-1, before=upto), within=False)
        stream.settle(upto)
        if trial > known:
            return False
        self._parting = Parting(
            self._ways, stream, self._place, trial, opened=self._opened, direct=self._direct,
            notes=self._notes, left=self._left,
        )  # fmt: skip
        return True
