"""A standby as a kernel: walreceiver, replay and replies in one loop over batches, for they wake each other.

The walreceiver drains what has arrived and writes it, replies, flushes all of it once, hands it to replay, and replies
again; replay asks for more replies (PostgreSQL ``walreceiver.c``, ``xlogrecovery.c``; `docs/model.md`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from replsim.engines.stages.kernels.pace import Pace, Stops, after, awake, own, when
from replsim.engines.stages.kernels.wire import LACKING, SECOND, Way, Wire, send, transfer
from replsim.kernels.compiled import compiled, part

__all__ = [
    "Additions",
    "Applied",
    "Batches",
    "Bounds",
    "Draws",
    "Given",
    "Replies",
    "Rules",
    "announce",
    "initial",
    "standby",
]

Ints = NDArray[np.int64]

REPLY_BYTES = 39
"""A standby status update on the wire, as measured."""
NEVER = 2**63 - 1


class Rules(NamedTuple):
    """The settings of a standby."""

    wakeup: int
    status_interval: int
    bandwidth: int
    """Of its WAL device, and of replay: bytes a second; 0 for no limit."""
    replay_bandwidth: int
    apply_delay: int
    per_record: int
    """The cost of a record, or -1 where it is drawn."""
    background_record: int
    """Bytes of a record of background WAL; 0 where there is none."""
    device: Pace
    """How fast its WAL device is, and its replay."""
    replay: Pace
    stops: Stops
    """When its processes stand still."""


class Additions(NamedTuple):
    """What was added to the log from some place on, at least up to all that is delivered."""

    inserted: Ints
    begin: Ints
    """Where its own bytes begin, behind the background WAL before it."""
    end: Ints
    records: Ints
    """WAL records up to its end, ever, the background's with them."""
    commits: NDArray[np.bool_]
    """Whether it is a commit, not a chunk of a transaction that still runs."""
    asks: NDArray[np.bool_]
    """Whether it asks for a reply once it is replayed: those at ``remote_apply``."""


class Draws(NamedTuple):
    """The cost of each write call, of each flush, and of the replay of each record."""

    write: Ints
    flush: Ints
    record: Ints


class Given(NamedTuple):
    """Messages, as they arrive."""

    arrival: Ints
    position: Ints


class Bounds(NamedTuple):
    """How far a call goes."""

    end: int
    """Up to when an idle receiver is seen to, where no message comes after those that are given; else -1."""
    before: int = NEVER
    """Batches whose flush ends then or later are left."""
    replies: int = NEVER
    """The last moment at which a reply is sent: nobody listens any more, or the receiver knows that;"""
    flush_replies: int = NEVER
    """and the same for those at the end of a flush."""


class Batches(NamedTuple):
    """Room for batches: when each was written and its flush began, when that ended, and where the batch ends."""

    written: Ints
    flushed: Ints
    position: Ints


class Applied(NamedTuple):
    """Room for the steps of the applied position, and for the replies that replay will ask for."""

    time: Ints
    lsn: Ints
    asked: Ints


class Replies(NamedTuple):
    """Room for replies: when each was processed by the upstream, and what it reports."""

    time: Ints
    write: Ints
    flush: Ints
    apply: Ints


# What a standby's state holds, by place.  Counts are of what the kernel was given and 0 between two calls.
MESSAGES = 0  # taken
ADDED = 1  # handed to replay, of what was added to the log
BATCHES = 2  # done: each takes one draw of a flush
WRITES = 3  # draws taken
RECORDS = 4  # draws taken
REPLIES = 5  # sent
STEPS = 6  # of the applied position, known
SEEN = 7  # of these, before the last reply
ASKED = 8  # replies to come: from the first,
ASKS = 9  # to the last
FLUSHED = 10  # the position flushed, and when that was
FLUSHED_AT = 11
FREE = 12  # when replay, in its own time, has done all that it was handed,
RECORDS_DONE = 13  # with the records and bytes up to there
BYTES_DONE = 14
APPLIED = 15  # the position applied at the last reply
REPLIED = 16  # when that was
AT_END = 17  # when the reply is due that replay asks for once it has run out of WAL
LINE_FREE = 18  # the wire of the replies
LINE_LAST = 19
LINE_RESUMES = 20
LAST_RECORDS = 21  # the last commit or chunk handed to replay: the records up to its end, and where that is
LAST_END = 22
FIELDS = 23

