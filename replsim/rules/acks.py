"""Which standbys a commit waits for: ``synchronous_standby_names``, in PostgreSQL's own grammar.

Source: PostgreSQL ``syncrep.c`` and ``syncrep_gram.y`` (semantics from version 9.6 on, unchanged to 18).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, Self

from replsim.errors import RuleError

__all__ = ["LEVELS", "REMOTE_LEVELS", "Level", "SyncRule"]

Level = Literal["off", "local", "remote_write", "on", "remote_apply"]
"""PostgreSQL's ``synchronous_commit``: how far a commit must get before the client is told."""

LEVELS: Final[tuple[Level, ...]] = ("off", "local", "remote_write", "on", "remote_apply")
REMOTE_LEVELS: Final[tuple[Level, ...]] = ("remote_write", "on", "remote_apply")
"""The levels that wait for a standby's position: its write, its flush, its replay, in this order."""

_TOKEN: Final = re.compile(
    r"""\s*(?:
        (?P<quoted>"(?:[^"]|"")+")
      | (?P<word>[A-Za-z_\x80-\uffff][\w$\x80-\uffff]*|\*)
      | (?P<number>\d+)
      | (?P<mark>[(),])
    )""",
    re.VERBOSE,
)


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
        method: Literal["FIRST", "ANY"] = "ANY" if tokens[0] == _Token("keyword", "ANY") else "FIRST"
        named = tokens[0].kind == "keyword"
        rest = tokens[1:] if named else tokens
        if not named and rest[1:2] != [_OPEN]:
            return cls(method, 1, _names(text, rest))
        if rest[:1] == [] or rest[0].kind != "number" or rest[1:2] != [_OPEN] or rest[-1] != _CLOSE:
            raise RuleError(f"{text!r}: expected a number and a list in brackets, such as '{method} 1 (s1, s2)'")
        count = int(rest[0].text)
        if count < 1:
            raise RuleError(f"{text!r}: the number of synchronous standbys must be at least 1")
        return cls(method, count, _names(text, rest[2:-1]))

    def in_force(self, level: Level) -> Level:
        """The level that a commit waits at: with an empty setting every level above ``off`` is ``local``."""
        return "local" if self.count == 0 and level != "off" else level

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
        names = ", ".join(name if _is_plain(name) else '"' + name.replace('"', '""') + '"' for name in self.names)
        return f"{self.method} {self.count} ({names})" if self.count else ""


class _Token(NamedTuple):
    kind: str
    """``name``, ``number``, ``keyword`` or ``mark``."""
    text: str


_OPEN: Final = _Token("mark", "(")
_CLOSE: Final = _Token("mark", ")")
_COMMA: Final = _Token("mark", ",")


def _tokens(text: str) -> list[_Token]:
    """As PostgreSQL's scanner cuts it: FIRST and ANY are keywords in any case, unless they stand in quotes."""
    tokens = []
    at = 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise RuleError(f'{text!r}: unexpected {text[at:].strip()[0]!r} (quote a name that has it: "my-standby")')
        kind, word = str(match.lastgroup), match.group(str(match.lastgroup))
        if kind == "quoted":
            tokens.append(_Token("name", word[1:-1].replace('""', '"')))
        elif kind == "word" and word.upper() in ("FIRST", "ANY"):
            tokens.append(_Token("keyword", word.upper()))
        else:
            tokens.append(_Token("name" if kind == "word" else kind, word))
        at = match.end()
    return tokens


def _names(text: str, listed: Sequence[_Token]) -> tuple[str, ...]:
    """The names of a list with commas; a number may be a name, a keyword may not."""
    names, commas = listed[::2], listed[1::2]
    if any(name.kind == "keyword" for name in names):
        raise RuleError(f"{text!r}: FIRST and ANY are keywords: put a standby of that name in double quotes")
    if len(listed) % 2 == 0 or any(comma != _COMMA for comma in commas) or any(name.kind == "mark" for name in names):
        raise RuleError(f"{text!r}: expected names separated by commas, such as 'FIRST 1 (s1, s2)'")
    return tuple(name.text for name in names)


def _is_plain(name: str) -> bool:
    match = _TOKEN.fullmatch(name)
    return match is not None and match.lastgroup == "word" and name.upper() not in ("FIRST", "ANY")
