"""When work arrives: the one place that turns ``arrivals``, ``rate`` and ``schedule`` into times.

A pure function of a stream's name and seed, used by the engines for writers and by the analysis for readers,
so that both speak of the same arrivals.  Times are whole nanoseconds since the start, never falling, and
several may be equal.  Nothing waits for the answer of what came before: this is the open loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from replsim.randomness.distributions import Distribution, Empirical
from replsim.randomness.streams import Streams, Uniforms
from replsim.units import SECOND

__all__ = ["ArrivalLaw", "Arriving", "BurstLaw", "CurveLaw", "Open", "Users", "arrivals", "user_writes"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

BLOCK: Final = 16_384
"""The most draws made at once: few enough to stay in cache."""
EARLIER: Final = 10
"""Mean gaps before the run at which open-loop users begin."""


class BurstLaw(Protocol):
    """Lengths of the times with and without arrivals, in nanoseconds; they alternate, and the first is on."""

    @property
    def on(self) -> Distribution[int]:
        """How long a burst lasts."""
        ...

    @property
    def off(self) -> Distribution[int]:
        """How long the silence after it lasts."""
        ...


class ArrivalLaw(Protocol):
    """Exactly one of ``process`` (``poisson`` or ``deterministic``), ``bursts`` and ``replayed``."""

    @property
    def process(self) -> str | None:
        """``poisson`` or ``deterministic``."""
        ...

    @property
    def bursts(self) -> BurstLaw | None:
        """Poisson within bursts, at the client's rate."""
        ...

    @property
    def replayed(self) -> Empirical[int] | None:
        """Arrival times, in nanoseconds since the start."""
        ...


class RateAt(Protocol):
    """A rate (per second) at a moment (nanoseconds)."""

    @property
    def at(self) -> int:
        """Nanoseconds since the start (of the period)."""
        ...

    @property
    def rate(self) -> float:
        """Per second."""
        ...


class CurveLaw(Protocol):
    """A rate over time: straight lines between ``points``, the first of which is at 0.

    Without a ``period`` the last rate holds on; with one, the line after the last point leads back to the
    first point's rate at the end of the period.
    """

    @property
    def points(self) -> Sequence[RateAt]:
        """At least one, in order of time."""
        ...

    @property
    def period(self) -> int | None:
        """Nanoseconds, or None."""
        ...


class Open(Protocol):
    """Whoever works in an open loop: a `rate` (per second) or a `schedule` of rates, and a law of arrivals."""

    @property
    def arrivals(self) -> ArrivalLaw:
        """The law."""
        ...

    @property
    def rate(self) -> float | None:
        """A constant rate per second."""
        ...

    @property
    def schedule(self) -> CurveLaw | None:
        """A rate over time, instead of a constant one."""
        ...


class Users(Protocol):
    """Users who each write at their own pace."""

    @property
    def count(self) -> int:
        """How many there are."""
        ...

    @property
    def write_every(self) -> Distribution[int] | None:
        """The time between two writes of one user, in nanoseconds."""
        ...


def arrivals(streams: Streams, name: str, client: Open, until: int) -> Ints:
    """The times in ``[0, until)`` (nanoseconds, int64, never falling) at which work of ``client`` arrives.

    ``name`` is the name of its random stream, such as ``writer:app:arrivals``; bursts also take
    ``{name}:on`` and ``{name}:off``.  A longer ``until`` adds arrivals and changes none.

    - *Poisson*: cumulated exponential gaps, each rounded to a nanosecond once, the first from time 0.
    - *Deterministic*: arrival k (from 1) at k / rate, rounded once from exact arithmetic, so nothing drifts.
      The first comes one gap after the start, as it does on average in a Poisson process.
    - *Schedule*: the arrivals of a process of rate one (unit exponentials, or the whole numbers from 1), carried
      to the times at which the integral of the rate reaches them.
    - *Bursts*: Poisson, on a clock that runs only while a burst is on; the run starts in a burst.
    - *Replayed*: the given times, sorted; nothing comes after the last.
    """
    law = client.arrivals
    if law.replayed is not None:
        times = np.rint(law.replayed._samples.ascending).astype(np.int64)
        return times[times < until]
    curve = _Curve.of(client)
    if law.bursts is not None:
        return _bursts(streams, name, law.bursts, curve, until)
    if client.schedule is None and law.process == "deterministic":
        return _every(Fraction(curve.rates[0]), until)
    if client.schedule is None:
        return _poisson(streams.uniforms(name), curve.rates[0], until)
    total = float(curve.integral(until))
    if law.process == "deterministic":
        return _rounded(curve.inverse(np.arange(1, int(total) + 1, dtype=np.float64)), until)
    return _rounded(curve.inverse(_unit_poisson(streams.uniforms(name), total)), until)


