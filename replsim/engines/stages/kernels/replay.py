"""A standby's replay, for its kernel: a serial server behind the standby's flush, which reckons in its own time."""

from __future__ import annotations

from replsim.engines.stages.kernels.pace import own, when
from replsim.engines.stages.kernels.standby_state import (
    ADDED,
    BYTES_DONE,
    FREE,
    LAST_END,
    LAST_RECORDS,
    RECORDS,
    RECORDS_DONE,
    STEPS,
    Additions,
    Applied,
    Draws,
    Ints,
    Rules,
)
from replsim.engines.stages.kernels.wire import LACKING, SECOND
from replsim.kernels.compiled import part

__all__ = ["hand_over", "whole"]


@part
def bytes_cost(lsn: int, bandwidth: int) -> int:
    """The time to replay the first ``lsn`` bytes: differences of it add up exactly, however batches are cut."""
    return lsn // bandwidth * SECOND + lsn % bandwidth * SECOND // bandwidth


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
