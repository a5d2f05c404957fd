"""Random draws as kernels take them: from an array, the next one first."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from replsim.randomness import Distribution, HeldDraws, Streams

__all__ = ["Feed", "Held", "draws", "uniforms"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
V = TypeVar("V", np.int64, np.float64)

BLOCK: Final = 4096
"""The fewest draws made at once."""


class _Rest(Generic[V]):
    """The draws of a stream from some place on: whoever takes them from here gets the same."""

    def __init__(self, block: Callable[[int], NDArray[V]]) -> None:
        self._block: Callable[[int], NDArray[V]] = block
        self._taken: tuple[NDArray[V], _Rest[V]] | None = None

    def take(self, count: int) -> tuple[NDArray[V], _Rest[V]]:
        """The next draws, ``count`` of them unless they have been made already, and the rest."""
        if self._taken is None:
            self._taken = self._block(count), _Rest(self._block)
        return self._taken


class Feed(Generic[V]):
    """An endless sequence of draws, of which kernels say how many they used.  A copy goes on with the same draws."""

    def __init__(self, block: Callable[[int], NDArray[V]], *, constant: bool = False) -> None:
        self._constant = constant
        self._values: NDArray[V] = block(0)
        self._rest: _Rest[V] = _Rest(block)
        self._first = 0

    def __deepcopy__(self, _: object) -> Feed[V]:
        return copy(self)  # what it holds is never changed in place

    def at_least(self, count: int) -> NDArray[V]:
        """The next draws, ``count`` of them or more."""
        while (lacking := count - (len(self._values) - self._first)) > 0:
            fresh, self._rest = self._rest.take(max(lacking, BLOCK))
            rest = self._values[self._first :]
            self._values = np.concatenate([rest, fresh]) if len(rest) else fresh
            self._first = 0
        return self._values[self._first :]

    def used(self, count: int) -> None:
        """The first ``count`` of them have been used."""
        if not self._constant:
            self._first += count


class Held:
    """Draws that hold for a stretch of time each: that of number k is draw k."""

    def __init__(self, draws: HeldDraws, hold: int) -> None:
        self._feed: Feed[np.int64] = Feed(draws.draws.block)
        self.hold = hold
        self.first = 0
        """The number of the stretch whose draw comes first."""

    def until(self, time: int) -> Ints:
        """The draws of the stretches from `first` on, up to ``time`` or further."""
        return self._feed.at_least(time // self.hold + 1 - self.first)

    def passed(self, time: int) -> None:
        """Nothing before ``time`` will be asked for any more."""
        stretch = time // self.hold
        if stretch > self.first:
            self._feed.used(stretch - self.first)
            self.first = stretch


def draws(streams: Streams, name: str, distribution: Distribution[int]) -> Feed[np.int64]:
    """The draws of ``distribution`` from the stream ``name``."""
    return Feed(streams.draws(name, distribution).block, constant=distribution.constant is not None)


def uniforms(streams: Streams, name: str) -> Feed[np.float64]:
    """The uniforms of the stream ``name``."""
    return Feed(streams.uniforms(name).block)
