"""Crashes and outages: what is lost, and how long it takes to catch up."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from replsim.proof.clusters import cluster, exponential, standby
from replsim.proof.estimators import Estimate, controlled, exactly
from replsim.proof.form import ClosedForm
from replsim.proof.ordered_stream import UNIT, oldest_age, release_delay
from replsim.record import Record
from replsim.scenario import Scenario
from replsim.units import NEVER, SECOND

__all__ = ["FORMS", "Lost", "losses"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

CRASHES: Final = 100
"""Crashes a run."""
WRITER_DELAY: Final = 0.2
"""``wal_writer_delay``, in seconds."""


class Lost(NamedTuple):
    """What each failover of a run lost."""

    commits: Floats
    """How many commits that had been acknowledged are not in the history that goes on."""
    age: Floats
    """How old the first of them was at the crash, in nanoseconds; 0 where none was lost."""


def losses(record: Record) -> Lost:
    """The losses of each failover, from the branches of the log."""
    commits, branches, ages = record.commits, record.branches, []
    counts = []
    crashes = _times(record, "crash")
    for branch, after in itertools.pairwise(branches):
        rows = slice(branch.first, after.first)
        gone = (commits["lsn"][rows] > after.fork) & (commits["acknowledged"][rows] < NEVER)
        inserted = commits["inserted"][rows][gone]
        crash = crashes[np.searchsorted(crashes, after.start, side="right") - 1]
        counts.append(len(inserted))
        ages.append(crash - inserted[0] if len(inserted) else 0)
    return Lost(np.array(counts, dtype=np.float64), np.array(ages, dtype=np.float64))


def lost_in_order() -> ClosedForm:
    """Closed form 14 for exponential delays: by Little's law, the commits on their way at a random moment.

    What comes after the oldest commit on its way is Poisson over its age A, whose mean is closed form 15, so that
    L (A − E[A]) is a control.
    """

    def estimate(records: Sequence[Record]) -> Estimate:
        lost = [losses(record) for record in records]
        ages = np.concatenate([each.age for each in lost]) / UNIT
        return controlled(np.concatenate([each.commits for each in lost]), [ages - oldest_age(10, 1)])

    return ClosedForm(
        number=14, name="commits lost at a crash, L = 10", formula="L · E[release delay]", unit="commits",
        truth=10 * release_delay(10, 1), worked="29.80", seeds=(1, 2, 3, 4, 5), estimate=estimate,
        scenario=_takes_turns("a crash at a time", exponential("100ms"), "100/s", period=2_000),
    )  # fmt: skip


def lost_behind_a_constant_delay() -> ClosedForm:
    """Closed form 14 for a constant delay D: what was written within the last D is Poisson."""

    def estimate(records: Sequence[Record]) -> Estimate:
        return controlled(np.concatenate([losses(record).commits for record in records]), [])

    return ClosedForm(
        number=14, name="commits lost at a crash, constant delay", formula="λ D", unit="commits",
        truth=50.0, seeds=(1, 2, 3), estimate=estimate,
        scenario=_takes_turns("all on their way", "50ms", "1000/s", period=500),
    )  # fmt: skip


def lost_though_it_arrives() -> ClosedForm:
    """Closed form 14 under the other convention: what was in flight arrives, and nothing that was sent is lost."""

    def estimate(records: Sequence[Record]) -> Estimate:
        return exactly(float(losses(records[0]).commits.sum()))

    return ClosedForm(
        number=14, name="commits lost at a crash, those in flight arrive", formula="0", unit="commits",
        truth=0.0, tolerance=0.0, estimate=estimate,
        scenario=_takes_turns("nothing on its way is lost", "50ms", "200/s", period=1_000, in_flight="arrives"),
    )  # fmt: skip


def lost_unflushed() -> ClosedForm:
    """Closed form 16: a commit at ``off`` is lost with a server that crashes before the WAL writer comes by.

    Its rounds are a delay apart and take no time here; each record is a page, so that a round takes all.  The time
    since the last round is a control: its mean is half of the delay, since crashes come at random moments.
    """

    def estimate(records: Sequence[Record]) -> Estimate:
        record = records[0]
        crashes, begun = _times(record, "crash"), [branch.start for branch in record.branches]
        alive = crashes - np.array(begun[:-1])
        since = (alive / SECOND) % WRITER_DELAY
        return controlled(losses(record).commits, [since - WRITER_DELAY / 2])

    return ClosedForm(
        number=16, name="commits at off lost at a crash", formula="λ w / 2", unit="commits",
        truth=1_000 * WRITER_DELAY / 2, worked="100", estimate=estimate,
        scenario=cluster(
            "the WAL writer comes by", "250s",
            primary={"synchronous_commit": "off", "wal_writer_flush_after": "1 GB"},
            writers={"app": {"arrivals": "poisson", "rate": "1000/s", "record": "8192 B"}},
            faults=[{"every": {"uniform": {"low": "0.8s", "high": "1s"}}, "for": "0.1s", "crash": "p"}],
        ),
    )  # fmt: skip


def backlog() -> ClosedForm:
    """Closed form 18: what has come by the end of an outage, within one commit."""
    rate, outage = 800, 60

    def estimate(records: Sequence[Record]) -> Estimate:
        record = records[0]
        last = _times(record, "crash ends") - 1
        come = np.searchsorted(record.commits["inserted"], last, side="right")
        replayed = np.searchsorted(record.commits["lsn"], record.position("s1", "apply").at(last), side="right")
        return exactly(float((come - replayed)[0]))

    return ClosedForm(
        number=18, name="backlog after an outage", formula="λ T", unit="commits",
        truth=float(rate * outage), worked="48000", tolerance=1.0, estimate=estimate,
        scenario=_away("away for a minute", rate, outage, 61),
    )  # fmt: skip


def catching_up() -> ClosedForm:
    """Closed form 18: replay gains μ − λ commits a second, until no commit waits for another one.

    The fluid is right within two commits of the difference.
    """
    rate, capacity, outage = 80, 100, 60

    def estimate(records: Sequence[Record]) -> Estimate:
        record = records[0]
        (back,) = _times(record, "crash ends")
        applied = record.position("s1", "apply").crossing(record.commits["lsn"])
        inserted = record.commits["inserted"]
        # Whose replay does not begin behind an earlier commit's is replayed after its own time alone.
        even = (inserted > back) & (applied - inserted <= SECOND // capacity)
        return exactly((int(inserted[even][0]) - back) / SECOND)

    return ClosedForm(
        number=18, name="time to catch up after an outage", formula="λ T / (μ − λ)", unit="s",
        truth=rate * outage / (capacity - rate), worked="240", tolerance=2 / (capacity - rate), estimate=estimate,
        scenario=_away("catching up", rate, outage, 310, replay={"per_record": "10ms"}),
    )  # fmt: skip


def _away(name: str, rate: int, outage: int, duration: int, **settings: Any) -> Scenario:
    """The standby's machine is down from 1 s on."""
    return cluster(
        name,
        f"{duration + 1}s",
        standbys={"s1": standby(**settings)},
        links={"p -> s1": {"latency": "0s"}},
        writers={"app": {"arrivals": "deterministic", "rate": f"{rate}/s"}},
        faults=[{"at": "1s", "for": f"{outage}s", "crash": "s1"}],
    )


