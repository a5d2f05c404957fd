"""Where the runs of a study happen: here, in processes beside this one, on a Dask cluster, with Ray, or wherever.

The seam is ``concurrent.futures.Executor.submit``: anything that has it will do.  `opened` makes one from what a user
says; `width` tells how many runs it does at a time.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from typing import Any, Protocol, TypeVar

from replsim.errors import MissingExtra, StudyError

__all__ = ["Here", "Processes", "Submits", "dask", "opened", "ray", "width"]

T = TypeVar("T")


class Submits(Protocol):
    """What a study needs of an executor."""

    def submit(self, fn: Callable[..., T], /, *arguments: Any) -> Future[T]:
        """Start ``fn(*arguments)``, and give the future of its value."""
        ...


class Here(Executor):
    """One run after the other, in this process."""

    width = 1

    def submit(self, fn: Callable[..., T], /, *arguments: Any, **named: Any) -> Future[T]:
        """Do it now; an interrupt comes out here."""
        future: Future[T] = Future()
        try:
            future.set_result(fn(*arguments, **named))
        except Exception as error:  # noqa: BLE001 - it is the future's, as with every executor
            future.set_exception(error)
        return future


class Processes(Executor):
    """Processes on this machine, started afresh (*spawn*): a pool that broke is replaced at the next submission.

    The processes ignore Ctrl-C, which is this one's to answer, and end when this one has ended, however it did.
    """

    def __init__(self, jobs: int) -> None:
        self.width = jobs
        self._pool: Any = None

    def submit(self, fn: Callable[..., T], /, *arguments: Any, **named: Any) -> Future[T]:
        """Hand it to the next free process."""
        try:
            future: Future[T] = self._started().submit(fn, *arguments, **named)
        except BrokenExecutor:
            self.shutdown()
            future = self._started().submit(fn, *arguments, **named)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = True) -> None:
        """End the processes at once, whatever they are at."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        # Before Python 3.14 a pool has no way of its own to end a run that is under way.
        workers = list((getattr(pool, "_processes", None) or {}).values())
        pool.shutdown(wait=False, cancel_futures=cancel_futures)
        for worker in workers:
            worker.terminate()
        if wait:
            for worker in workers:
                worker.join()

    def _started(self) -> Any:
        if self._pool is None:
            from concurrent.futures import ProcessPoolExecutor
            from multiprocessing import get_context

            self._pool = ProcessPoolExecutor(self.width, mp_context=get_context("spawn"), initializer=_at_start)
        return self._pool


def _at_start() -> None:
    """What a worker process does first."""
    from multiprocessing import parent_process

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    assert parent is not None

    def end_with_it() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=end_with_it, daemon=True).start()


@contextlib.contextmanager
def dask(address: str) -> Iterator[Submits]:
    """An executor on the Dask cluster whose scheduler is at ``address``, such as ``tcp://10.0.0.1:8786``."""
    try:
        from distributed import Client
    except ImportError as error:
        raise MissingExtra("Dask is not installed: pip install 'replsim[dask]'") from error
    try:
        client: Any = Client(address, timeout="20s", set_as_default=False)  # type: ignore[no-untyped-call] # theirs
    except (OSError, ValueError) as error:
        raise StudyError(f"there is no Dask scheduler at {address!r}: {error}") from None
    with client:
        workers = client.scheduler_info(n_workers=-1)["workers"].values()
        if not workers:
            raise StudyError(
                f"the Dask scheduler at {address!r} has no workers: start some with `dask worker {address}`"
            )
        executor = client.get_executor(pure=False)
        executor.width = sum(worker["nthreads"] for worker in workers)
        yield executor


@contextlib.contextmanager
def ray(address: str | None = None) -> Iterator[Submits]:
    """An executor on a Ray cluster, or on one of this machine's that is started for it."""
    try:
        import ray  # type: ignore[import-not-found] # not among what we develop with
    except ImportError as error:
        raise MissingExtra("Ray is not installed: pip install 'replsim[ray]'") from error
    ours = not ray.is_initialized()
    if ours:
        ray.init(address=address, log_to_driver=False)

    class OnRay:
        width = int(ray.cluster_resources().get("CPU", 1))

        def submit(self, fn: Callable[..., T], /, *arguments: Any) -> Future[T]:
            future: Future[T] = ray.remote(fn).remote(*arguments).future()
            return future

    try:
        yield OnRay()
    finally:
        if ours:
            ray.shutdown()


@contextlib.contextmanager
def opened(where: int | Submits | str = 1) -> Iterator[Submits]:
    """The executor that ``where`` asks for, closed at the end if it was made here.

    A number of processes (1: this very process), ``"tcp://…"``: the address of a Dask scheduler, ``"ray"``, or an
    executor, which is left open.
    """
    if isinstance(where, bool) or (isinstance(where, int) and where < 1):
        raise StudyError(f"the number of jobs is at least 1, not {where}")
    if isinstance(where, str):
        with ray() if where == "ray" else dask(where) as executor:
            yield executor
    elif not isinstance(where, int):
        if not hasattr(where, "submit"):
            raise StudyError(f"expected a number of processes or an executor with `submit`, got {where!r}")
        yield where
    elif where == 1:
        yield Here()
    else:
        pool = Processes(where)
        try:
            yield pool
        finally:
            pool.shutdown()


def width(executor: Submits) -> int:
    """How many runs an executor does at a time, as far as it can be known."""
    told = getattr(executor, "width", None) or getattr(executor, "_max_workers", None)
    return int(told) if told else os.cpu_count() or 1
