"""Patroni's synchronous modes: whom the manager names, and who may promote.

Source: Patroni ``ha.py:process_sync_replication``, ``sync.py`` and ``quorum.py``, and its page on replication modes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from replsim.rules.acks import SyncRule

__all__ = ["Mode", "SyncKey", "alone", "named"]

Mode = Literal["on", "strict", "quorum"]


def alone(mode: Mode) -> SyncRule:
    """The rule of a primary that has no synchronous standby: under ``strict`` it waits for any that comes."""
    return SyncRule("FIRST", 1, ("*",)) if mode == "strict" else SyncRule("FIRST", 0, ())


def named(mode: Mode, streaming: Mapping[str, int], before: Sequence[str], count: int) -> SyncRule:
    """The rule that the manager sets: of those ``streaming`` at most ``count``, and of a quorum all.

    Those named ``before`` stay; then those come that have flushed most, and of equals the first.
    """
    kept = [name for name in before if name in streaming]
    best = kept + sorted((name for name in streaming if name not in before), key=lambda name: -streaming[name])
    if not best:
        return alone(mode)
    if mode == "quorum":
        return SyncRule("ANY", min(count, len(best)), tuple(best))
    chosen = tuple(best[:count])
    return SyncRule("FIRST", len(chosen), chosen)


@dataclass(frozen=True, slots=True)
class SyncKey:
    """The store's ``/sync``: who may take over from ``leader``, and how many others a winner must not be behind."""

    leader: str
    members: tuple[str, ...] = ()
    quorum: int = 0

    @classmethod
    def settled(cls, leader: str, rule: SyncRule) -> SyncKey:
        """Those named have all that was ever acknowledged, or, of a quorum, enough of them have it."""
        if rule.count == 0 or "*" in rule.names:
            return cls(leader)
        return cls(leader, rule.names, len(rule.names) - rule.count if rule.method == "ANY" else 0)

    def changing(self, rule: SyncRule) -> SyncKey:
        """From the moment at which a new rule is set, until those that it names have what was flushed by then.

        Members that are not named any more leave before the rule changes, new ones come after it; a quorum is over old
        and new voters together, so that whoever acknowledged under either rule is asked.
        """
        if rule.count == 0 or "*" in rule.names:
            return SyncKey(self.leader)
        if rule.method == "FIRST":
            return SyncKey(self.leader, tuple(name for name in self.members if name in rule.names))
        voters = (*self.members, *(name for name in rule.names if name not in self.members))
        known = len(self.members) - self.quorum
        return SyncKey(self.leader, voters if known else (), len(voters) - min(known, rule.count))

    def electable(self, positions: Mapping[str, int]) -> tuple[str, ...]:
        """Who of those that are reached may take over: the leader itself, and members that are proven to have all."""
        voters = {name: position for name, position in positions.items() if name in self.members}
        return tuple(
            name
            for name, position in positions.items()
            if name == self.leader or (name in voters and self._proven(name, position, voters))
        )

    def _proven(self, name: str, position: int, voters: Mapping[str, int]) -> bool:
        """Whether as many others as could lack what was acknowledged are no further than this one."""
        others = [each for voter, each in voters.items() if voter != name]
        return sum(each <= position for each in others) >= self.quorum
