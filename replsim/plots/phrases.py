"""Words that several readings are put together from."""

from __future__ import annotations

from collections.abc import Sequence

from replsim.summary import show

__all__ = ["listed", "percent"]


def listed(words: Sequence[str]) -> str:
    """Several things as people list them.

    >>> listed(["a"]), listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)


def percent(share: float) -> str:
    """A share in percent.

    >>> percent(0.143)
    '14.3 %'
    """
    return show(share, "1", fraction=True)
