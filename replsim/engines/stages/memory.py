"""What the C library does with memory that is given back."""

from __future__ import annotations

import contextlib
import ctypes
from functools import cache
from typing import Final

__all__ = ["keep_freed_memory"]

TRIM_THRESHOLD: Final = -1
MMAP_THRESHOLD: Final = -3
"""Numbers of glibc's ``mallopt``."""
KEPT: Final = 128 << 20
"""So much free memory at the end of the heap is kept, in bytes."""
LARGE: Final = 32 << 20
"""Blocks from this size on are the system's again at once, in bytes."""


@cache
def keep_freed_memory() -> None:
    """Ask glibc to keep some of what is freed; another C library is left alone.

    Sections take and free the same few megabytes over and over.  Given back to the system each time, every page of
    them comes anew, as a fault: that was a tenth of a run (decision 0017).
    """
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(TRIM_THRESHOLD, KEPT)
        mallopt(MMAP_THRESHOLD, LARGE)
