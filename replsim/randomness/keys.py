"""Which row is touched: key numbers by the popularity law of ``keys``, one uniform a key."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from replsim.randomness.streams import Uniforms

__all__ = ["KeyDraws", "KeyLaw"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

TABLE: Final = 2**20
"""Keys whose cumulated weights are tabulated; the rare ones after them are drawn by a formula (8 MB bound)."""
BLOCK: Final = 4096


class KeyLaw(Protocol):
    """Key k of ``count`` (from 0) has weight ``(k + 1) ** -zipf``."""

    @property
    def count(self) -> int:
        """The number of keys."""
        ...

    @property
    def zipf(self) -> float:
        """The exponent; 0 is uniform."""
        ...


class KeyDraws:
    """An endless sequence of keys: `block` after block, or one by one with `next`, from one stream.

    The inverse cdf: the key is the first whose cumulated weight passes the uniform, so more popular keys have
    smaller numbers, and two runs with one seed touch the same rows.  Use either `block` or `next` on one value.
    """

    def __init__(self, uniforms: Uniforms, keys: KeyLaw, *, table: int = TABLE) -> None:
        self._uniforms = uniforms
        self._count = keys.count
        self._zipf = keys.zipf
        self._table = min(table, keys.count)
        self.next = self._one_by_one().__next__
        """The next key, as a Python int."""

    def block(self, count: int) -> Ints:
        """The next ``count`` keys (int64)."""
        u = self._uniforms.block(count)
        if self._zipf == 0:
            return np.minimum((u * self._count).astype(np.int64), self._count - 1)
        weights = _cumulated(self._table, self._zipf)
        tail = _tail_weight(self._table, self._count, self._zipf)
        mass = u * (weights[-1] + tail)
        keys: Ints = np.searchsorted(weights, mass, side="right").astype(np.int64)
        rare = keys >= self._table
        if rare.any():
            keys[rare] = self._rare(mass[rare] - weights[-1])
        return keys

    def _rare(self, mass: Floats) -> Ints:
        """Keys beyond the table: the sum of their weights is inverted as an integral (the midpoint rule)."""
        start, power = self._table + 0.5, 1 - self._zipf
        # Near an exponent of 1 the powers alone would cancel.
        growth = mass if power == 0 else np.log1p(power * mass / start**power) / power
        at = start * np.exp(growth)
        return np.clip(np.ceil(at - 0.5).astype(np.int64), self._table + 1, self._count) - 1

    def _one_by_one(self) -> Iterator[int]:
        while True:
            yield from self.block(BLOCK).tolist()


@lru_cache(maxsize=8)
def _cumulated(count: int, zipf: float) -> Floats:
    weights = np.cumsum(np.arange(1, count + 1, dtype=np.float64) ** -zipf)
    weights.setflags(write=False)
    return weights


def _tail_weight(table: int, count: int, zipf: float) -> float:
    """The weight of ranks ``table`` + 1 to ``count``; relative error below 1e-12 for a full table."""
    if count <= table:
        return 0.0
    start, end, power = table + 0.5, count + 0.5, 1 - zipf
    ratio = float(np.log(end / start))
    return ratio if power == 0 else float(start**power * np.expm1(power * ratio) / power)
