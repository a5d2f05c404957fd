"""WAL that is kept, and WAL that is gone, in scenarios of the swarm."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

__all__ = ["retain"]

T = TypeVar("T")


class Dice(Protocol):
    """Random choices."""

    def chance(self, probability: float) -> bool:
        """Heads or tails."""

    def pick(self, *options: T) -> T:
        """One of them."""

    def time(self, low: int, high: int) -> str:
        """A duration of ``low`` to ``high`` tenths of a millisecond."""


def retain(dice: Dice, fields: dict[str, Any]) -> None:
    """So much WAL that files of it are removed, and perhaps somebody who keeps it, or brings it back."""
    fields["background"] = {"wal": "150 MB/s", "record": "50 kB"}
    fields["primary"] |= {"wal_segment_size": "1 MiB", "wal_keep_size": dice.pick("0 B", "0 B", "2 MiB")}
    if dice.chance(0.3):
        fields["primary"]["max_slot_wal_keep_size"] = dice.pick("0 B", "2 MiB")
    if dice.chance(0.3):
        cleared = {"cleared_after": "5ms"} if dice.chance(0.7) else {}
        fields["primary"]["wal_device"] |= {"size": "6 MiB"} | cleared
    if dice.chance(0.3):
        fields["archive"] = {"bandwidth": "600 MB/s"}
    for standby in fields["standbys"].values():
        standby["slot"] = dice.chance(0.5)
        if dice.chance(0.5):
            standby["rebuild"] = {"after": dice.time(0, 20), "data": "1 MB", "bandwidth": "300 MB/s"}
