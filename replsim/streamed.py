"""What a run gives back that kept only its metrics."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import NoReturn

import numpy as np
from typing_extensions import override

from replsim import summary
from replsim.analysis.streamed import Streamed
from replsim.errors import NotInResult
from replsim.result import Provenance, Result

__all__ = ["StreamedResult"]


@dataclass(frozen=True, eq=False)
class StreamedResult(Result):
    """The outcome of a run in sections (``keep="metrics"``): its metrics, and each standby's lag over time.

    Counts, means and largest values are exact, percentiles to within one per cent.  ``record`` is the last section.
    """

    streamed: Streamed

    @property
    @override
    def metrics(self) -> Streamed:
        """Every metric that adds up over time, by name, in SI units."""
        return self.streamed

    @property
    @override
    def commits(self) -> NoReturn:
        """Not kept."""
        self._missing("commits")

    @property
    @override
    def reads(self) -> NoReturn:
        """Not kept."""
        self._missing("reads")

    @property
    @override
    def facts(self) -> NoReturn:
        """Not kept."""
        self._missing("record")

    @property
    @override
    def plot(self) -> NoReturn:
        """Figures need the record."""
        self._missing("record, which figures need")

    @override
    def position(self, node: str, stage: str) -> NoReturn:
        self._missing("positions")

    @override
    def moving(self, metrics: Iterable[str] | None = None) -> list[str]:
        return []

    @override
    def lag_lines(self, width: int) -> dict[str, str]:
        end = self.scenario.duration / 1e9
        lines = {}
        for name, lag in self.streamed.lag.items():
            lines[name] = summary.sparkline((np.arange(len(lag)) + 0.5) * end / len(lag), lag, end, width)
        return lines

    @cached_property
    @override
    def provenance(self) -> Provenance:
        return StreamedProvenance(self.record, self.engine_reason, self.to_json())

    @override
    def __repr__(self) -> str:
        return f"<Result of {self.scenario.name!r}: {len(self.metrics)} metrics, seed {self.seed}>"

    def _missing(self, what: str) -> NoReturn:
        raise NotInResult(f"this run kept only its metrics: it has no {what} (run it with keep='all')")


@dataclass(frozen=True, eq=False)
class StreamedProvenance(Provenance):
    """Where a result without a record comes from: its hash is that of its metrics."""

    metrics: str

    @cached_property
    @override
    def hash(self) -> str:
        return "metrics:" + hashlib.sha256(self.metrics.encode()).hexdigest()