def _takes_turns(name: str, latency: Any, rate: str, *, period: int, in_flight: str = "lost") -> Scenario:
    """Whoever leads dies every ``period`` (milliseconds), the other one is elected, and the dead one follows it."""
    return cluster(
        name,
        f"{(CRASHES + 1) * period}ms",
        standbys={"s1": standby()},
        links={"p -> s1": {"latency": latency}},
        writers={"app": {"arrivals": "poisson", "rate": rate}},
        failover={
            "manager": "quorum", "members": ["p", "s1", "witness"], "heartbeat": "50ms", "election_timeout": "60ms",
            "promotion": "0s", "routing": "0s", "rejoin": {"rewind": "0s"},
        },
        faults=[
            {
                "at": f"{k * period}ms", "for": f"{period // 2}ms", "crash": ("s1", "p")[k % 2],
                "in_flight": in_flight,
            }
            for k in range(1, CRASHES + 1)
        ],
    )  # fmt: skip


def _times(record: Record, what: str) -> Ints:
    """When something happened, each time."""
    events = record.events
    return np.asarray(events["time"][events["what"] == events.words["what"].index(what)])


FORMS: Final = (
    lost_in_order(), lost_behind_a_constant_delay(), lost_though_it_arrives(), lost_unflushed(), backlog(),
    catching_up(),
)  # fmt: skip
