"""Which standbys a commit waits for: ``synchronous_standby_names``, in PostgreSQL's own grammar.

Source: PostgreSQL ``syncrep.c`` and ``syncrep_gram.y`` (semantics from version 9.6 on, unchanged to 18).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Self

from replsim.errors import RuleError

__all__ = ["LEVELS", "REMOTE_LEVELS", "Level", "SyncRule"]

Level = Literal["off", "local", "remote_write", "on", "remote_apply"]
"""PostgreSQL's ``synchronous_commit``: how far a commit must get before the client is told."""

LEVELS: Final[tuple[Level, ...]] = ("off", "local", "remote_write", "on", "remote_apply")
REMOTE_LEVELS: Final[tuple[Level, ...]] = ("remote_write", "on", "remote_apply")
"""The levels that wait for a standby's position: its write, its flush, its replay, in this order."""

_TOKEN: Final = re.compile(r"""\s*(?:(?P<name>"(?:[^"]|"")+"|[A-Za-z_\x80-\uffff][\w$\x80-\uffff]*|\*)|(?P<number>\d+)|(?P<mark>[(),]))""")


@dataclass(frozen=True, slots=True)
class SyncRule:
    """A parsed ``synchronous_standby_names``.  ``count`` 0 stands for the empty setting: nobody waits.

    ``names`` is in order of priority and may hold ``*``, which matches every standby.
    """

    method: Literal["FIRST", "ANY"]
    count: int
    names: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``FIRST n (…)``, ``ANY n (…)``, ``n (…)``, a bare list, ``*`` or nothing.

        Names compare without regard to case and may stand in double quotes.  Raises `RuleError`.

        >>> SyncRule.parse("ANY 1 (s1, s2)")
        SyncRule(method='ANY', count=1, names=('s1', 's2'))
        >>> SyncRule.parse("s1, s2")
        SyncRule(method='FIRST', count=1, names=('s1', 's2'))
        """
        tokens = _tokens(text)
        if not tokens:
            return cls("FIRST", 0, ())
        method: Literal["FIRST", "ANY"] = "FIRST"
        count = 1
        listed = tokens
        if len(tokens) > 1 and tokens[1].isdigit() and tokens[0].upper() in ("FIRST", "ANY"):
            method = "ANY" if tokens[0].upper() == "ANY" else "FIRST"
            tokens = tokens[1:]
        if tokens[0].isdigit():
            count = int(tokens[0])
            if tokens[1:2] != ["("] or tokens[-1] != ")":
                raise RuleError(f"{text!r}: a number needs a list in brackets, such as '{method} {count} (s1, s2)'")
            listed = tokens[2:-1]
        if count < 1:
            raise RuleError(f"{text!r}: the number of synchronous standbys must be at least 1")
        names, commas = listed[::2], listed[1::2]
        if len(listed) % 2 == 0 or any(comma != "," for comma in commas) or any(name in "(),<" for name in names):
            raise RuleError(f"{text!r}: expected names separated by commas, such as 'FIRST 1 (s1, s2)'")
        return cls(method, count, tuple(_unquoted(name) for name in names))

    def priority(self, standby: str) -> int:
        """The 1-based place of ``standby`` in the list, or 0 where it is no candidate (``syncrep.c``)."""
        for place, name in enumerate(self.names, 1):
            if name == "*" or name.lower() == standby.lower():
                return place
        return 0

    def candidates(self, standbys: Sequence[str]) -> tuple[str, ...]:
        """The standbys that may be synchronous, best priority first (ties in the given order)."""
        ranked = [(self.priority(standby), place, standby) for place, standby in enumerate(standbys)]
        return tuple(standby for priority, _, standby in sorted(ranked) if priority)

    def position(self, reported: Sequence[int]) -> int:
        """The position up to which commits are released, or -1 where too few candidates are there.

        ``reported`` holds what each candidate has *reported*, best priority first: what the primary acts on is
        what it was told.  FIRST takes the minimum over the ``count`` best priorities
        (``SyncRepGetOldestSyncRecPtr``), ANY the ``count``-th largest (``SyncRepGetNthLatestSyncRecPtr``).
        """
        if not 0 < self.count <= len(reported):
            return -1
        if self.method == "ANY":
            return sorted(reported)[-self.count]
        return min(reported[: self.count])

    def released(self, reported: Mapping[str, int]) -> int:
        """As `position`, by the names of the standbys that are connected and streaming."""
        return self.position([reported[standby] for standby in self.candidates(tuple(reported))])

    def __str__(self) -> str:
        return f"{self.method} {self.count} ({', '.join(self.names)})" if self.count else ""


def _tokens(text: str) -> list[str]:
    tokens = []
    at = 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise RuleError(f"{text!r}: unexpected {text[at:].strip()[0]!r} (quote a name that has it: \"my-standby\")")
        tokens.append(match.group().strip())
        at = match.end()
    return tokens


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name
