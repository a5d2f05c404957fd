"""Patroni's synchronous modes: whom the manager names, and who may promote.

Source: Patroni 4.1.4, ``ha.py`` (``_process_multisync_replication``, ``process_sync_replication_prepromote``),
``postgresql/sync.py`` and ``quorum.py``, and its page on replication modes.  After that version ``strict`` keeps the
last named standbys, where it names ``*`` here.

Simplification: Patroni changes a quorum in several small steps, in each of which those who can acknowledge overlap with
those who can elect; here it is one step.  A node outside of the voters, which Patroni lets win with one vote more, does
not stand.
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

    def confirmed(self, rule: SyncRule, flushed: Mapping[str, int], since: int) -> SyncKey:
        """Once those named have ``flushed`` what was flushed on the primary at the change, they are members.

        Of ``FIRST n``, for all of whom every commit waits, each by itself; of a quorum, when enough have it.
        """
        if rule.count == 0 or "*" in rule.names:
            return self
        if rule.method == "FIRST":
            sure = [name in self.members or flushed.get(name, -1) >= since for name in rule.names]
            return SyncKey(self.leader, tuple(name for name, each in zip(rule.names, sure, strict=True) if each))
        return SyncKey.settled(self.leader, rule) if rule.released(flushed) >= since else self

    def handed_over(self, winner: str, mode: Mode) -> tuple[SyncKey, SyncRule]:
        """The key and the rule with which the winner begins to reign.

        As many of the voters (the old leader in the winner's place) confirm as could not be asked in an election.
        """
        if mode != "quorum" or not self.members:
            return SyncKey(winner), alone(mode)
        voters = tuple(name for name in (*self.members, self.leader) if name != winner)
        return SyncKey(winner, voters, self.quorum), SyncRule("ANY", len(voters) - self.quorum, voters)

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
