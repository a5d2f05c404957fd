"""Compile a function over arrays, once, and keep the machine code on disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

import numba

__all__ = ["compiled", "part"]

F = TypeVar("F", bound=Callable[..., Any])

OPTIONS: Final[dict[str, Any]] = {"error_model": "numpy", "nogil": True, "_nrt": False}
"""Divisions are not checked, other threads may run, and arrays are not counted.

Counting who refers to an array costs more than ten times the work of a loop that goes through functions of several
arrays.  Nothing that is compiled here makes an array, so there is nothing to count: whoever calls brings the room.
"""


def compiled(function: F) -> F:
    """``function``, compiled at its first call for the types that it is given; it makes no arrays.

    The machine code is kept beside the source, or in the user's cache folder where that cannot be written to, so
    that only the first call ever pays for it; where neither can be written, each process compiles anew.
    """
    try:
        return cast(F, numba.njit(function, cache=True, **OPTIONS))
    except RuntimeError:  # no place for a cache
        return cast(F, numba.njit(function, **OPTIONS))


def part(function: F) -> F:
    """A part of a function that is `compiled`, compiled together with it."""
    return cast(F, numba.njit(function, forceinline=True, **OPTIONS))
