"""The transactions of a run as their clients saw them: one row each, in columns."""

from __future__ import annotations

from array import array
from typing import Final

import numpy as np
from numpy.typing import NDArray

from replsim.record import OUTCOMES
from replsim.units import NEVER

__all__ = ["FIELDS", "LOCALLY", "PENDING", "TOLD", "UNKNOWN", "Rows"]

FIELDS: Final = (
    "group", "number", "client", "submitted", "started", "sent", "visible", "acknowledged", "learned", "outcome",
)  # fmt: skip
"""Times in nanoseconds since the run's start; ``sent`` is when the statement went off to the server."""

TOLD: Final = OUTCOMES.index("acknowledged")
LOCALLY: Final = OUTCOMES.index("acknowledged_locally")
UNKNOWN: Final = OUTCOMES.index("unknown")
PENDING: Final = OUTCOMES.index("pending")


class Rows:
    """A growing table; a row is known by its place."""

    def __init__(self) -> None:
        self.columns = {field: array("q") for field in FIELDS}

    def add(self, group: int, number: int, client: int, submitted: int) -> int:
        """A new transaction, of which nothing else has happened."""
        row = (group, number, client, submitted, NEVER, NEVER, NEVER, NEVER, NEVER, PENDING)
        for column, value in zip(self.columns.values(), row, strict=True):
            column.append(value)
        return len(self.columns["group"]) - 1

    def result(self) -> dict[str, NDArray[np.int64]]:
        """All of it."""
        return {field: np.array(column, dtype=np.int64) for field, column in self.columns.items()}
