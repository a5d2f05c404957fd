"""How much WAL a node keeps: what a checkpoint may remove, which slots that costs, and when a disk is full."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

__all__ = ["Retention"]


@dataclass(frozen=True, slots=True)
class Retention:
    """PostgreSQL's settings of what to keep, and the rule that they are.  WAL is kept in whole segments.

    Source: ``xlog.c:KeepLogSeg``, ``xlog.c:CreateCheckPoint`` and ``slot.c:InvalidateObsoleteReplicationSlots``.
    """

    segment: int
    """The bytes of a WAL file (``wal_segment_size``)."""
    wal_keep_size: int = 0
    """What is kept whoever needs it, in bytes."""
    max_slot_wal_keep_size: int | None = None
    """The most that a slot keeps, in bytes; None for as much as it needs."""

    def oldest(self, end: int, redo: int, slots: Collection[int]) -> int:
        """Where the oldest segment begins that is kept when a checkpoint is done whose redo point is ``redo``.

        ``end`` is the end of the WAL, ``slots`` the positions that slots ask to be kept from (``restart_lsn``).
        """
        current = oldest = end // self.segment
        needed = min(slots, default=end)
        if needed < end:
            oldest = needed // self.segment
            if self.max_slot_wal_keep_size is not None:
                oldest = max(oldest, current - self.max_slot_wal_keep_size // self.segment)
        oldest = min(oldest, current - self.wal_keep_size // self.segment, redo // self.segment)
        return max(oldest, 0) * self.segment

    def checkpoint(self, end: int, redo: int, slots: Mapping[str, int]) -> tuple[int, tuple[str, ...]]:
        """What `oldest` is once the slots are gone that ask for something older, and whose slots these are."""
        invalid: dict[str, None] = {}
        while True:
            valid = {name: position for name, position in slots.items() if name not in invalid}
            oldest = self.oldest(end, redo, valid.values())
            found = [name for name, position in valid.items() if position < oldest]
            if not found:
                return oldest, tuple(invalid)
            invalid.update(dict.fromkeys(found))

    def full_beyond(self, oldest: int, size: int) -> int:
        """The position beyond which a disk of ``size`` bytes has no room for a segment, if all from ``oldest`` is kept.

        Files that a checkpoint renames to be used again come before new ones, and need no room of their own.
        """
        return oldest + size // self.segment * self.segment
