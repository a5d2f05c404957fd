"""Compile a function over arrays, once, and keep the machine code on disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

__all__ = ["compiled"]

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """``function``, compiled at its first call for the types that it is given.

    The machine code is kept beside the source, or in the user's cache folder where that cannot be written to, so
    that only the first call ever pays for it; where neither can be written, each process compiles anew.
    """
    try:
        return cast(F, numba.njit(function, cache=True, error_model="numpy", nogil=True))
    except RuntimeError:  # no place for a cache
        return cast(F, numba.njit(function, error_model="numpy", nogil=True))
