"""Guesses at what was meant by a word that is not known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["closest", "did_you_mean"]


def closest(word: str, known: Iterable[str]) -> str | None:
    """The one of ``known`` that ``word`` was probably meant to be, or None.

    >>> closest("p999", ["median", "p99"])
    'p99'
    """
    folded = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), folded, n=1, cutoff=0.6)
    return folded[near[0]] if near else None


def did_you_mean(word: str, known: Iterable[str], noun: str = "known") -> str:
    """The end of a message: ``, did you mean 'p99'?`` where one is near, else a list of what is known."""
    names = list(known)
    near = closest(word, names)
    if near is not None:
        return f", did you mean {near!r}?"
    return f" ({noun}: {', '.join(names) or 'none'})"
