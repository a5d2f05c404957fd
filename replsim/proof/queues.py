"""Waiting in line: a link is a first-come-first-served server of bytes, replay one of records."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from replsim.proof.clusters import SPEED, cluster, exponential, standby
from replsim.proof.estimators import Estimate, from_batches, quantile
from replsim.proof.form import ClosedForm
from replsim.record import Record
from replsim.units import NEVER

__all__ = ["FORMS"]

Floats = NDArray[np.float64]

UNIT: Final = 10_000_000
"""The mean service of the first server, in nanoseconds (10 ms): the unit of time of these forms."""
BYTES: Final = UNIT // 1000
"""What the line carries in that time."""
SETTLED: Final = 5_000
"""Customers after which a queue that began empty has forgotten it."""


def wait(rate: float, second_moment: float) -> float:
    """Pollaczek and Khinchine: the mean wait for a server whose mean service is 1."""
    return rate * second_moment / (2 * (1 - rate))


def sojourn(rate: float, service_rate: float) -> float:
    """Wait and service, with exponential service."""
    return 1 / (service_rate - rate)


def erlang_wait(rate: float, servers: int) -> float:
    """Erlang's C formula: the mean wait for one of several servers of mean service 1."""
    terms = [rate**k / math.factorial(k) for k in range(servers + 1)]
    last = terms[-1] * servers / (servers - rate)
    return last / (math.fsum(terms[:-1]) + last) / (servers - rate)


def mm1_wait() -> ClosedForm:
    """Closed form 1 with exponential service."""
    return ClosedForm(
        number=1, name="wait, M/M/1", formula="Wq = λ E[S²] / 2(1 − ρ)", unit="services",
        truth=wait(0.8, 2.0), worked="4.0",
        scenario=LINE, estimate=lambda records: from_batches(*_first(records[0]).controlled_wait()),
    )  # fmt: skip


def md1_wait() -> ClosedForm:
    """Closed form 1 with constant service."""
    return ClosedForm(
        number=1, name="wait, M/D/1", formula="Wq = λ E[S²] / 2(1 − ρ)", unit="services",
        truth=wait(0.8, 1.0), worked="2.0",
        scenario=_line("a line with records of one size", "1250s", "80/s", "10 kB"),
        estimate=lambda records: from_batches(*_first(records[0], constant=True).controlled_wait()),
    )  # fmt: skip


def mm1_sojourn() -> ClosedForm:
    """Closed form 2, the mean."""

    def estimate(records: Sequence[Record]) -> Estimate:
        served = _first(records[0])
        _, controls = served.controlled_wait()
        return from_batches(served.wait + served.service, controls)

    return ClosedForm(
        number=2, name="sojourn, M/M/1", formula="1 / (μ − λ)", unit="services",
        truth=sojourn(0.8, 1.0), worked="5", scenario=LINE, estimate=estimate,
    )  # fmt: skip


def mm1_sojourn_tail() -> ClosedForm:
    """Closed form 2, the 99th percentile: the sojourn is exponential."""

    def estimate(records: Sequence[Record]) -> Estimate:
        served = _first(records[0])
        total = served.wait + served.service
        # The chance that the tail is reached from a wait: it falls off at the queue's own rate.
        far = float(np.quantile(total, 0.99))
        rising = np.minimum(np.exp((1 - 0.8) * (served.wait - far)), 1.0)
        slope = np.where(served.wait < far, (1 - 0.8) * rising, 0.0)
        return quantile(total, 0.99, [rising * served.excess, slope * served.excess_square])

    return ClosedForm(
        number=2, name="sojourn p99, M/M/1", formula="ln 100 / (μ − λ)", unit="services",
        truth=math.log(100) * sojourn(0.8, 1.0), worked="23.03", scenario=LINE, estimate=estimate,
    )  # fmt: skip


