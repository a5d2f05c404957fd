"""Named random streams: the same luck for the same name and seed, whatever else a scenario contains.

A stream is keyed by the crc32 of its name, so adding a node shifts no other stream.  Draws are made in
blocks and rounded to integers once; the k-th use of a stream takes its k-th draw, in every engine.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from functools import lru_cache
from itertools import repeat
from typing import Final
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from replsim.randomness.distributions import Distribution
from replsim.units import NEVER

__all__ = ["Draws", "HeldDraws", "Streams"]

BLOCK: Final = 4096
"""Draws a block: large enough that the cost of a call vanishes, small enough to stay in cache."""

LONGEST_KEPT: Final = 1 << 20
"""The most values that a constant keeps: 8 MiB."""


class Streams:
    """All the random streams of one run."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._names: dict[int, str] = {}

    def uniforms(self, name: str) -> Uniforms:
        """The stream of uniforms called ``name``; a name is taken once a run."""
        key = crc32(name.encode())
        assert key not in self._names, f"two streams share a key: {name!r} and {self._names[key]!r}"
        self._names[key] = name
        return Uniforms(np.random.SeedSequence(self.seed, spawn_key=(key,)))

    def draws(self, name: str, distribution: Distribution[int]) -> Draws:
        """Integer draws (nanoseconds or bytes) of ``distribution`` from the stream ``name``."""
        return Draws(self.uniforms(name), distribution)

    def held(self, name: str, distribution: Distribution[int], hold: int) -> HeldDraws:
        """As `draws`, but each draw holds for ``hold`` nanoseconds of simulated time."""
        return HeldDraws(self.draws(name, distribution), hold)

    def shared(self, name: str, distribution: Distribution[int], hold: int) -> HeldDraws:
        """As `held`, from a stream that many share: for each of them draw k comes from the same uniform."""
        key = crc32(name.encode())
        assert self._names.setdefault(key, name) == name, f"two streams share a key: {name!r} and {self._names[key]!r}"
        uniforms = Uniforms(np.random.SeedSequence(self.seed, spawn_key=(key,)))
        return HeldDraws(Draws(uniforms, distribution), hold)


class Uniforms:
    """An endless sequence of uniforms in the open interval (0, 1)."""

    def __init__(self, seed: np.random.SeedSequence) -> None:
        self.phase: Final = float(np.random.Generator(np.random.PCG64(seed.spawn(1)[0])).random())
        self._generator = np.random.Generator(np.random.PCG64(seed))
        self.next = self._one_by_one().__next__
        """The next uniform, as a Python float (use either `next` or `block` of one stream)."""

    def block(self, count: int) -> NDArray[np.float64]:
        """The next ``count`` uniforms.  The shift by half a step keeps 0 out: an inverse cdf may be infinite there."""
        drawn = self._generator.random(count)
        drawn += 2.0**-54
        # The largest of all would round up to 1.
        return np.minimum(drawn, 1 - 2.0**-53, out=drawn)

    def _one_by_one(self) -> Iterator[float]:
        while True:
            yield from self.block(BLOCK).tolist()


class Draws:
    """An endless sequence of integer draws from one distribution: `block` after block, or one by one."""

    def __init__(self, uniforms: Uniforms, distribution: Distribution[int]) -> None:
        self._uniforms = uniforms
        self._distribution = distribution
        self._drawn = 0
        constant = distribution.constant
        self.next = (repeat(constant) if constant is not None else self._one_by_one()).__next__
        """The next draw, as a Python int: bound once, because it stands on the hot path."""

    def block(self, count: int) -> NDArray[np.int64]:
        """The next ``count`` draws."""
        constant = self._distribution.constant
        if constant is not None:
            return _constant(constant).block(count)
        values = self._distribution.values(self._uniforms.block(count), self._drawn, self._uniforms.phase)
        self._drawn += count
        np.rint(values, out=values)
        # A tail without bound (Pareto) is cut where time itself ends.
        return np.minimum(values, NEVER // 4, out=values).astype(np.int64)

    def _one_by_one(self) -> Iterator[int]:
        while True:
            yield from self.block(BLOCK).tolist()


class _Constant:
    """Columns of one value, which nobody writes to: made once for many, unless they are very long."""

    def __init__(self, value: int) -> None:
        self._value = value
        self._kept = np.empty(0, dtype=np.int64)

    def block(self, count: int) -> NDArray[np.int64]:
        kept = self._kept
        if len(kept) < count:
            kept = np.full(count, self._value, dtype=np.int64)
            if count <= LONGEST_KEPT:
                self._kept = kept
        return kept[:count]


_constant = lru_cache(maxsize=16)(_Constant)


class HeldDraws:
    """A value that changes every ``hold`` nanoseconds: window k of simulated time takes draw k."""

    def __init__(self, draws: Draws, hold: int) -> None:
        assert hold > 0
        self.draws: Final = draws
        """Draw k, for window k: whoever takes them in blocks asks here, and not `at`."""
        self._hold = hold
        self._values = array("q")

    def at(self, time: int) -> int:
        """The value at ``time``; a time may lie before the last one, as that of a new connection may."""
        window = time // self._hold
        while len(self._values) <= window:
            self._values.append(self.draws.next())
        return self._values[window]
