"""Waiting for k of n: one order statistic of independent round trips.

The commits are sparse, wait at ``remote_write`` and find every device free, so a commit's latency is one draw of
each link's latency, combined by the rule; and latencies of different commits are independent.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from replsim.proof.clusters import cluster, exponential, standby
from replsim.proof.estimators import Estimate, controlled, independent
from replsim.proof.form import ClosedForm
from replsim.record import Record
from replsim.scenario import Scenario

__all__ = ["FORMS"]

UNIT: Final = 10_000_000
"""The mean latency of a link, in nanoseconds (10 ms): the unit of time of these forms."""
LAST: Final = 2
"""Commits at the end of a run that may not have their answer yet."""


def kth_of_exponentials(k: int, n: int) -> float:
    """The mean of the k-th of n exponentials of mean 1."""
    return math.fsum(1 / i for i in range(n - k + 1, n + 1))


def kth_by(k: int, n: int, chance: float) -> float:
    """The chance that at least k of n have happened by a time by which each has with the given chance."""
    return math.fsum(math.comb(n, j) * chance**j * (1 - chance) ** (n - j) for j in range(k, n + 1))


def exponentials(k: int, n: int, worked: str) -> ClosedForm:
    """Closed form 6."""
    return ClosedForm(
        number=6, name=f"{k} of {n} exponential acks", formula="m (H_n − H_{n−k})", unit="m",
        truth=kth_of_exponentials(k, n), worked=worked,
        scenario=_quorum(k, [exponential("10ms")] * n), estimate=_mean,
    )  # fmt: skip


def uniforms() -> ClosedForm:
    """Closed form 7."""
    uniform = {"uniform": {"low": "10ms", "high": "30ms"}}
    return ClosedForm(
        number=7, name="2 of 3 uniform acks", formula="a + (b − a) k / (n + 1)", unit="10 ms",
        truth=1 + (3 - 1) * 2 / (3 + 1), worked="2.0",
        scenario=_quorum(2, [uniform] * 3), estimate=_mean,
    )  # fmt: skip


def unlike(k: int, formula: str, truth: float, worked: str) -> ClosedForm:
    """Closed form 8: the slow standby is the first in the list, so that the order of the list does not help."""
    return ClosedForm(
        number=8, name=f"ANY {k} of two unlike acks", formula=formula, unit="ms", truth=truth, worked=worked,
        scenario=_quorum(k, [exponential("50ms"), exponential("2ms")]),
        estimate=lambda records: controlled(_latency(records[0]) * 10, [(_way(records[0], "s1") - 5) * 10]),
    )  # fmt: skip


def cdf(at: float) -> ClosedForm:
    """Closed form 9, at one time."""

    def estimate(records: Sequence[Record]) -> Estimate:
        return independent((_latency(records[0]) <= at).astype(np.float64))

    return ClosedForm(
        number=9, name=f"3 of 5 acks by {at:.3f} m", formula="P(T_k ≤ t) = Σ_{j≥k} C(n,j) F^j (1 − F)^{n−j}",
        truth=kth_by(3, 5, 1 - math.exp(-at)), unit="", scenario=_quorum(3, [exponential("10ms")] * 5),
        estimate=estimate,
    )  # fmt: skip


def loss() -> ClosedForm:
    """A lost packet costs a timeout, which doubles while it is lost again: 2^K − 1 of them, with K geometric."""
    return ClosedForm(
        number=0, name="commit over a link that loses packets", formula="L + timeout · p / (1 − 2p)", unit="10 ms",
        truth=5 + 20 * 0.1 / (1 - 2 * 0.1), estimate=_mean,
        scenario=_quorum(1, ["50ms"], loss="10%", retransmission_timeout="200ms"),
    )  # fmt: skip


def _quorum(k: int, latencies: Sequence[Any], **link: Any) -> Scenario:
    names = [f"s{i}" for i in range(1, len(latencies) + 1)]
    links: dict[str, Any] = {}
    for name, latency in zip(names, latencies, strict=True):
        links |= {f"p -> {name}": {"latency": latency} | link, f"{name} -> p": {"latency": "0s"}}
    return cluster(
        f"any {k} of {len(names)}",
        "30000s",
        primary={"synchronous_commit": "remote_write", "synchronous_standby_names": f"ANY {k} ({', '.join(names)})"},
        standbys={name: standby() for name in names},
        links=links,
        writers={"app": {"arrivals": "deterministic", "rate": "1/s"}},
    )


def _latency(record: Record) -> NDArray[np.float64]:
    commits = record.commits
    latency: NDArray[np.float64] = (commits["acknowledged"][:-LAST] - commits["submitted"][:-LAST]) / UNIT
    return latency


def _way(record: Record, standby: str) -> NDArray[np.float64]:
    """How long each commit was on its way to a standby."""
    lsn = record.commits["lsn"][:-LAST]
    return (record.position(standby, "receive").crossing(lsn) - record.position(standby, "sent").crossing(lsn)) / UNIT


_mean: Final[Callable[[Sequence[Record]], Estimate]] = lambda records: independent(_latency(records[0]))  # noqa: E731

FORMS: Final = (
    exponentials(1, 3, ".3333"),
    exponentials(2, 3, ".8333"),
    exponentials(3, 3, "1.8333"),
    exponentials(3, 5, ".7833"),
    cdf(math.log(2)),
    cdf(1.0),
    uniforms(),
    unlike(1, "1 / (a + b)", 1 / (1 / 2 + 1 / 50), "1.923"),
    unlike(2, "1/a + 1/b − 1 / (a + b)", 2 + 50 - 1 / (1 / 2 + 1 / 50), "50.077"),
    loss(),
)
