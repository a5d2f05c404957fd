"""One knob of one scenario."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from dashboard.cluster import Changes

__all__ = ["Knob"]


@dataclass(frozen=True)
class Knob:
    """One thing to turn: its value now, what it can be, and what a turn changes."""

    path: str
    """The place in the scenario, as ``--set`` has it; the widget's key."""
    group: str
    label: str
    help: str
    value: Any
    options: tuple[Any, ...]
    """In order; a quantity's are a ladder of round values and the value itself."""
    show: Callable[[Any], str]
    """A value in words."""
    write: Callable[[Any], Changes]
    """The changes that make it ``value``."""
    ordered: bool = True
    """Whether it is a quantity (a slider) or a choice."""

    def with_option(self, value: Any) -> Knob:
        """The same knob, which can also stand at ``value``."""
        more = sorted({*self.options, value}) if self.ordered else dict.fromkeys([*self.options, value])
        return replace(self, options=tuple(more))
