"""Lag as servers report it: against a literal transcription of PostgreSQL's lag tracker, and by hand."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replsim.analysis import metrics
from replsim.analysis.lagtracker import RING, lags, shown
from replsim.analysis.measured import measured_lag
from replsim.analysis.weighted import statistics
from replsim.record import Replies
from replsim.units import NEVER
from tests.analysis.records import DURATION, WARMUP, make_record, make_scenario, random_record


@dataclass
class Tracker:
    """`LagTracker` of walsender.c and its two functions, line by line.  A time of None is the C code's 0."""

    size: int
    last_lsn: int = 0
    write_head: int = 0
    read_heads: list[int] = field(default_factory=lambda: [0, 0, 0])
    buffer: list[tuple[int, int | None]] = field(default_factory=list)
    last_read: list[tuple[int, int | None]] = field(default_factory=lambda: [(0, None)] * 3)

    def __post_init__(self) -> None:
        self.buffer = [(0, None)] * self.size

    def write(self, lsn: int, local_flush_time: int) -> None:
        """`LagTrackerWrite`."""
        if self.last_lsn == lsn:
            return
        self.last_lsn = lsn
        new_write_head = (self.write_head + 1) % self.size
        buffer_full = any(new_write_head == head for head in self.read_heads)
        if buffer_full:
            new_write_head = self.write_head
            if self.write_head > 0:
                self.write_head -= 1
            else:
                self.write_head = self.size - 1
        self.buffer[self.write_head] = (lsn, local_flush_time)
        self.write_head = new_write_head

    def read(self, head: int, lsn: int, now: int) -> int:
        """`LagTrackerRead`."""
        time: int | None = None
        while self.read_heads[head] != self.write_head and self.buffer[self.read_heads[head]][0] <= lsn:
            time = self.buffer[self.read_heads[head]][1]
            self.last_read[head] = self.buffer[self.read_heads[head]]
            self.read_heads[head] = (self.read_heads[head] + 1) % self.size
        if self.read_heads[head] == self.write_head:
            self.last_read[head] = (self.last_read[head][0], None)
        if time is not None and time > now:
            return -1
        if time is None:
            if self.read_heads[head] == self.write_head:
                return -1
            prev_lsn, prev_time = self.last_read[head]
            next_lsn, next_time = self.buffer[self.read_heads[head]]
            assert next_time is not None
            if prev_time is not None:
                if lsn < prev_lsn or prev_time > next_time:
                    return -1
                fraction = (lsn - prev_lsn) / (next_lsn - prev_lsn)
                time = int(prev_time + (next_time - prev_time) * fraction)
            else:
                time = next_time
        return now - time


def _by_the_book(
    notes: list[tuple[int, int]], replies: list[tuple[int, int, int, int]], sent: list[int], size: int
) -> list[list[int]]:
    """What the view shows after each reply (`ProcessStandbyReplyMessage`), -1 for NULL."""
    tracker = Tracker(size)
    view = [-1, -1, -1]
    rows = []
    fully_applied_last_time = False
    waiting = list(notes)
    for (now, *positions), sent_ptr in zip(replies, sent, strict=True):
        while waiting and waiting[0][0] <= now:
            time, lsn = waiting.pop(0)
            tracker.write(lsn, time)
        found = [tracker.read(head, position, now) for head, position in enumerate(positions)]
        clear_lag_times = False
        if positions[2] == sent_ptr:
            if fully_applied_last_time:
                clear_lag_times = True
            fully_applied_last_time = True
        else:
            fully_applied_last_time = False
        for head, lag in enumerate(found):
            if lag != -1 or clear_lag_times:
                view[head] = lag
        rows.append(list(view))
    return rows


@st.composite
def _sessions(draw: st.DrawFn) -> tuple[list[tuple[int, int]], list[tuple[int, int, int, int]]]:
    """Notes with rising times and positions, and replies that lag behind them."""
    gaps = draw(st.lists(st.tuples(st.integers(1, 6), st.integers(1, 20)), max_size=40))
    notes = []
    time = lsn = 0
    for wait, grown in gaps:
        time, lsn = time + wait, lsn + grown
        notes.append((time, lsn))
    positions = [0, 0, 0]
    replies = []
    now = 0
    for wait, *moves in draw(st.lists(st.tuples(*[st.integers(0, 9)] * 4), max_size=40)):
        now += wait
        limit = max((lsn for time, lsn in notes if time <= now), default=0)
        for place, move in enumerate(moves):
            # From not at all to all of it, and never beyond what is ahead of it on the way.
            positions[place] += (limit - positions[place]) * move // 9
            limit = positions[place]
        replies.append((now, *positions))
    return notes, replies


@given(_sessions(), st.sampled_from([3, 4, 8, 64]))
@settings(derandomize=True, deadline=None, max_examples=400)
def test_lag_tracker(session: tuple[list[tuple[int, int]], list[tuple[int, int, int, int]]], ring: int) -> None:
    """The lags are those of PostgreSQL's own code, with rings that fill and rings that do not."""
    notes, replies = session
    at = np.array([time for time, _ in notes], dtype=np.int64)
    lsn = np.array([position for _, position in notes], dtype=np.int64)
    time, write, flush, apply = np.array(replies, dtype=np.int64).reshape(len(replies), 4).T
    sent = [max((position for when, position in notes if when <= now), default=0) for now, *_ in replies]
    found = lags((at, lsn), time, (write, flush, apply), ring)
    view = [shown(lag, apply == np.array(sent, dtype=np.int64)).tolist() for lag in found]
    assert [list(row) for row in zip(*view, strict=True)] == _by_the_book(notes, replies, sent, ring)


