"""How far a study has come: told after every run, and what is asked of it may end the study."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from replsim.study.runs import Outcome

__all__ = ["Listener", "Progress"]


@dataclass(slots=True)
class Progress:
    """The state of a study under way; the same object is told again and again."""

    total: int
    """The runs of the study."""
    computed: int = 0
    """Runs that were done now."""
    stored: int = 0
    """Runs that had been done before."""
    failed: int = 0
    """Runs that went wrong."""
    latest: Outcome | None = None
    """The run that has just come."""
    started: float = field(default_factory=time.monotonic)
    """When it began, on the monotonic clock (s)."""

    @property
    def done(self) -> int:
        """Runs that need no more work."""
        return self.computed + self.stored + self.failed

    @property
    def rate(self) -> float:
        """Runs computed a second, so far."""
        elapsed = time.monotonic() - self.started
        return (self.computed + self.failed) / elapsed if elapsed > 0 else 0.0

    @property
    def left(self) -> float:
        """Seconds to the end, if it goes on like this; NaN before the first run has come."""
        return (self.total - self.done) / self.rate if self.rate else math.nan


Listener = Callable[[Progress], None]
"""Is told how far a study is, after every run; what it raises ends the study and keeps what is finished."""
