"""What every study takes besides its question: where its runs happen, where they are kept, who is told."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from replsim.study.conduct import Findings, Plan, carry_out
from replsim.study.executors import Submits, opened
from replsim.study.parcel import Parcel
from replsim.study.progress import Listener
from replsim.study.store import Store

__all__ = ["Conductor", "How", "conductor"]


class How(TypedDict, total=False):
    """How a study is carried out: keywords that `replicate`, `compare`, `sweep`, `search` and `sensitivity` share."""

    engine: str
    """The engine, by name; ``auto`` by default."""
    executor: int | str | Submits
    """A number of processes (1: none besides this one), the address of a Dask scheduler, ``"ray"``, or an executor."""
    store: Store | str | Path | None
    """The file that keeps finished runs, so that they are never computed again; None keeps none."""
    progress: Listener | None
    """Is told after every run; what it raises ends the study."""
    batch: int
    """Runs that travel together: 1, or more on a large cluster."""
    compute: bool
    """False: only look at what the store has."""


@dataclass(frozen=True)
class Conductor:
    """Carries out plans, one after the other, on one executor and into one store."""

    executor: Submits
    store: Store | None
    how: How

    def __call__(self, settings: Sequence[Parcel], seeds: tuple[int, ...], metrics: tuple[str, ...]) -> Findings:
        """Every setting with every seed."""
        return carry_out(
            Plan(settings, seeds, metrics, self.how.get("engine", "auto")),
            executor=self.executor,
            store=self.store,
            progress=self.how.get("progress"),
            batch=self.how.get("batch", 1),
            compute=self.how.get("compute", True),
        )


@contextlib.contextmanager
def conductor(how: How) -> Iterator[Conductor]:
    """The conductor that ``how`` asks for; what it opens it closes."""
    store = how.get("store")
    with contextlib.ExitStack() as stack:
        if isinstance(store, str | Path):
            store = stack.enter_context(Store(Path(store)))
        yield Conductor(stack.enter_context(opened(how.get("executor", 1))), store, how)