def test_a_stalled_replay_fills_the_ring() -> None:
    """With PostgreSQL's own ring of 8192 and a replay that stalls for 9,000 sends, the lags are still its own."""
    count = 12_000
    notes = [(10 * i, 100 * i) for i in range(1, count + 1)]
    replies = []
    for i in range(1, count + 1, 3):
        apply = i if i < 1000 or i > 10_000 else 1000
        replies.append((10 * i + 4, 100 * i, 100 * max(i - 1, 0), 100 * max(apply - 2, 0)))
    at, lsn = (np.array(column, dtype=np.int64) for column in zip(*notes, strict=True))
    time, *positions = (np.array(column, dtype=np.int64) for column in zip(*replies, strict=True))
    sent = [100 * (now // 10) for now, *_ in replies]
    found = lags((at, lsn), time, (positions[0], positions[1], positions[2]))
    view = [shown(lag, positions[2] == np.array(sent)).tolist() for lag in found]
    assert [list(row) for row in zip(*view, strict=True)] == _by_the_book(notes, replies, sent, RING)
    assert max(view[2]) > 10 * 8000
    # Known of PostgreSQL: while the ring is full, the fast positions find no notes and their lag stands still.
    assert len(set(view[0][3200:3300])) == 1


def test_worked_example() -> None:
    """A standby that writes at once, stalls in replay, catches up, then idles: worked by hand from walsender.c.

    Sends at 10 and 20.  At 15 both write and flush have read the first note (lag 5), and apply has a future
    note only (15 - 10).  At 25 apply has reached the first note (25 - 10).  At 30 it is stuck half way to the
    second: interpolated to 15, so 15 again.  At 40 it reads the second (20).  At 60 all is applied once more:
    NULL.
    """
    sent = ([10, 20], [100, 200])
    replies = Replies(
        np.array([15, 25, 30, 40, 60]),
        np.array([100, 200, 200, 200, 200]),
        np.array([100, 100, 200, 200, 200]),
        np.array([0, 100, 150, 200, 200]),
    )
    scenario = make_scenario(warmup="0ns", duration="100ns")
    positions = {"p": {"flush": sent}, "s1": {"sent": sent, "apply": ([20, 35], [100, 200])}}
    record = make_record(
        scenario,
        {"inserted": [8, 18]},
        positions,
        replies={"s1": replies},
    )
    view = {name: value.tolist() for name, (_, value) in measured_lag(record, "s1").items()}
    assert view == {"write": [5, 5, 5, 5, -1], "flush": [5, 5, 10, 10, -1], "replay": [5, 15, 15, 20, -1]}
    found = metrics(record)
    assert found["s1.measured_lag.write.mean"] == pytest.approx(5e-9)
    assert found["s1.measured_lag.replay.mean"] == pytest.approx((5 * 10 + 15 * 15 + 20 * 20) / 45 * 1e-9)
    assert found["measured_lag.replay.max"] == pytest.approx(20e-9)
    assert np.isnan(found["s2.measured_lag.write.p99"])


def test_a_pass_of_several_messages_notes_where_it_will_end() -> None:
    """The walsender's note is the flush position at the pass, even where the message is cut shorter."""
    replies = Replies(*(np.array(column) for column in ([50, 60], [100, 300], [100, 300], [100, 300])))
    positions = {"p": {"flush": ([10], [300])}, "s1": {"sent": ([10, 30], [100, 300])}}
    record = make_record(make_scenario(), {"inserted": [5, 6, 7]}, positions, replies={"s1": replies})
    _, value = measured_lag(record, "s1")["write"]
    assert value.tolist() == [40, 50]  # the only note is that of the pass at 10


@given(st.integers(0, 10**6))
@settings(derandomize=True, deadline=None, max_examples=40)
def test_exporter_lag(seed: int) -> None:
    """The age of the last replayed commit, at every moment, with and without the guard."""
    record = random_record(seed)
    found, log = metrics(record), record.commits.where(record.commits["lsn"] < NEVER)
    flush, apply = record.position("s1", "flush"), record.position("s1", "apply")
    t = np.arange(WARMUP, DURATION) + 0.5
    bare, guarded = [], []
    for moment in t:
        replayed = log["inserted"][log["lsn"] <= apply.at(moment)]
        if len(replayed):
            bare.append(moment - replayed[-1])
            guarded.append(0 if flush.at(moment) == apply.at(moment) else moment - replayed[-1])
    for family, values in (("exporter_lag_unguarded", bare), ("exporter_lag", guarded)):
        expected = np.mean(values) / 1e9 if values else np.nan
        assert found[f"s1.{family}.mean"] == pytest.approx(expected, nan_ok=True)
        largest = (max(values) + (0.5 if max(values) else 0)) / 1e9 if values else np.nan
        assert found[f"s1.{family}.max"] == pytest.approx(largest, nan_ok=True)


@given(st.integers(0, 10**6))
@settings(derandomize=True, deadline=None, max_examples=20)
def test_measured_lag_over_time(seed: int) -> None:
    """The metrics weigh each value shown by how long it was shown, and leave NULL out."""
    record = random_record(seed)
    for column, (time, value) in measured_lag(record, "s2").items():
        looked = [int(value[time <= t][-1]) if (time <= t).any() else -1 for t in range(WARMUP, DURATION)]
        expected = statistics(np.array([v for v in looked if v >= 0], dtype=np.int64), ("mean", "p50", "p99"), 10**9)
        for name, number in expected.items():
            assert metrics(record)[f"s2.measured_lag.{column}.{name}"] == pytest.approx(number, nan_ok=True)
