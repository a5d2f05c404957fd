"""Bins for whole numbers: one for each below 128, and above that 128 for each doubling, so less than one per cent wide.

The bin of a number is read from its leading bits as a floating-point number: no logarithm, no table.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["BELOW", "BINS", "CELL_BITS", "EDGES", "SMALL"]

SMALL: Final = 128
"""Below this each value has a bin of its own."""
CELL_BITS: Final = 45
"""The last bits of a floating-point number, which do not count: seven are left of its fraction."""
BELOW: Final = (1023 + 7 << 7) - SMALL
"""What the leading bits of a number have above its bin."""
BINS: Final = SMALL + (63 - 7 << 7) + 1
EDGES: Final[NDArray[np.float64]] = np.concatenate(
    [np.arange(SMALL), (np.arange(SMALL, BINS + 1) + BELOW << CELL_BITS).view(np.float64)]
)
"""Where each bin begins, and where the last one ends."""
