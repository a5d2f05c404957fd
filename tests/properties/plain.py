"""One standby, one writer, and no event loop: the pipeline written down once more, one commit after the other.

It is deliberately slow and plain: each function takes the times at which something comes and returns those at which
it leaves, by a loop over all of it.  It shares with the engine only the random draws, which it is handed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

__all__ = ["Cost", "Reply", "Run", "simulate"]

PAGE = 8192
MESSAGE = 131072
SECOND = 1_000_000_000
REPLY = 39

Step = tuple[int, int]
"""A time, and the position reached."""


@dataclass
class Cost:
    """What everything takes, in nanoseconds and bytes; the iterators give one draw after the other."""

    wakeup: int
    network: int
    execution: Iterator[int]
    record: Iterator[int]
    primary_write: Iterator[int]
    primary_flush: Iterator[int]
    out: Iterator[int]
    back: Iterator[int]
    bandwidth: int | None
    standby_write: Iterator[int]
    standby_flush: Iterator[int]
    replay: Iterator[int]
    apply_delay: int
    wal_writer_delay: int
    flush_after: int
    status_interval: int


@dataclass
class Reply:
    """When it was sent and processed, and what it reported."""

    sent: int
    processed: int
    write: int
    flush: int
    apply: int


@dataclass
class Run:
    """What became of the commits, and how the positions went."""

    inserted: list[int]
    lsn: list[int]
    visible: list[int | None]
    flush: list[Step]
    sent: list[Step]
    receive: list[Step]
    write: list[Step]
    standby_flush: list[Step]
    apply: list[Step]
    replies: list[Reply]


def simulate(arrivals: Sequence[int], level: str, cost: Cost, until: int) -> Run:
    """Every commit of ``arrivals``, all at one ``level`` and waiting for the one standby where it is remote."""
    commits = sorted((at + cost.network + cost.wakeup + next(cost.execution), k) for k, at in enumerate(arrivals))
    sizes = [next(cost.record) for _ in arrivals]
    inserted, lsn = [], []
    for time, k in commits:
        inserted.append(time)
        lsn.append((lsn[-1] if lsn else 0) + sizes[k])
    flush = (wal_writer if level == "off" else group_commit)(inserted, lsn, cost, until)
    sent, receive = ship(flush, cost)
    batches = receiver(receive, cost)
    applied, done = replay(batches, inserted, lsn, cost)
    write = [(drained, position) for _, drained, _, position in batches]
    standby_flush = [(end, position) for _, _, end, position in batches]
    apply = sorted([*zip(applied, lsn, strict=False), *done])
    replies = replies_of(batches, applied, done, lsn, level == "remote_apply", cost, until)
    visible = [
        visible_at(level, inserted[row], lsn[row], row == leader(lsn, flush, row), flush, replies, cost)
        for row in range(len(lsn))
    ]
    return Run(inserted, lsn, visible, flush, sent, receive, write, standby_flush, apply, replies)


def group_commit(inserted: Sequence[int], lsn: Sequence[int], cost: Cost, until: int) -> list[Step]:
    """A flush takes all that is inserted by its start; the next begins at once, or a wake-up after the last."""
    flushes: list[Step] = []
    row, end = 0, -1
    while row < len(lsn):
        start = inserted[row] if inserted[row] > end else end + cost.wakeup
        while row < len(lsn) and inserted[row] <= start:
            row += 1
        end = start + next(cost.primary_write) + next(cost.primary_flush)
        flushes.append((end, lsn[row - 1]))
    return flushes


def wal_writer(inserted: Sequence[int], lsn: Sequence[int], cost: Cost, until: int) -> list[Step]:
    """The WAL writer flushes for all: after its delay, or once enough whole pages wait."""
    flushes: list[Step] = []
    flushed, asleep, busy_until, missed = 0, 0, -1, False
    while True:
        wake = asleep + cost.wal_writer_delay
        pages = cost.flush_after // PAGE
        for time, position in zip(inserted, lsn, strict=True):
            enough = position // PAGE - flushed // PAGE >= pages
            if enough and time > busy_until:
                wake = min(wake, time + cost.wakeup)
            elif enough and missed:
                wake = asleep
        if wake > until:
            return flushes
        there = max((p for time, p in zip(inserted, lsn, strict=True) if time <= wake), default=0)
        target = there // PAGE * PAGE
        if target <= flushed:
            target = there
        asleep, missed = wake, False
        if target > flushed:
            flushed = target
            asleep = wake + next(cost.primary_write) + next(cost.primary_flush)
            # Whoever commits meanwhile wakes it again, and it looks once more before it sleeps.
            missed = any(wake < time <= asleep for time in inserted)
            flushes.append((asleep, flushed))
        busy_until = asleep


def ship(flush: Sequence[Step], cost: Cost) -> tuple[list[Step], list[Step]]:
    """Messages of at most 128 kB, in order over the line and through the air."""
    sent: list[Step] = []
    receive: list[Step] = []
    position, line, last = 0, 0, 0
    for end, flushed in flush:
        while position < flushed:
            size = min(MESSAGE, flushed - position)
            position += size
            sent.append((end + cost.wakeup, position))
            line = max(line, end + cost.wakeup) + (size * SECOND // cost.bandwidth if cost.bandwidth else 0)
            last = max(last, line + next(cost.out))
            receive.append((last, position))
    return sent, receive


def receiver(receive: Sequence[Step], cost: Cost) -> list[tuple[int, int, int, int]]:
    """Batches: when each began, was written, was flushed, and where it ends."""
    batches: list[tuple[int, int, int, int]] = []
    k, end = 0, -1
    while k < len(receive):
        arrival = receive[k][0]
        began = end if arrival <= end else arrival + cost.wakeup
        drained = began
        while k < len(receive) and (receive[k][0] <= began or receive[k][0] < drained):
            drained += next(cost.standby_write)
            k += 1
        end = drained + next(cost.standby_flush)
        batches.append((began, drained, end, receive[k - 1][1]))
    return batches


def replay(
    batches: Sequence[tuple[int, int, int, int]], inserted: Sequence[int], lsn: Sequence[int], cost: Cost
) -> tuple[list[int], list[Step]]:
    """When each commit is replayed, and when each batch is: as far as its last whole commit."""
    applied: list[int] = []
    done: list[Step] = []
    free = -1
    for _, _, end, position in batches:
        free = free if free > end else end + cost.wakeup
        while len(applied) < len(lsn) and lsn[len(applied)] <= position:
            due = inserted[len(applied)] + cost.apply_delay if cost.apply_delay else 0
            free = max(free, due) + next(cost.replay)
            applied.append(free)
        done.append((free, lsn[len(applied) - 1] if applied else 0))
    return applied, done


class Voice:
    """The standby's way back: what it says, in order, and when the primary has processed it."""

    def __init__(self, apply: Sequence[Step], cost: Cost) -> None:
        self.replies: list[Reply] = []
        self.last_sent = 0
        self._apply = apply
        self._cost = cost
        self._line = self._arrived = 0

    def say(self, sent: int, write: int, flush: int) -> None:
        """Send a reply; it speaks of what is replayed by then, as far as ``flush``."""
        cost = self._cost
        self.last_sent = sent
        self._line = max(self._line, sent) + (REPLY * SECOND // cost.bandwidth if cost.bandwidth else 0)
        self._arrived = max(self._arrived, self._line + next(cost.back))
        seen = max((position for time, position in self._apply if time <= sent), default=0)
        self.replies.append(Reply(sent, self._arrived + cost.wakeup, write, flush, min(seen, flush)))

    def idle(self, asked: Sequence[int], until: int, position: int) -> None:
        """Nothing comes in up to ``until``: say what is asked for, and something after each long silence."""
        for time in sorted({*(each for each in asked if each <= until), until}):
            interval = self._cost.status_interval
            while interval and self.last_sent + interval < time:
                self.say(self.last_sent + interval, position, position)
            if time in asked or (interval and self.last_sent + interval == time):
                self.say(time, position, position)


def replies_of(
    batches: Sequence[tuple[int, int, int, int]],
    applied: Sequence[int],
    done: Sequence[Step],
    lsn: Sequence[int],
    asks: bool,
    cost: Cost,
    until: int,
) -> list[Reply]:
    """What the standby says: at each write and flush, and while it is idle whenever replay or the clock asks."""
    voice = Voice(sorted([*zip(applied, lsn, strict=False), *done]), cost)
    forced: list[int] = []
    asked: list[int] = []
    row = flushed = 0
    for (began, drained, end, position), (free, _) in zip(batches, done, strict=True):
        voice.idle(asked, min(began, until), flushed)
        voice.say(drained, position, flushed)
        voice.say(end, position, position)
        flushed = position
        forced = [time for time in forced if time > end]
        while row < len(applied) and lsn[row] <= position:
            # One that asks while the receiver is waking up already adds nothing.
            if asks and (not forced or forced[-1] < applied[row]):
                forced.append(applied[row] + cost.wakeup)
            row += 1
        covered = forced and forced[-1] >= free
        asked = forced if covered else [*forced, free + cost.wakeup]
    voice.idle(asked, until, flushed)
    return voice.replies


def leader(lsn: Sequence[int], flush: Sequence[Step], row: int) -> int:
    """The first commit of the group that ``row`` is flushed with."""
    before = max((position for _, position in flush if position < lsn[row]), default=0)
    return min(k for k in range(len(lsn)) if lsn[k] > before)


def visible_at(
    level: str, inserted: int, lsn: int, leads: bool, flush: Sequence[Step], replies: Sequence[Reply], cost: Cost
) -> int | None:
    """When a commit is visible on the primary, or None where it never is."""
    if level == "off":
        return inserted
    if level == "local":
        return min(time for time, position in flush if position >= lsn) + (0 if leads else cost.wakeup)
    said = {"remote_write": "write", "on": "flush", "remote_apply": "apply"}[level]
    heard = [each.processed for each in replies if getattr(each, said) >= lsn]
    return min(heard) + cost.wakeup if heard else None