DONE, WAITING, LACKS = range(3)
"""A batch is done; or it is not known yet what else belongs to it; or draws or room do not suffice."""


def initial() -> Ints:
    """The state at time zero: idle, and nothing has been received."""
    state = np.zeros(FIELDS, dtype=np.int64)
    state[FLUSHED_AT] = -1
    state[AT_END] = NEVER
    return state


@part
def bytes_cost(lsn: int, bandwidth: int) -> int:
    """The time to replay the first ``lsn`` bytes: differences of it add up exactly, however batches are cut."""
    return lsn // bandwidth * SECOND + lsn % bandwidth * SECOND // bandwidth


@part
def reply(s: Ints, time: int, write: int, rules: Rules, wire: Wire, applied: Applied, out: Replies) -> bool:
    """Send a reply; whether draws and room sufficed."""
    n = s[REPLIES]
    way = send(time, REPLY_BYTES, wire, Way(n, s[LINE_FREE], s[LINE_LAST], s[LINE_RESUMES]))
    if way.last == LACKING or n == len(out.time):
        return False
    seen = s[SEEN]
    while seen < s[STEPS] and applied.time[seen] <= time:
        seen += 1
    if seen > s[SEEN]:
        s[SEEN], s[APPLIED] = seen, applied.lsn[seen - 1]
    out.time[n] = way.last + rules.wakeup
    out.write[n], out.flush[n], out.apply[n] = write, s[FLUSHED], min(s[APPLIED], s[FLUSHED])
    s[REPLIES], s[REPLIED] = n + 1, time
    s[LINE_FREE], s[LINE_LAST], s[LINE_RESUMES] = way.free, way.last, way.resumes
    return True


@part
def unprompted(s: Ints, until: int, rules: Rules, wire: Wire, applied: Applied, out: Replies) -> bool:
    """What an idle receiver sends by ``until``: replies that replay asked for, and status replies."""
    while True:
        time = s[AT_END]
        if s[ASKED] < s[ASKS]:
            time = min(time, applied.asked[s[ASKED]])
        if rules.status_interval:
            time = min(time, s[REPLIED] + rules.status_interval)
        # What was due while it stood still is sent, once, when it goes on.
        time = awake(rules.stops, time)
        if time > until or time == NEVER:
            return True
        while s[ASKED] < s[ASKS] and applied.asked[s[ASKED]] <= time:
            s[ASKED] += 1
        if s[AT_END] <= time:
            s[AT_END] = NEVER
        if not reply(s, time, s[FLUSHED], rules, wire, applied, out):
            return False


@part
def idle_until(s: Ints, bounds: Bounds) -> int:
    """The last moment at which an idle receiver replies; it is busy as long as it flushes."""
    return bounds.replies if s[FLUSHED_AT] <= bounds.flush_replies else -1


@part
def whole(last: tuple[int, int], following: int, position: int, added: Additions, rules: Rules) -> tuple[int, int]:
    """Where the last record ends that is whole at ``position``, and how many records there are up to there.

    What stands behind the ``last`` addition, of which this is asked too, is background WAL up to where the
    ``following`` one begins, of which a part may be there.
    """
    end, records = last
    if not rules.background_record:
        return end, records
    if following < len(added.begin):
        position = min(position, added.begin[following])
    behind = (position - end) // rules.background_record
    return end + behind * rules.background_record, records + behind


