"""Loops over arrays, compiled: what NumPy would need many passes for.  The one place that knows the compiler.

`replsim.kernels.places` and `replsim.kernels.steps` give the same with and without it.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib.util import find_spec
from typing import Final

__all__ = ["worth_compiling"]

LARGE: Final = 1_000_000
"""So many values make up for loading the compiler."""


def worth_compiling(size: int) -> bool:
    """Whether a loop over ``size`` values is best a compiled one: the compiler is loaded already, or worth loading."""
    return "numba.core.decorators" in sys.modules or (size >= LARGE and _installed())


@cache
def _installed() -> bool:
    return find_spec("numba") is not None