class Arriving:
    """The same times as `arrivals`, stretch after stretch.

    Work at a constant rate is drawn as time goes on; any other law is worked out at once, and kept.
    """

    def __init__(self, streams: Streams, name: str, client: Open, until: int) -> None:
        self._end = until
        self._times = np.empty(0, dtype=np.int64)
        self._uniforms: Uniforms | None = None
        law = client.arrivals
        if law.process == "poisson" and client.schedule is None and client.rate:
            self._uniforms = streams.uniforms(name)
            self._mean = SECOND / client.rate
            self._last = 0
        else:
            self._times = arrivals(streams, name, client, until)

    def until(self, time: int) -> Ints:
        """The next times, before ``time``."""
        blocks = [self._times]
        while self._uniforms is not None and self._last < min(time, self._end):
            blocks.append(_points(self._uniforms, self._mean, BLOCK, self._last))
            self._last = int(blocks[-1][-1])
        if len(blocks) > 1:
            self._times = np.concatenate(blocks)
        count = int(np.searchsorted(self._times, min(time, self._end)))
        now, self._times = self._times[:count], self._times[count:]
        return now


def user_writes(streams: Streams, name: str, users: Users, until: int) -> tuple[Ints, Ints]:
    """The times in ``[0, until)`` at which the users of a session (``session:user``) write, in order, and who does.

    Each user is a renewal process that began ten to eleven mean gaps before the run, at random, so that users are
    out of step from the start: exactly so for a constant or an exponential gap, and nearly for others.  The n-th gap
    of user u, one of ``count``, takes draw ``n * count + u``.
    """
    assert users.write_every is not None
    draws = streams.draws(f"{name}:write_every", users.write_every)
    phase = streams.uniforms(f"{name}:phase").block(users.count)
    mean = users.write_every.mean
    rounds = int(until / max(mean, 1.0) * 1.2) + 2 * EARLIER
    gaps = draws.block(rounds * users.count).reshape(rounds, users.count)
    times = np.cumsum(gaps, axis=0) - np.rint((EARLIER + phase) * mean).astype(np.int64)
    while times[-1].min() < until:
        gaps = draws.block(rounds * users.count).reshape(rounds, users.count)
        times = np.concatenate([times, times[-1] + np.cumsum(gaps, axis=0)])
    who = np.broadcast_to(np.arange(users.count), times.shape)
    within = (times >= 0) & (times < until)
    order = np.lexsort((who[within], times[within]))
    return times[within][order], who[within][order]


def _poisson(uniforms: Uniforms, rate: float, until: int) -> Ints:
    """Cumulated integer exponential gaps of mean 1 / ``rate`` seconds."""
    if rate == 0:
        return np.empty(0, dtype=np.int64)
    mean = SECOND / rate
    blocks: list[Ints] = []
    last = 0
    while last < until:
        count = int((until - last) / mean * 1.01) + 64
        blocks.append(_points(uniforms, mean, min(count, BLOCK), last))
        last = int(blocks[-1][-1])
    times = np.concatenate(blocks)
    return times[: int(np.searchsorted(times, until))]


def _points(uniforms: Uniforms, mean: float, count: int, last: int) -> Ints:
    """The next ``count`` points after ``last`` of a Poisson process: exponential gaps, each rounded once."""
    gaps = uniforms.block(count)
    np.log1p(np.negative(gaps, out=gaps), out=gaps)
    gaps *= -mean
    points = np.rint(gaps, out=gaps).astype(np.int64)
    points[0] += last
    return np.cumsum(points, out=points)


def _unit_poisson(uniforms: Uniforms, total: float) -> Floats:
    """The points in ``(0, total]`` of a Poisson process of rate one."""
    blocks: list[Floats] = []
    last = 0.0
    while last < total:
        count = int((total - last) * 1.01) + 64
        gaps = -np.log1p(-uniforms.block(min(count, 16 * BLOCK)))
        gaps[0] += last
        blocks.append(np.cumsum(gaps))
        last = float(blocks[-1][-1])
    points = np.concatenate(blocks) if blocks else np.empty(0)
    return points[: int(np.searchsorted(points, total, side="right"))]


