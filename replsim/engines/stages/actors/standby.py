"""A standby: messages become batches, the applied position, and replies."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from replsim.engines.stages.actors import feed
from replsim.engines.stages.actors.wire import WireFeed
from replsim.engines.stages.columns import Ints, chained, cut, roomy, until
from replsim.engines.stages.kernels import standby as loop
from replsim.engines.stages.kernels import standby_state as kernel
from replsim.engines.stages.kernels.sender_link import Messages
from replsim.engines.stages.kernels.wire import Way
from replsim.engines.stages.log import Log
from replsim.engines.stages.troubles import Troubles
from replsim.randomness import Streams
from replsim.scenario import Scenario
from replsim.scenario.network import Link
from replsim.units import NEVER

__all__ = ["Moved", "Standby", "Steps"]

ROOM: Final = 4096
"""The fewest batches that one call of the kernel has room for."""


class Steps(NamedTuple):
    """Steps of a position."""

    time: Ints
    lsn: Ints


class Moved(NamedTuple):
    """What a standby did."""

    written: Steps
    """Each flush begins when its batch is written."""
    flushed: Steps
    applied: Steps
    replies: kernel.Replies


class Standby:
    """The standby ``name``: its walreceiver, its disk, its replay, and its way back to its upstream."""

    def __init__(
        self,
        scenario: Scenario,
        streams: Streams,
        troubles: Troubles,
        upstream: str,
        name: str,
        back: Link,
        log: Log,
    ) -> None:
        standby = scenario.standbys[name]
        device, replay = standby.wal_device, standby.replay
        self._rules = kernel.Rules(
            wakeup=scenario.wakeup,
            status_interval=standby.wal_receiver_status_interval,
            bandwidth=device.bandwidth or 0,
            replay_bandwidth=replay.bandwidth or 0,
            apply_delay=standby.recovery_min_apply_delay,
            per_record=-1 if replay.per_record.constant is None else replay.per_record.constant,
            background_record=scenario.background.record if scenario.background else 0,
            device=troubles.device(name),
            replay=troubles.replay(name),
            stops=troubles.stops(name),
        )
        self._write = feed.draws(streams, f"disk:{name}:write", device.write)
        self._flush = feed.draws(streams, f"disk:{name}:flush", device.flush)
        self._record = feed.draws(streams, f"replay:{name}", replay.per_record)
        self._drawn = replay.per_record.constant is None
        self._wire = WireFeed(streams, f"link:{name}->{upstream}", back, troubles.link(name, upstream, back))
        self._log = log
        self._end = scenario.duration
        self.place = 0
        """The next addition to the log that it will hand to replay."""
        self._state = kernel.initial()
        empty = np.empty(0, dtype=np.int64)
        self._given = kernel.Given(empty, empty)
        self._applied = kernel.Applied(empty, empty, empty)
        """Steps of the applied position that no reply has seen yet, and replies to come."""

    @property
    def open_from(self) -> int:
        """When the first message arrived that belongs to a batch not known in full; `NEVER` if there is none."""
        return int(self._given.arrival[0]) if len(self._given.arrival) else NEVER

    def reads(self, messages: Messages) -> Messages:
        """The messages, as they arrive at the process: what comes while it stands still is read when it goes on."""
        starts, ends = self._rules.stops
        if not len(starts):
            return messages
        stop = np.searchsorted(starts, messages.arrival, side="right") - 1
        asleep = (stop >= 0) & (messages.arrival < ends[stop])
        return messages._replace(arrival=np.where(asleep, ends[stop], messages.arrival))

    def settled(self, time: int) -> None:
        """Nothing that is under way to its upstream by ``time`` is lost."""
        self._wire.settled = time

    @property
    def resumes(self) -> int:
        """Until when the stream of its replies stands still."""
        return int(self._state[kernel.LINE_RESUMES])

    @property
    def flushed(self) -> tuple[int, int]:
        """When its last flush ended, -1 for none, and up to where its WAL is flushed."""
        return int(self._state[kernel.FLUSHED_AT]), int(self._state[kernel.FLUSHED])

    def send(self, time: int) -> int:
        """Send its upstream a message that is no reply; returns when it arrives."""
        way = self._wire.send(time, 0, self._way())
        self._state[[kernel.LINE_FREE, kernel.LINE_LAST, kernel.LINE_RESUMES]] = way.free, way.last, way.resumes
        return way.last

    def reset(self, time: int) -> None:
        """A new connection: the wire has nothing under way and waits for nothing."""
        self._state[[kernel.LINE_FREE, kernel.LINE_LAST, kernel.LINE_RESUMES]] = time

    def announce(self, time: int) -> kernel.Replies:
        """The first reply on a new connection."""
        out = kernel.Replies(*(np.empty(1, dtype=np.int64) for _ in range(4)))
        state, lacking = self._state.copy(), False
        while not loop.announce(
            state, time, self._wire.view(1, self._way(), lacking=lacking), self._rules, self._applied, out
        ):
            state, lacking = self._state.copy(), True
        self._wire.used(1)
        seen = int(state[kernel.SEEN])
        self._applied = kernel.Applied(self._applied.time[seen:], self._applied.lsn[seen:], self._applied.asked[:0])
        state[kernel.STEPS] -= seen
        state[[kernel.SEEN, kernel.ASKS, kernel.ASKED, kernel.REPLIES]] = 0
        self._state = state
        return out

    def _way(self) -> Way:
        s = self._state
        return Way(0, int(s[kernel.LINE_FREE]), int(s[kernel.LINE_LAST]), int(s[kernel.LINE_RESUMES]))

    def run(self, messages: Messages, bounds: kernel.Bounds) -> Moved:
        """What follows from ``messages``, as far as the bounds go."""
        # What arrives after the run has no part in it, and may lie far ahead where packets are lost.
        heard = cut(kernel.Given(messages.arrival, messages.position), slice(len(until(messages.arrival, self._end))))
        given = chained([self._given, heard])
        found: list[Moved] = []
        enough, room, lacking = False, max(ROOM, len(given.arrival)), False
        while not enough:
            before = given
            moved, given, enough = self._call(given, bounds, room, lacking=lacking)
            found.append(moved)
            lacking = not enough
            if len(given.arrival) == len(before.arrival):
                room *= 2
        self._given = given
        return Moved(
            chained([each.written for each in found]),
            chained([each.flushed for each in found]),
            chained([each.applied for each in found]),
            chained([each.replies for each in found]),
        )

    def die(self, messages: Messages, bounds: kernel.Bounds, *, keeps_written: bool) -> tuple[Moved, int]:
        """It dies at ``bounds.before``; what it did, and the position up to which its disk has the WAL.

        ``keeps_written`` says whether what is written and not flushed is there again, from the system's cache.
        """
        moved = self.run(messages, bounds._replace(dies=True))
        kept = self.flushed[1]
        if len(moved.flushed.time) and moved.flushed.time[-1] == NEVER:
            if moved.written.time[-1] > bounds.before:
                moved = moved._replace(written=cut(moved.written, slice(-1)))
            elif keeps_written:
                kept = int(moved.written.lsn[-1])
            moved = moved._replace(flushed=cut(moved.flushed, slice(-1)))
        self._given = cut(self._given, slice(0))
        return moved, kept

    def start(self, position: int) -> int:
        """It starts again with the WAL up to ``position`` on its disk; returns up to where it has replayed that."""
        end = loop.begin_anew(self._state, position, self._log.added(self.place), self._rules)
        self.place += int(self._state[kernel.ADDED])
        self._state[kernel.ADDED] = 0
        self._applied = cut(self._applied, slice(0))
        return end

    def _call(
        self, given: kernel.Given, bounds: kernel.Bounds, room: int, *, lacking: bool
    ) -> tuple[Moved, kernel.Given, bool]:
        """One call of the kernel: what it did, the messages that are left, and whether draws and room sufficed."""
        added = self._log.added(self.place)
        new = room + len(added.end)
        carried = len(self._applied.time), len(self._applied.asked)
        applied = kernel.Applied(*(roomy(column, new) for column in self._applied))
        draws = kernel.Draws(
            self._write.at_least(len(given.arrival)),
            self._flush.at_least(room)[:room],
            self._record.at_least(4 * room + len(added.end)) if self._drawn else self._write.at_least(0)[:0],
        )
        replies = 3 * room + carried[1] + len(added.end)
        out = (
            kernel.Batches(*(np.empty(room, dtype=np.int64) for _ in range(3))),
            kernel.Replies(*(np.empty(replies, dtype=np.int64) for _ in range(4))),
        )
        wire = self._wire.view(replies, self._way(), lacking=lacking)
        s = self._state.copy()
        enough = loop.standby(s, s.copy(), given, bounds, added, draws, wire, self._rules, applied, out)
        count = s.tolist()
        self._write.used(count[kernel.WRITES])
        self._flush.used(count[kernel.BATCHES])
        self._record.used(count[kernel.RECORDS])
        self._wire.used(count[kernel.REPLIES])
        self.place += count[kernel.ADDED]
        steps, seen = slice(carried[0], count[kernel.STEPS]), slice(count[kernel.SEEN], count[kernel.STEPS])
        batches = cut(out[0], slice(count[kernel.BATCHES]))
        moved = Moved(
            Steps(batches.written, batches.position),
            Steps(batches.flushed, batches.position),
            Steps(applied.time[steps], applied.lsn[steps]),
            cut(out[1], slice(count[kernel.REPLIES])),
        )
        asked = applied.asked[count[kernel.ASKED] : count[kernel.ASKS]]
        self._applied = kernel.Applied(applied.time[seen], applied.lsn[seen], asked)
        given = cut(given, slice(count[kernel.MESSAGES], None))
        for place in (kernel.MESSAGES, kernel.ADDED, kernel.BATCHES, kernel.WRITES, kernel.RECORDS, kernel.REPLIES):
            s[place] = 0
        s[kernel.STEPS], s[kernel.SEEN] = count[kernel.STEPS] - count[kernel.SEEN], 0
        s[kernel.ASKS], s[kernel.ASKED] = count[kernel.ASKS] - count[kernel.ASKED], 0
        self._state = s
        return moved, given, enough
