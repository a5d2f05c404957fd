"""A standby as a kernel: walreceiver, replay and replies in one loop over batches, for they wake each other.

The walreceiver drains what has arrived and writes it, replies, flushes all of it once, hands it to replay, and replies
again; replay asks for more replies (PostgreSQL ``walreceiver.c``, ``xlogrecovery.c``; `docs/model.md`).
"""

from __future__ import annotations

from replsim.engines.stages.kernels.pace import after, awake
from replsim.engines.stages.kernels.replay import hand_over, whole
from replsim.engines.stages.kernels.standby_state import (
    ADDED,
    APPLIED,
    ASKED,
    ASKS,
    AT_END,
    BATCHES,
    BYTES_DONE,
    FIELDS,
    FLUSHED,
    FLUSHED_AT,
    FREE,
    LAST_END,
    LAST_RECORDS,
    LINE_FREE,
    LINE_LAST,
    LINE_RESUMES,
    MESSAGES,
    NEVER,
    RECORDS_DONE,
    REPLIED,
    REPLIES,
    SEEN,
    STEPS,
    WRITES,
    Additions,
    Applied,
    Batches,
    Bounds,
    Draws,
    Given,
    Ints,
    Replies,
    Rules,
)
from replsim.engines.stages.kernels.wire import LACKING, Way, Wire, send, transfer
from replsim.kernels.compiled import compiled, part

__all__ = ["announce", "begin_anew", "standby"]

REPLY_BYTES = 39
"""A standby status update on the wire, as measured."""
DONE, WAITING, LACKS, DIES = range(4)
"""A batch is done; it is not known yet what else belongs to it; draws or room do not suffice; it is never done."""


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
        if not bounds.dies:
            return WAITING
        batches.written[n], batches.flushed[n], batches.position[n] = written, NEVER, position
        s[BATCHES] = n + 1
        return DIES
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
        if word in (DONE, DIES):
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


@compiled
def begin_anew(s: Ints, position: int, added: Additions, rules: Rules) -> int:
    """A standby starts again with ``position`` on its disk, all of which it replays; returns how far that is."""
    while s[ADDED] < len(added.end) and added.end[s[ADDED]] <= position:
        s[LAST_RECORDS], s[LAST_END] = added.records[s[ADDED]], added.end[s[ADDED]]
        s[ADDED] += 1
    end, records = whole((s[LAST_END], s[LAST_RECORDS]), s[ADDED], position, added, rules)
    s[FREE], s[RECORDS_DONE], s[BYTES_DONE] = 0, records, end
    s[APPLIED], s[FLUSHED], s[FLUSHED_AT] = end, position, -1
    s[STEPS], s[SEEN], s[ASKS], s[ASKED], s[AT_END] = 0, 0, 0, 0, NEVER
    return end
