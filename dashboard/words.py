"""Words on the page: the glossary on hover, and text of users that is shown as it is."""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Final

__all__ = ["glossary", "hovers", "plain"]

_HERE: Final = Path(__file__).resolve().parent
_ROW: Final = re.compile(r"^\| (\*\*.+?) \| (.+) \|$", re.MULTILINE)
_UNIT: Final = re.compile(r"(?<=\d) (?=(?:[nµm]?s|min|h|d|[kMGT]?B)\b|%)")
"""The space between a number and its unit, at which no line ends."""
_TERM: Final = re.compile(r"\*\*(.+?)\*\*")


@lru_cache(maxsize=1)
def glossary() -> dict[str, str]:
    """Every term of the glossary in lower case, with its meaning; the page itself is ``docs/glossary.md``."""
    shipped = _HERE / "glossary.md"
    page = shipped if shipped.is_file() else _HERE.parent / "docs" / "glossary.md"
    rows = reversed(_ROW.findall(page.read_text(encoding="utf-8")))
    return {term.lower(): _bare(meaning.split(" | ")[-1]) for terms, meaning in rows for term in _TERM.findall(terms)}


def hovers(text: str) -> str:
    """Text of ours as HTML, in which the first use of each term of the glossary explains itself on hover.

    Everything in it is escaped: a node's name cannot be markup.
    """
    told: set[str] = set()

    def explained(match: re.Match[str]) -> str:
        word = match.group()
        term = _term(word)
        if term is None or term in told:
            return word
        told.add(term)
        return f'<abbr title="{escape(glossary()[term])}">{word}</abbr>'

    return _words().sub(explained, _UNIT.sub("\u00a0", escape(text, quote=False)))


def plain(text: str) -> str:
    """Text as Streamlit's Markdown shows it unchanged: no link, no image, no emphasis comes of it."""
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|<>~:$])", r"\\\1", text)


def _bare(markdown: str) -> str:
    return re.sub(r"\*\*|(?<!\w)\*|\*(?!\w)|`", "", markdown)


def _term(word: str) -> str | None:
    """The glossary's term for a word, also in the plural."""
    low = word.lower()
    return next((each for each in (low, low.removesuffix("s")) if each in glossary()), None)


@lru_cache(maxsize=1)
def _words() -> re.Pattern[str]:
    terms = sorted(glossary(), key=len, reverse=True)
    return re.compile(r"\b(?:" + "|".join(map(re.escape, terms)) + r")s?\b", re.IGNORECASE)
