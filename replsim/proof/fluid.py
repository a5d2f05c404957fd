"""Flows: work that comes faster than it is done, and a stream that its window holds back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from replsim.proof.clusters import cluster, standby
from replsim.proof.estimators import Estimate, exactly
from replsim.proof.form import ClosedForm
from replsim.record import Record
from replsim.units import SECOND

__all__ = ["FORMS"]

TRIPS: Final = 100
"""Round trips over which the window-limited stream is measured."""


def overload() -> ClosedForm:
    """Closed form 17: 1,200 commits a second come, 1,000 are replayed.

    Commit k comes at k/λ and is replayed at 1/λ + k/μ, so at time t the newest one replayed is
    k = ⌊(t − 1/λ) μ⌋ and the lag t − k/λ.  Without the rounding down that is t(1 − μ/λ) + μ/λ²; rounding down
    adds less than 1/λ.  The fluid is therefore right within (1 + μ/λ)/λ.
    """
    rate, capacity, seconds = 1200, 1000, 60

    def estimate(records: Sequence[Record]) -> Estimate:
        record, now = records[0], seconds * SECOND
        commits = record.commits
        newest = commits["lsn"].searchsorted(record.position("s1", "apply").at(now))
        assert commits["lsn"][newest] == record.position("s1", "apply").at(now)
        return exactly((now - int(commits["inserted"][newest])) / SECOND)

    return ClosedForm(
        number=17, name="lag under overload", formula="t (1 − μ/λ)", unit="s",
        truth=seconds * (1 - capacity / rate), worked="10", tolerance=(1 + capacity / rate) / rate, estimate=estimate,
        scenario=cluster(
            "more than replay can do",
            f"{seconds}s",
            standbys={"s1": standby(replay={"per_record": "1ms"})},
            links={"p -> s1": {"latency": "0s"}},
            writers={"app": {"arrivals": "deterministic", "rate": f"{rate}/s"}},
        ),
    )  # fmt: skip


def window() -> ClosedForm:
    """Closed form 20: the byte that is a window further on leaves one round trip later, to the nanosecond."""
    size, trip = 64 * 1024, 85_000_000

    def estimate(records: Sequence[Record]) -> Estimate:
        received = records[0].position("s1", "receive")
        start = 2 * SECOND
        count = received.at(start + TRIPS * trip) - received.at(start)
        return exactly(int(count) / (TRIPS * trip / SECOND) / 1000)

    return ClosedForm(
        number=20, name="stream limited by its window", formula="window / RTT", unit="kB/s",
        truth=size / (trip / SECOND) / 1000, worked="771", tolerance=0.0, estimate=estimate,
        scenario=cluster(
            "a small window and a long way",
            "12s",
            standbys={"s1": standby()},
            links={"p -> s1": {"latency": "42.5ms", "window": "64 KiB"}},
            writers={"app": {"arrivals": "deterministic", "rate": "1500/s", "record": "1 kB"}},
        ),
    )  # fmt: skip


FORMS: Final = (overload(), window())
