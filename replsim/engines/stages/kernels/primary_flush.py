"""The primary as a kernel: one WAL-write lock, and each flush takes all that was inserted up to its start.

The rules are those of PostgreSQL's ``xlog.c`` (``XLogFlush``, ``XLogBackgroundFlush``, ``XLogSetAsyncXactLSN``), as
`docs/model.md` tells them.  As in the event engine, nobody looks at what is inserted while the lock is taken, and the
WAL writer is woken by what a look finds.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from replsim.engines.stages.kernels.pace import Pace, after
from replsim.engines.stages.kernels.wire import SECOND, transfer
from replsim.kernels.compiled import compiled, part

__all__ = ["ASYNCHRONOUS", "CHUNK", "WAITS", "Draws", "Flushes", "Inserts", "Rules", "initial", "primary_flush"]

Ints = NDArray[np.int64]

CHUNK, ASYNCHRONOUS, WAITS = range(3)
"""What is inserted: WAL of a running transaction, a commit that no backend flushes for, and one that waits for it."""

# What a primary's state holds, by place.
TAKEN = 0  # how many inserts it has noted, of those that the kernel was given; 0 between two calls
BYTES = 1  # the WAL of all inserts noted, ever
WANTED = 2  # where the last commit ends whose backend wants a flush
WAITING = 3  # commits noted that wait for a flush
EXECUTING = 4  # where ``commit_delay`` asks for it: transactions that have begun to execute, less those inserted
ASYNC = 5  # where the last commit ends that no backend flushes for
FLUSHED = 6
PHASE = 7
START = 8  # when the flush under way started, or will
DUE = 9  # when the holder of the lock does its next thing
TARGET = 10  # up to where it flushes, or `WHOLE`
ASLEEP = 11  # the WAL writer: whether it sleeps,
WAKES = 12  # until when,
WANTS_LOCK = 13  # whether it is awake and waits for the lock,
FLUSHING = 14  # whether the flush under way is its own,
NUDGED = 15  # and whether somebody tried to wake it while it was awake
BEGUN = 16  # how many begins were counted, of those that the kernel was given
USED = 17  # how many flushes have begun, of those that the kernel was given draws for
ENDED = 18  # how many of them, and of one begun before, have ended
FIELDS = 19

FREE, SLEEPS, STARTS, FLUSHES = range(4)
"""The lock is free; or its holder sleeps for ``commit_delay``, is about to start, or flushes."""
WHOLE = -1
"""As a target: all that is inserted by the flush's start."""
NEVER = 2**63 - 1


class Rules(NamedTuple):
    """The settings of a primary."""

    wakeup: int
    bandwidth: int
    """Of its WAL device, bytes a second; 0 where a write costs the same whatever its size."""
    commit_delay: int
    commit_siblings: int
    writer_delay: int
    """How long the WAL writer sleeps; 0 where there is nothing for it to do."""
    page: int
    pages: int
    """So many whole pages wake the WAL writer."""
    background: int
    """Bytes of background WAL a second, and of one record of it."""
    background_record: int
    device: Pace
    """How fast its WAL device is."""


class Inserts(NamedTuple):
    """What is inserted, in the order of the log."""

    time: Ints
    bytes: Ints
    """The WAL of all inserts so far, ever."""
    end: Ints
    """Where it ends, background WAL included."""
    kind: NDArray[np.int8]
    begins: Ints
    """Where ``commit_delay`` asks for it: when each transaction begins to execute, in order."""


class Draws(NamedTuple):
    """The cost of each flush: its write call, and its fdatasync."""

    write: Ints
    flush: Ints


class Flushes(NamedTuple):
    """Room for what a primary did: the flushes that began, and those that ended with the position they reached."""

    starts: Ints
    ends: Ints
    targets: Ints


def initial(rules: Rules) -> Ints:
    """The state at time zero: the lock is free, and the WAL writer goes to sleep."""
    state = np.zeros(FIELDS, dtype=np.int64)
    state[TARGET] = WHOLE
    state[ASLEEP] = rules.writer_delay > 0
    state[WAKES] = rules.writer_delay or NEVER
    return state


@part
def position(s: Ints, time: int, rules: Rules) -> int:
    """The end of the WAL at ``time``, of all that was noted."""
    if not rules.background:
        return int(s[BYTES])
    whole = time // SECOND * rules.background + time % SECOND * rules.background // SECOND
    return int(s[BYTES]) + whole // rules.background_record * rules.background_record


@part
def look(s: Ints, until: int, now: int, inserts: Inserts, rules: Rules) -> None:
    """Take note, at ``now``, of all that was inserted up to ``until``."""
    first = taken = s[TAKEN]
    time, kind = inserts.time, inserts.kind
    while taken < len(time) and time[taken] <= until:
        if kind[taken] == WAITS:
            s[WANTED] = inserts.end[taken]
            s[WAITING] += 1
            s[EXECUTING] -= 1
        elif kind[taken] == ASYNCHRONOUS:
            s[ASYNC] = inserts.end[taken]
            s[EXECUTING] -= 1
            if not s[ASLEEP]:
                s[NUDGED] = 1
            elif enough(s, rules):
                s[WAKES] = min(s[WAKES], max(time[taken] + rules.wakeup, now))
        taken += 1
    if taken > first:
        s[TAKEN] = taken
        s[BYTES] = inserts.bytes[taken - 1]


