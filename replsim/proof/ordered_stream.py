"""An ordered stream with a latency for each message: what is late holds up all that follows.

A commit is released on the standby once its own message and every earlier one have arrived: the running maximum
of the raw arrival times.  Commits come at random (Poisson) times; every key is written at random.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.special import exp1

from replsim.proof.clusters import cluster, exponential, standby
from replsim.proof.estimators import Estimate, batches_in_time, controlled, from_batches
from replsim.proof.form import ClosedForm
from replsim.record import Record
from replsim.scenario import Scenario

__all__ = ["FORMS"]

Floats = NDArray[np.float64]

UNIT: Final = 100_000_000
"""Nanoseconds in the unit of time of these forms (100 ms)."""
SETTLED: Final = 100.0
"""Units of time after which the start is forgotten; as many at the end are left out too."""


def entire_exponential_integral(x: float) -> float:
    """Ein(x) = ln x + γ + E1(x)."""
    return math.log(x) + float(np.euler_gamma) + float(exp1(x))


def release_delay(rate: float, mean: float) -> float:
    """The mean delay of a commit behind the running maximum, with exponential raw delays."""
    load = rate * mean
    return mean * (entire_exponential_integral(load) - math.expm1(-load) / load)


def oldest_age(rate: float, mean: float) -> float:
    """The mean age of the oldest commit that the standby does not have (0 when it has all)."""
    return mean * entire_exponential_integral(rate * mean)


def stale(rate: float, key_rate: float) -> float:
    """The chance that a key is stale, with raw delays of distribution F = 1 − e^{−a}.

    ∫_a^∞ (1 − F) = e^{−a}: the chance that no commit of the last age a still holds up what came before it.
    """

    def fresh(age: float) -> float:
        return key_rate * math.exp(-key_rate * age) * -math.expm1(-age) * math.exp(-rate * math.exp(-age))

    return 1 - quad(fresh, 0, math.inf)[0]


def stale_unordered() -> ClosedForm:
    """Closed form 10, where order makes no difference: every delay is the same."""
    return ClosedForm(
        number=10, name="stale key, constant delay", formula="P = 1 − E[e^{−lD}]", unit="",
        truth=-math.expm1(-0.5), worked=".3935", scenario=_stream("1 key", 1, 1, "50ms", 40_000), estimate=_stale,
    )  # fmt: skip


def in_flight() -> ClosedForm:
    """Closed form 11, as far as order leaves it true: whether anything is under way does not depend on order."""
    return ClosedForm(
        number=11, name="some write in flight", formula="P = 1 − e^{−L E[D]}", unit="",
        truth=-math.expm1(-0.5), worked=".3935",
        scenario=_stream("in flight", 1, 1, exponential("50ms"), 60_000), estimate=_stale,
    )  # fmt: skip


def stale_in_order(rate: int, keys: int, worked: str) -> ClosedForm:
    """Closed form 12."""
    return ClosedForm(
        number=12, name=f"stale key in order, L = {rate}", unit="",
        formula="P = 1 − ∫ l e^{−la} F(a) exp(−L ∫_a^∞ (1 − F)) da",
        truth=stale(rate, rate / keys), worked=worked, scenario=STREAMS[rate], estimate=_stale,
    )  # fmt: skip


def stale_in_order_constant() -> ClosedForm:
    """Closed form 12, with a constant delay."""
    return ClosedForm(
        number=12, name="stale key in order, constant delay", formula="P = 1 − e^{−lD}", unit="",
        truth=-math.expm1(-0.1), scenario=_stream("constant", 10, 100, "100ms", 6_000), estimate=_stale,
    )  # fmt: skip


def release(rate: int, worked: str) -> ClosedForm:
    """Closed form 13."""

    def estimate(records: Sequence[Record]) -> Estimate:
        written = _written(records[0])
        settled = (written.at >= SETTLED) & (written.at < written.end)
        return from_batches((written.released - written.at)[settled])

    return ClosedForm(
        number=13, name=f"in-order release delay, L = {rate}", unit="m",
        formula="m [Ein(Lm) + (1 − e^{−Lm}) / (Lm)]",
        truth=release_delay(rate, 1), worked=worked, scenario=STREAMS[rate], estimate=estimate,
    )  # fmt: skip


def age() -> ClosedForm:
    """Closed form 15: the integral of the age of the first commit that is not there yet."""

    def estimate(records: Sequence[Record]) -> Estimate:
        written = _written(records[0])
        begins = np.maximum(written.at, np.concatenate([[0.0], written.released[:-1]]))

        def integral(until: float) -> float:
            last = np.minimum(written.released, until) - written.at
            first = np.minimum(begins, until) - written.at
            return float(np.sum(last**2 - first**2)) / 2

        return controlled(batches_in_time(integral, SETTLED, written.end), [])

    return ClosedForm(
        number=15, name="age of the oldest commit on its way", formula="m Ein(Lm)", unit="m",
        truth=oldest_age(10, 1), worked="2.8798", scenario=STREAMS[10], estimate=estimate,
    )  # fmt: skip


class Written(NamedTuple):
    """Commits, in units of time."""

    key: NDArray[np.int64]
    at: Floats
    released: Floats
    """When the standby shows it; the end of time where it does not."""
    end: float
    """The end of what is measured: all that was written before has been released."""


def _stream(name: str, rate: int, keys: int, latency: Any, units: int) -> Scenario:
    return cluster(
        name,
        f"{units * UNIT} ns",
        standbys={"s1": standby()},
        links={"p -> s1": {"latency": latency}, "s1 -> p": {"latency": "0s"}},
        writers={"app": {"arrivals": "poisson", "rate": f"{10 * rate}/s", "keys": {"count": keys}}},
    )


STREAMS: Final = {
    1: _stream("a commit a mean delay", 1, 1, exponential("100ms"), 60_000),
    10: _stream("ten commits a mean delay", 10, 100, exponential("100ms"), 16_000),
}


def _written(record: Record) -> Written:
    commits = record.commits
    released = record.position("s1", "apply").crossing(commits["lsn"]) / UNIT
    return Written(commits["key"], commits["flushed"] / UNIT, released, record.scenario.duration / UNIT - SETTLED)


def _stale(records: Sequence[Record]) -> Estimate:
    """The fraction of time for which the last write of a key is not there: what reads at random times find.

    A key is stale from each write until its release, and the keys are averaged.
    """
    written = _written(records[0])
    order = np.argsort(written.key, kind="stable")
    key, at, released = written.key[order], written.at[order], written.released[order]
    same = np.concatenate([[False], key[1:] == key[:-1]])
    begins = np.maximum(at, np.where(same, np.concatenate([[0.0], released[:-1]]), 0.0))
    keys = records[0].scenario.writers["app"].keys
    assert keys is not None

    def integral(until: float) -> float:
        return float(np.sum(np.minimum(released, until) - np.minimum(begins, until))) / keys.count

    return controlled(batches_in_time(integral, SETTLED, written.end), [])


FORMS: Final = (
    stale_unordered(),
    in_flight(),
    stale_in_order(1, 1, ".6321"),
    release(1, "1.4287"),
    stale_in_order(10, 100, ".2519"),
    release(10, "2.9798"),
    age(),
    stale_in_order_constant(),
)