def _every(rate: Fraction, until: int) -> Ints:
    """Times k / ``rate`` seconds for k = 1, 2, …, each rounded to the nearest nanosecond (halves up)."""
    if rate == 0:
        return np.empty(0, dtype=np.int64)
    # A rate such as 20/min is a float; the nearest simple fraction is what its author meant.
    rate = rate.limit_denominator(1_000_000) or rate
    gap = SECOND / rate
    count = int(until / gap) + 1
    whole, rest = divmod(gap.numerator, gap.denominator)
    small = 2 * (count + 1) * gap.denominator < 2**62
    k = np.arange(1, count + 1, dtype=np.int64 if small else object)
    parts = (2 * k * rest + gap.denominator) // (2 * gap.denominator)
    times = np.asarray(k * whole + parts, dtype=np.int64)
    return times[times < until]


def _bursts(streams: Streams, name: str, bursts: BurstLaw, curve: _Curve, until: int) -> Ints:
    """Unit-rate Poisson points on the integral of the rate over the bursts alone."""
    assert bursts.on.mean > 0, "a burst that never lasts has no arrivals"
    ons, offs = streams.draws(f"{name}:on", bursts.on), streams.draws(f"{name}:off", bursts.off)
    lengths = np.empty(0, dtype=np.int64)
    while lengths.sum() < until:
        pairs = np.stack([ons.block(64), offs.block(64)], axis=1)
        lengths = np.concatenate([lengths, np.minimum(pairs, until).ravel()])
    edges = np.minimum(np.concatenate([[0], np.cumsum(lengths)]), until)
    starts, ends = edges[:-1:2], edges[1::2]
    before = curve.integral(starts)
    done = np.concatenate([[0.0], np.cumsum(curve.integral(ends) - before)])
    points = _unit_poisson(streams.uniforms(name), float(done[-1]))
    burst = np.searchsorted(done, points, side="left") - 1
    # Rounding in the sums must not carry a point past the end of its burst.
    return _rounded(np.minimum(curve.inverse(before[burst] + points - done[burst]), ends[burst]), until)


def _rounded(times: Floats, until: int) -> Ints:
    """Whole nanoseconds that never fall, below ``until``."""
    whole = np.maximum.accumulate(np.rint(times).astype(np.int64)) if len(times) else np.empty(0, dtype=np.int64)
    return whole[whole < until]


class _Curve:
    """A piecewise linear rate and its integral: segment j starts at ``starts[j]`` with ``rates[j]``."""

    def __init__(self, starts: Sequence[int], rates: Sequence[float], period: int | None) -> None:
        self.rates = np.array(rates, dtype=np.float64)
        self._period = period
        self._starts = np.array(starts, dtype=np.float64)
        ends = np.append(self._starts[1:], period if period is not None else self._starts[-1] + SECOND)
        after = np.append(self.rates[1:], self.rates[0] if period is not None else self.rates[-1])
        self._slopes = (after - self.rates) / (ends - self._starts)
        areas = (self.rates + after) / 2 * (ends - self._starts) / SECOND
        sums = np.concatenate([[0.0], np.cumsum(areas)])
        self._done = sums[:-1]
        self._whole = float(sums[-1])

    @classmethod
    def of(cls, client: Open) -> _Curve:
        if client.schedule is not None:
            points = client.schedule.points
            return cls([point.at for point in points], [point.rate for point in points], client.schedule.period)
        assert client.rate is not None, "open-loop work needs a rate or a schedule"
        return cls([0], [client.rate], None)

    def integral(self, time: Ints | int) -> Floats:
        """Arrivals expected in ``[0, time)``."""
        at = np.asarray(time, dtype=np.float64)
        periods = np.zeros_like(at)
        if self._period is not None:
            periods, at = np.divmod(at, self._period)
        j = np.searchsorted(self._starts, at, side="right") - 1
        since = at - self._starts[j]
        within = (self.rates[j] + self._slopes[j] * since / 2) * since / SECOND
        return np.asarray(periods * self._whole + self._done[j] + within)

    def inverse(self, expected: Floats) -> Floats:
        """The first time (nanoseconds) by which so many (above 0, and reached) arrivals are expected."""
        periods = np.zeros_like(expected)
        if self._period is not None:
            periods = np.ceil(expected / self._whole) - 1
            expected = expected - periods * self._whole
        j = np.maximum(np.searchsorted(self._done, expected, side="left") - 1, 0)
        area = np.maximum(expected - self._done[j], 0.0) * SECOND
        rate, slope = self.rates[j], self._slopes[j]
        root = np.sqrt(np.maximum(rate * rate + 2 * slope * area, 0.0))
        # The stable root of  rate t + slope t² / 2 = area;  both terms are 0 only at area 0 of a rising rate.
        since = np.divide(2 * area, rate + root, out=np.zeros_like(area), where=rate + root > 0)
        return np.asarray(periods * (self._period or 0) + self._starts[j] + since)