def tandem() -> ClosedForm:
    """Closed form 3: a link, then replay (Burke's theorem)."""

    def estimate(records: Sequence[Record]) -> Estimate:
        record = records[0]
        first = _first(record, rate=0.5)
        replayed = record.position("s1", "apply").crossing(record.commits["lsn"])
        total = _between(record, replayed)
        return from_batches(total[: len(first.wait)], first.controlled_wait()[1])

    return ClosedForm(
        number=3, name="tandem of two", formula="1 / (μ1 − λ) + 1 / (μ2 − λ)", unit="services",
        truth=sojourn(0.5, 1.0) + sojourn(0.5, 0.8), worked="5.3333",
        scenario=_line("a line, then replay", "3000s", "50/s", exponential("10 kB"), exponential("12.5ms")),
        estimate=estimate,
    )  # fmt: skip


def pool() -> ClosedForm:
    """A pool of three connections, each of which executes one transaction at a time (Erlang's C formula)."""

    def estimate(records: Sequence[Record]) -> Estimate:
        commits = records[0].commits
        order = np.argsort(commits["submitted"], kind="stable")
        submitted, started, done = (
            commits[column][order][SETTLED:-SETTLED] / UNIT for column in ("submitted", "started", "acknowledged")
        )
        return from_batches(done - submitted, [done - started - 1])

    return ClosedForm(
        number=0, name="sojourn with 3 connections, M/M/3", formula="1/μ + C(c, a) / (cμ − λ)", unit="services",
        truth=1 + erlang_wait(2.0, 3), estimate=estimate,
        scenario=cluster(
            "a small pool", "1200s",
            writers={"app": {"rate": "200/s", "connections": 3, "execution": exponential("10ms")}},
        ),
    )  # fmt: skip


class Served(NamedTuple):
    """The customers of a server, in order, in its mean services."""

    wait: Floats
    service: Floats
    excess: Floats
    """Service less the gap to the next customer, less the mean of that: independent of the wait."""
    excess_square: Floats
    """The same for the square of that difference."""

    def controlled_wait(self) -> tuple[Floats, list[Floats]]:
        """The waits, and three controls: each has mean zero because draws do not depend on the past."""
        controls = [self.wait * self.excess, self.excess_square]
        if np.ptp(self.service) > 0:
            controls.append(self.service - 1)
        return self.wait, controls


def _line(name: str, duration: str, rate: str, record: Any, replay: Any = "0s") -> Any:
    """Commits at random times, one message each, over a line that carries one byte after the other."""
    return cluster(
        name,
        duration,
        standbys={"s1": standby(replay={"per_record": replay})},
        links={"p -> s1": {"latency": "0s", "bandwidth": SPEED}},
        writers={"app": {"arrivals": "poisson", "rate": rate, "record": record}},
    )


LINE: Final = _line("a line with records of random size", "2500s", "80/s", exponential("10 kB"))


def _between(record: Record, done: NDArray[np.int64]) -> Floats:
    """From the flush of each settled commit to ``done``, in units, of those that are done."""
    shipped = record.position("p", "flush").crossing(record.commits["lsn"])
    finished = int(np.searchsorted(done, NEVER))
    return (done[SETTLED:finished] - shipped[SETTLED:finished]) / UNIT


def _first(record: Record, *, rate: float = 0.8, constant: bool = False) -> Served:
    """The customers of the line."""
    lsn, size = record.commits["lsn"], record.commits["bytes"]
    total = _between(record, record.position("s1", "receive").crossing(lsn))
    count = len(total) - 1
    service = size[SETTLED : SETTLED + count] / BYTES
    shipped = record.position("p", "flush").crossing(lsn[SETTLED : SETTLED + count + 1])
    difference = service - np.diff(shipped) / UNIT
    gap = 1 / rate
    square = (1.0 if constant else 2.0) - 2 * gap + 2 * gap**2
    return Served(total[:count] - service, service, difference - (1 - gap), difference**2 - square)


FORMS: Final = (mm1_wait(), md1_wait(), mm1_sojourn(), mm1_sojourn_tail(), tandem(), pool())
