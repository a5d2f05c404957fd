"""Clients who wait for their own answers, and the group commit that they fill."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from replsim.proof.clusters import FREE, cluster, exponential, standby
from replsim.proof.estimators import Estimate, batches_in_time, controlled, exactly, from_batches
from replsim.proof.form import ClosedForm
from replsim.record import Record
from replsim.units import SECOND

__all__ = ["FORMS", "group_commit"]

UNIT: Final = 10_000_000
"""The time of a flush, in nanoseconds (10 ms): the unit of time of these forms."""
SETTLED: Final = 100.0
"""Units of time after which the start is forgotten."""


def group_commit(clients: int, flush: float, think: float) -> float:
    """Commits per unit of time of clients who think for an exponential time.

    Between flushes only one number matters: how many commits the next flush takes.  While it works each of the
    other clients comes with chance 1 − e^{−s/Z}; those who came make the next flush, and if none did it waits
    for the first of them all.  The chain's stationary law gives commits a flush and time a flush.
    """
    comes = -math.expm1(-flush / think)
    steps = np.zeros((clients, clients))
    idle = np.zeros(clients)
    for taken in range(1, clients + 1):
        others = clients - taken
        for came in range(others + 1):
            chance = math.comb(others, came) * comes**came * (1 - comes) ** (others - came)
            steps[taken - 1, max(came, 1) - 1] += chance
            idle[taken - 1] += chance * (came == 0)
    system = np.vstack([steps.T - np.eye(clients), np.ones(clients)])
    law = np.linalg.lstsq(system, np.append(np.zeros(clients), 1.0), rcond=None)[0]
    commits = float(law @ np.arange(1, clients + 1))
    return commits / (flush + float(law @ idle) * think / clients)


def open_group_commit(rate: float) -> float:
    """The mean latency of commits that come at random times; a flush takes 1.

    A flush follows the last at once unless nobody came meanwhile.  Who finds one at work waits for half of it on
    average, whoever does not waits for none, and then for the own flush.
    """
    busy = 1 / (1 + math.exp(-rate) / rate)
    return busy / 2 + 1


def no_contention(clients: int, think: str, truth: float, worked: str = "") -> ClosedForm:
    """Closed form 4: the latency is the way to a standby and back."""
    return ClosedForm(
        number=4, name=f"closed loop, {clients} without contention", formula="X = N / (Z + L)", unit="/s",
        truth=truth, worked=worked, tolerance=0.0, estimate=_round_rate,
        scenario=cluster(
            f"{clients} clients, 80 ms away",
            "60s",
            primary={"synchronous_commit": "remote_write", "synchronous_standby_names": "s1"},
            standbys={"s1": standby()},
            links={"p -> s1": {"latency": "40ms"}},
            writers={"app": {"clients": clients, "think": think}},
        ),
    )  # fmt: skip


def one_client() -> ClosedForm:
    """Closed form 5 with one client."""
    return ClosedForm(
        number=5, name="group commit, 1 client", formula="X = 1 / (s + Z)", unit="/s",
        truth=1 / (0.010 + 0.005), tolerance=0.0, estimate=_round_rate,
        scenario=cluster(
            "one client", "60s", primary={"wal_device": DISK}, writers={"app": {"clients": 1, "think": "5ms"}}
        ),
    )  # fmt: skip


def eight_clients(flushing: str) -> ClosedForm:
    """Closed form 5 with eight clients, where the primary flushes, or where the standby does that they wait for."""
    primary: dict[str, Any] = {"wal_device": DISK}
    rest: dict[str, Any] = {}
    if flushing == "standby":
        primary = {"synchronous_commit": "on", "synchronous_standby_names": "s1"}
        rest = {"standbys": {"s1": standby(wal_device=DISK)}, "links": {"p -> s1": {"latency": "0s"}}}
    return ClosedForm(
        number=5, name=f"group commit on the {flushing}, 8 clients", unit="commits a flush time",
        formula="N / (2s + Z) ≤ X ≤ N / (s + Z); exact by the Markov chain of batches",
        truth=group_commit(8, 1.0, 1.0), worked="3.10",
        estimate=_throughput, scenario=cluster(
            f"eight clients, flushing on the {flushing}", "400s", primary=primary,
            writers={"app": {"clients": 8, "think": exponential("10ms")}}, **rest,
        ),
    )  # fmt: skip


def open_loop() -> ClosedForm:
    """Group commit once more, without the loop: the latency of one flush and the rest of the one before."""

    def estimate(records: Sequence[Record]) -> Estimate:
        commits = records[0].commits
        return from_batches(((commits["acknowledged"] - commits["submitted"]) / UNIT)[int(SETTLED) : -int(SETTLED)])

    return ClosedForm(
        number=0, name="group commit, open loop", formula="s + (s/2) / (1 + e^{−λs} / (λs))", unit="flushes",
        truth=open_group_commit(2.0), estimate=estimate,
        scenario=cluster(
            "commits at random times", "150s", primary={"wal_device": DISK},
            writers={"app": {"arrivals": "poisson", "rate": "200/s"}},
        ),
    )  # fmt: skip


DISK: Final = FREE | {"flush": "10ms"}


def _round_rate(records: Sequence[Record]) -> Estimate:
    """Commits a second of clients in step: each client's whole rounds, over the time that they took."""
    commits = records[0].commits
    done = _acknowledged(records[0])
    client = commits["client"][: len(done)]
    rates = [(len(own) - 1) / (own[-1] - own[0]) for who in np.unique(client) for own in [done[client == who]]]
    return exactly(math.fsum(rates) * SECOND)


def _throughput(records: Sequence[Record]) -> Estimate:
    record = records[0]
    done = _acknowledged(record) / UNIT

    def count(until: float) -> float:
        return float(np.searchsorted(np.sort(done), until))

    return controlled(batches_in_time(count, SETTLED, record.scenario.duration / UNIT), [])


def _acknowledged(record: Record) -> NDArray[np.int64]:
    times: NDArray[np.int64] = record.commits["acknowledged"]
    return times[times <= record.scenario.duration]


FORMS: Final = (
    no_contention(1, "5ms", 1 / (0.005 + 0.080), "11.76"),
    no_contention(5, "20ms", 5 / (0.020 + 0.080)),
    one_client(),
    eight_clients("primary"),
    eight_clients("standby"),
    open_loop(),
)