@part
def replay(s: Ints, time: int, records: int, position: int, rules: Rules, draws: Draws) -> int:
    """Replay on from ``time``, up to so many records and to ``position``; returns the end, or `LACKING`."""
    if rules.per_record >= 0:
        time += rules.per_record * (records - s[RECORDS_DONE])
    else:
        first, s[RECORDS] = s[RECORDS], s[RECORDS] + records - s[RECORDS_DONE]
        if s[RECORDS] > len(draws.record):
            return LACKING
        for number in range(first, s[RECORDS]):
            time += draws.record[number]
    if rules.replay_bandwidth:
        time += bytes_cost(position, rules.replay_bandwidth) - bytes_cost(s[BYTES_DONE], rules.replay_bandwidth)
    s[RECORDS_DONE], s[BYTES_DONE] = records, position
    return time


@part
def may_cost_nothing(s: Ints, position: int, added: Additions, rules: Rules) -> bool:
    """Whether anything that is flushed up to ``position`` may be replayed in no time."""
    if rules.per_record <= 0 or rules.apply_delay:
        return True
    row, end, records = s[ADDED], s[LAST_END], s[LAST_RECORDS]
    while row < len(added.end) and added.end[row] <= position:
        end, records, row = added.end[row], added.records[row], row + 1
    end, records = whole((end, records), row, position, added, rules)
    return records == s[RECORDS_DONE] and (
        not rules.replay_bandwidth
        or bytes_cost(end, rules.replay_bandwidth) == bytes_cost(s[BYTES_DONE], rules.replay_bandwidth)
    )


@part
def hand_over(s: Ints, now: int, position: int, added: Additions, rules: Rules, draws: Draws, applied: Applied) -> bool:
    """Replay takes all that is flushed up to ``position``; whether draws and room sufficed."""
    start = own(rules.replay, now)
    if when(rules.replay, start) < now and may_cost_nothing(s, position, added, rules):
        # Own time stands still: what costs nothing waits all the same until it goes on.
        start += 1
    time = s[FREE] if s[FREE] > start else start + rules.wakeup
    step = s[STEPS]
    while s[ADDED] < len(added.end) and added.end[s[ADDED]] <= position and step < len(applied.time):
        row = s[ADDED]
        if added.commits[row]:
            if rules.apply_delay:
                time = max(time, own(rules.replay, added.inserted[row] + rules.apply_delay))
            time = replay(s, time, added.records[row], added.end[row], rules, draws)
            if time == LACKING:
                return False
            applied.time[step], applied.lsn[step] = when(rules.replay, time), added.end[row]
            step += 1
        s[LAST_RECORDS], s[LAST_END], s[ADDED] = added.records[row], added.end[row], row + 1
    end, records = whole((s[LAST_END], s[LAST_RECORDS]), s[ADDED], position, added, rules)
    time = replay(s, time, records, end, rules, draws)
    if time == LACKING or step == len(applied.time):
        return False
    if step == s[STEPS] or applied.lsn[step - 1] < end:
        applied.time[step], applied.lsn[step] = when(rules.replay, time), end
        step += 1
    s[FREE], s[STEPS] = time, step
    return True


@part
def ask(s: Ints, now: int, row: int, step: int, added: Additions, rules: Rules, applied: Applied) -> bool:
    """Note the replies that the replay of what was added from ``row`` on will ask for; whether there is room."""
    asked = applied.asked
    while s[ASKED] < s[ASKS] and asked[s[ASKED]] <= now:
        s[ASKED] += 1
    for n in range(row, s[ADDED]):
        if added.asks[n]:
            time = applied.time[step]
            if s[ASKED] == s[ASKS] or asked[s[ASKS] - 1] < time:
                if s[ASKS] == len(asked):
                    return False
                asked[s[ASKS]] = time + rules.wakeup
                s[ASKS] += 1
        step += added.commits[n]
    # A receiver that is waking up already for the last commit says that replay has run out, too.
    free = applied.time[s[STEPS] - 1]
    covered = s[ASKED] < s[ASKS] and asked[s[ASKS] - 1] >= free
    s[AT_END] = NEVER if covered else free + rules.wakeup
    return True


