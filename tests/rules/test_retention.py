"""What a checkpoint keeps, against counting the segments one by one."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from replsim.rules.retention import Retention

MB = 1_000_000
SEGMENT = 10


def one_by_one(rule: Retention, end: int, redo: int, slots: list[int]) -> int:
    """Walk back from the segment that is written, for as long as anybody wants the one before."""
    oldest = end // SEGMENT
    while oldest > 0:
        before = range((oldest - 1) * SEGMENT, oldest * SEGMENT)
        behind = end // SEGMENT - (oldest - 1)
        recovery = redo <= before[-1]
        kept = behind * SEGMENT <= rule.wal_keep_size
        slot = any(position <= before[-1] for position in slots)
        if rule.max_slot_wal_keep_size is not None and behind * SEGMENT > rule.max_slot_wal_keep_size:
            slot = False
        if not (recovery or kept or slot):
            break
        oldest -= 1
    return oldest * SEGMENT


@given(
    st.integers(0, 200),
    st.integers(0, 200),
    st.lists(st.integers(0, 200), max_size=3),
    st.integers(0, 90),
    st.none() | st.integers(0, 90),
)
@settings(derandomize=True, deadline=None, max_examples=2_000)
def test_what_is_kept_is_what_somebody_wants(
    end: int, redo: int, slots: list[int], keep: int, most: int | None
) -> None:
    """Taking the least of all wishes gives what walking back one segment at a time gives."""
    rule = Retention(SEGMENT, keep, most)
    redo, slots = min(redo, end), [min(each, end) for each in slots]
    assert rule.oldest(end, redo, slots) == one_by_one(rule, end, redo, slots)


def test_with_the_defaults_only_the_checkpoint_keeps_wal() -> None:
    """Without a slot everything before the segment of the redo point goes (wal_keep_size is 0)."""
    assert Retention(16 * MB).oldest(100 * MB, 70 * MB, []) == 64 * MB


def test_a_slot_keeps_all_that_its_standby_lacks() -> None:
    """max_slot_wal_keep_size is unlimited by default: one standby that is away keeps everything from where it was."""
    assert Retention(16 * MB).checkpoint(1_000 * MB, 970 * MB, {"s1": 990 * MB, "s2": 20 * MB}) == (16 * MB, ())


def test_a_slot_beyond_its_limit_is_lost_and_keeps_nothing() -> None:
    """Under max_slot_wal_keep_size = 64 MB a slot 980 MB behind is invalidated; the other keeps what it needs."""
    rule = Retention(16 * MB, max_slot_wal_keep_size=64 * MB)
    kept, lost = rule.checkpoint(1_000 * MB, 999 * MB, {"s1": 970 * MB, "s2": 20 * MB})
    assert (kept, lost) == (960 * MB, ("s2",))


def test_a_slot_is_valid_for_as_long_as_its_segment_is_there() -> None:
    """The limit removes segments, not slots: what wal_keep_size or the checkpoint keeps is there for the slot too."""
    rule = Retention(16 * MB, wal_keep_size=800 * MB, max_slot_wal_keep_size=64 * MB)
    assert rule.checkpoint(1_000 * MB, 999 * MB, {"s1": 200 * MB}) == (192 * MB, ())


def test_the_disk_is_full_when_the_next_segment_finds_no_room() -> None:
    """A disk of 100 MB holds six segments of 16 MB: from 32 MB on, up to 128 MB."""
    assert Retention(16 * MB).full_beyond(32 * MB, 100 * MB) == 128 * MB
