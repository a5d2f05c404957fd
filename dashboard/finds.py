"""A search for the best settings, in the background."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from dashboard import warmup
from replsim.errors import RunCancelled
from replsim.scenario import Scenario
from replsim.study.progress import Progress
from replsim.study.search import Search, search

__all__ = ["MOST_SETTINGS", "Finding"]

MOST_SETTINGS: Final = 64
_pool: Final = ThreadPoolExecutor(1, thread_name_prefix="find")


@dataclass
class Finding:
    """A search under way: how far it is, and how to end it."""

    future: Future[Search] = field(init=False)
    share: float = 0.0
    cancelled: bool = False

    def start(
        self,
        scenario: Scenario,
        space: Mapping[str, Sequence[str]],
        where: Sequence[str],
        goals: Sequence[str],
        seeds: int,
    ) -> Finding:
        """Try every setting of the space, in the background; goals are to be small."""
        self.future = _pool.submit(
            search, scenario, dict(space), where=where, minimize=goals, seeds=seeds, progress=self._told,
            engine=warmup.engine(),
        )  # fmt: skip
        return self

    def _told(self, progress: Progress) -> None:
        if self.cancelled:
            raise RunCancelled("cancelled")
        self.share = progress.done / max(progress.total, 1)

    def cancel(self) -> None:
        """End it after the run that is under way."""
        self.cancelled = True
        self.future.cancel()