@part
def enough(s: Ints, rules: Rules) -> bool:
    """Whether so much asynchronous WAL waits that it wakes the WAL writer."""
    return bool(s[ASYNC] // rules.page - s[FLUSHED] // rules.page >= rules.pages)


@part
def lead(s: Ints, start: int, rules: Rules) -> None:
    """A backend takes the lock at ``start``; it may sleep first, so that others can join."""
    if rules.commit_delay:
        s[PHASE], s[DUE] = SLEEPS, start
    else:
        flush_from(s, start, WHOLE)


@part
def flush_from(s: Ints, start: int, target: int) -> None:
    """The lock is taken for a flush from ``start`` on."""
    s[PHASE], s[START], s[DUE], s[TARGET] = STARTS, start, start, target


@part
def delay(s: Ints, now: int, inserts: Inserts, rules: Rules) -> None:
    """``commit_delay`` holds while enough others execute or wait in a commit (``MinimumActiveBackends``)."""
    look(s, now, now, inserts, rules)
    while s[BEGUN] < len(inserts.begins) and inserts.begins[s[BEGUN]] <= now:
        s[BEGUN] += 1
        s[EXECUTING] += 1
    others = s[EXECUTING] + s[WAITING] - 1
    flush_from(s, now + (rules.commit_delay if others >= rules.commit_siblings else 0), WHOLE)


@part
def start(s: Ints, inserts: Inserts, draws: Draws, rules: Rules, out: Flushes) -> None:
    """A flush starts; where the device's time depends on the bytes, they are counted now."""
    now, number = s[START], s[USED]
    cost = draws.write[number] + draws.flush[number]
    if rules.bandwidth:
        look(s, now, now, inserts, rules)
        if s[TARGET] == WHOLE:
            s[TARGET] = position(s, now, rules)
            s[WAITING] = 0
        cost += transfer(s[TARGET] - s[FLUSHED], rules.bandwidth)
    out.starts[number] = now
    s[USED] = number + 1
    s[PHASE], s[DUE] = FLUSHES, after(rules.device, now, cost)


@part
def end(s: Ints, now: int, inserts: Inserts, rules: Rules, out: Flushes) -> None:
    """A flush has ended: what it reached is safe here, and who came meanwhile has the next one."""
    look(s, s[START], now, inserts, rules)
    if s[TARGET] == WHOLE:
        s[TARGET] = position(s, s[START], rules)
        s[WAITING] = 0
    s[FLUSHED] = s[TARGET]
    out.ends[s[ENDED]], out.targets[s[ENDED]] = now, s[TARGET]
    s[ENDED] += 1
    s[PHASE] = FREE
    look(s, now, now, inserts, rules)
    if s[WANTED] > s[FLUSHED]:
        lead(s, now + rules.wakeup, rules)
    if s[FLUSHING]:
        s[FLUSHING], s[ASLEEP], s[WAKES] = 0, 1, now + rules.writer_delay
        if s[NUDGED] and enough(s, rules):
            s[WAKES] = now
    elif s[WANTS_LOCK] and s[PHASE] == FREE:
        s[WANTS_LOCK] = 0
        write_out(s, now, now + rules.wakeup, rules)


@part
def write_out(s: Ints, now: int, start: int, rules: Rules) -> None:
    """The WAL writer flushes whole pages, or else what is asynchronous, or goes back to sleep."""
    reached = position(s, now, rules)
    target = reached - reached % rules.page
    if target <= s[FLUSHED]:
        target = s[ASYNC]
    if target <= s[FLUSHED]:
        s[ASLEEP], s[WAKES] = 1, now + rules.writer_delay
    else:
        s[FLUSHING], s[NUDGED] = 1, 0
        flush_from(s, start, target)


@part
def wake(s: Ints, inserts: Inserts, rules: Rules) -> None:
    """The WAL writer wakes."""
    now = s[WAKES]
    s[ASLEEP] = 0
    if s[PHASE] != FREE:
        s[WANTS_LOCK] = 1
    else:
        look(s, now, now, inserts, rules)
        write_out(s, now, now, rules)


@compiled
def primary_flush(s: Ints, inserts: Inserts, horizon: int, draws: Draws, rules: Rules, out: Flushes) -> bool:
    """All that happens before ``horizon``, by which all ``inserts`` are known; whether draws and room sufficed.

    The state ``s`` is moved on.

    Of equal times, what the holder of the lock does comes first, then an insert, then the WAL writer (`Rank`).
    """
    room = min(len(draws.write), len(draws.flush), len(out.starts), len(out.ends) - 1)
    while s[USED] < room:
        taken = s[TAKEN]
        due = s[DUE] if s[PHASE] != FREE else inserts.time[taken] if taken < len(inserts.time) else NEVER
        if s[ASLEEP] and s[WAKES] < due:
            if s[WAKES] >= horizon:
                return True
            wake(s, inserts, rules)
        elif due >= horizon:
            return True
        elif s[PHASE] == FLUSHES:
            end(s, due, inserts, rules, out)
        elif s[PHASE] == STARTS:
            start(s, inserts, draws, rules, out)
        elif s[PHASE] == SLEEPS:
            delay(s, due, inserts, rules)
        else:
            look(s, due, due, inserts, rules)
            if s[WANTED] > s[FLUSHED]:
                lead(s, due, rules)
    return False