@part
def drain(s: Ints, begins: int, given: Given, complete: bool, rules: Rules, draws: Draws) -> tuple[int, int, int]:
    """Write what has arrived by ``begins``, and what arrives before all that is written.

    Returns when all is written, where it ends, and a word on it.
    """
    time, position = begins, s[FLUSHED]
    message, write = s[MESSAGES], s[WRITES]
    while message < len(given.arrival) and (given.arrival[message] <= begins or given.arrival[message] < time):
        if write == len(draws.write):
            return 0, 0, LACKS
        work = draws.write[write]
        if rules.bandwidth:
            work += transfer(given.position[message] - position, rules.bandwidth)
        time = after(rules.device, time, work)
        position = given.position[message]
        message, write = message + 1, write + 1
    if message == len(given.arrival) and not complete:
        return 0, 0, WAITING
    s[MESSAGES], s[WRITES] = message, write
    return time, position, DONE


@part
def batch(
    s: Ints,
    given: Given,
    bounds: Bounds,
    added: Additions,
    draws: Draws,
    wire: Wire,
    rules: Rules,
    applied: Applied,
    out: tuple[Batches, Replies],
) -> int:
    """One batch, from its first message to what it asks of replay."""
    batches, replies = out
    n, row, step = s[BATCHES], s[ADDED], s[STEPS]
    if n == min(len(batches.written), len(draws.flush)):
        return LACKS
    arrival = given.arrival[s[MESSAGES]]
    begins = s[FLUSHED_AT] if arrival <= s[FLUSHED_AT] else arrival + rules.wakeup
    written, position, word = drain(s, begins, given, bounds.end >= 0, rules, draws)
    if word != DONE:
        return word
    if not unprompted(s, min(begins, idle_until(s, bounds)), rules, wire, applied, replies):
        return LACKS
    told = awake(rules.stops, written)
    if told <= bounds.replies and not reply(s, told, position, rules, wire, applied, replies):
        return LACKS
    flushed = awake(rules.stops, after(rules.device, written, draws.flush[n]))
    if flushed >= bounds.before:
        return WAITING
    if not hand_over(s, flushed, position, added, rules, draws, applied):
        return LACKS
    s[FLUSHED], s[FLUSHED_AT] = position, flushed
    if flushed <= bounds.flush_replies and not reply(s, flushed, position, rules, wire, applied, replies):
        return LACKS
    if not ask(s, flushed, row, step, added, rules, applied):
        return LACKS
    batches.written[n], batches.flushed[n], batches.position[n] = written, flushed, position
    s[BATCHES] = n + 1
    return DONE


@part
def copy(source: Ints, target: Ints) -> None:
    """Copy a state."""
    for place in range(FIELDS):
        target[place] = source[place]


@compiled
def standby(
    s: Ints,
    after: Ints,
    given: Given,
    bounds: Bounds,
    added: Additions,
    draws: Draws,
    wire: Wire,
    rules: Rules,
    applied: Applied,
    out: tuple[Batches, Replies],
) -> bool:
    """Every batch that is known in full; whether draws and room sufficed.

    ``s`` and ``after`` are two copies of the state: the first is moved on, batch by batch; the second is room for a
    batch that may turn out not to be known in full.
    """
    word = DONE
    while s[MESSAGES] < len(given.arrival) and word == DONE:
        word = batch(after, given, bounds, added, draws, wire, rules, applied, out)
        if word == DONE:
            copy(after, s)
    if word == DONE and bounds.end >= 0:
        copy(s, after)
        if not unprompted(after, min(bounds.end, idle_until(s, bounds)), rules, wire, applied, out[1]):
            return False
        copy(after, s)
    return word != LACKS


@compiled
def announce(s: Ints, time: int, wire: Wire, rules: Rules, applied: Applied, out: Replies) -> bool:
    """The first reply on a new connection: what it has.  What replay asked for before concerns nobody."""
    s[ASKED], s[AT_END] = s[ASKS], NEVER
    return reply(s, time, s[FLUSHED], rules, wire, applied, out)
