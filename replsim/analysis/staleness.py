"""How stale reads are, which guarantees sessions lose, and how soon a commit can be seen on a standby."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from replsim.analysis.facts import Facts
from replsim.analysis.names import spread
from replsim.analysis.reads import chosen, facts_reads
from replsim.analysis.registry import Part, Spec, measures
from replsim.analysis.weighted import PERMILLE, Sample, Share, Total
from replsim.record import Record
from replsim.scenario import Scenario
from replsim.units import NEVER, SECOND

__all__ = ["facts_t_visibility", "t_visibility"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
NAN: Final = float("nan")
NEEDED: Final = ("p50", "p99", "p999")
STALE: Final = (
    "A read is stale if, when it was issued, a commit had been acknowledged to its client that the read did not see."
)
EVERY: Final = "over all reads issued within the window"


def _reads(scenario: Scenario) -> bool:
    return bool(scenario.readers or scenario.sessions)


def _keyed(scenario: Scenario) -> bool:
    return bool(scenario.sessions) or any(reader.keys is not None for reader in scenario.readers.values())


def _share(mask: NDArray[np.bool_]) -> Share:
    return Share(float(np.count_nonzero(mask)), float(len(mask)))


def _fraction(mask: NDArray[np.bool_]) -> float:
    return float(np.count_nonzero(mask)) / len(mask) if len(mask) else NAN


@measures(
    Spec("reads.count", "count", "count", "Reads issued within the window."),
    Spec(
        "stale_reads.fraction",
        "1",
        "proportion",
        f"The share of reads issued within the window that were stale. {STALE}",
    ),
    *spread(
        "read_latency",
        "s",
        ("mean", "p50", "p99", "p999", "max"),
        f"the time from a read's issue to its answer at its client, {EVERY}",
    ),
    *spread(
        "stale_reads.versions",
        "count",
        ("mean", "p99"),
        f"the number of commits after the newest that a read saw, up to the newest acknowledged to its client when the "
        f"read was issued, {EVERY}",
    ),
    *spread(
        "stale_reads.age",
        "s",
        ("p50", "p99", "max"),
        f"the time from the acknowledgement, at its client, of the first commit that a read missed to the read's issue "
        f"(0 if it missed none), {EVERY}",
    ),
    Spec(
        "reads_ahead.fraction",
        "1",
        "proportion",
        "The share of reads issued within the window that saw a commit of which its own client had not been told when "
        "the read looked.",
    ),
    per=("node", "reader", "session"),
    needs=_reads,
    adds_up=True,
)
def stale_reads(facts: Facts, entity: str | None) -> Mapping[str, Part]:
    """Staleness against the whole log."""
    reads = chosen(facts, entity)
    ahead, table = reads("ahead"), reads.table
    return {
        "reads.count": Total(float(len(ahead))),
        "read_latency": reads.sample(facts.once(_latencies), SECOND),
        "reads_ahead.fraction": _share(ahead),
        "stale_reads.fraction": _share(facts.once(_stale)[reads.rows]),
        "stale_reads.versions": reads.sample(table["versions"]),
        "stale_reads.age": reads.sample(table["age"], SECOND),
    }


def _latencies(facts: Facts) -> Ints:
    """Of each read, from its issue to its answer."""
    table = facts_reads(facts)
    return np.asarray(table["answered"] - table["time"])


def _stale(facts: Facts) -> NDArray[np.bool_]:
    """Whether each read missed anything."""
    return np.asarray(facts_reads(facts)["versions"] > 0)


@measures(
    Spec(
        "stale_reads.by_key.fraction",
        "1",
        "proportion",
        "The share of reads of a row, issued within the window, that were stale against that row: a commit to it had "
        "been acknowledged to its client when the read was issued, and the read did not see it.",
    ),
    *spread(
        "stale_reads.by_key.versions",
        "count",
        ("mean", "p99"),
        "the number of commits to a read's own row after those that it saw, up to the newest acknowledged to its "
        "client when the read was issued, over all reads of a row issued within the window",
    ),
    *spread(
        "stale_reads.by_key.age",
        "s",
        ("p50", "p99", "max"),
        "the time from the acknowledgement, at its client, of the first commit to its row that a read missed to the "
        "read's issue (0 if it missed none), over all reads of a row issued within the window",
    ),
    per=("node", "reader", "session"),
    needs=_keyed,
)
def stale_reads_by_key(facts: Facts, entity: str | None) -> Mapping[str, Part]:
    """Staleness against the read's own row."""
    column = chosen(facts, entity)
    keyed = column("key") >= 0
    versions, age = column("key_versions"), column("key_age")
    if not keyed.all():
        versions, age = versions[keyed], age[keyed]
    return {
        "stale_reads.by_key.fraction": _share(versions > 0),
        "stale_reads.by_key.versions": Sample(versions),
        "stale_reads.by_key.age": Sample(age, SECOND),
    }


@measures(
    Spec(
        "session_violations.read_your_writes",
        "1",
        "proportion",
        "The share of sessions' reads issued within the window that did not see their user's newest write acknowledged "
        "to it when the read was issued.",
    ),
    Spec(
        "session_violations.monotonic_reads",
        "1",
        "proportion",
        "The share of sessions' reads issued within the window that saw less of the log than an earlier read of the "
        "same user, which had been answered when they were issued (the warm-up's included).",
    ),
    per=("session",),
    needs=lambda scenario: bool(scenario.sessions),
)
def session_violations(facts: Facts, entity: str | None) -> Mapping[str, float]:
    """What sessions lose that read from standbys."""
    column = chosen(facts, entity)
    users = column("session") >= 0
    return {
        "session_violations.read_your_writes": _fraction(~column("own")[users]),
        "session_violations.monotonic_reads": _fraction(column("back")[users]),
    }


def t_visibility(record: Record, node: str, *, since: str = "acknowledged") -> tuple[Floats, Floats]:
    """P(a look at ``node`` a time t after a commit sees it), as a step function: times (s) and probabilities.

    ``since``: a commit is its acknowledgement at its client (``acknowledged``), or the moment from which the
    primary shows it (``visible``).  Over the commits acknowledged (or visible) within the window, exact from
    positions: no reads are sampled.  Each probability holds from its time to the next; the first time is 0.
    Commits that the node had not applied by the run's end count for as long as they could be watched
    (Kaplan and Meier's estimate); where there are none, it is the plain share.
    """
    return facts_t_visibility(Facts(record), node, since=since)


def facts_t_visibility(facts: Facts, node: str, *, since: str = "acknowledged") -> tuple[Floats, Floats]:
    """`t_visibility`, sharing what other metrics have derived."""
    delays, shares = _visibility(facts, node, since)
    return delays / 1e9, shares


def _visibility(facts: Facts, node: str, since: str) -> tuple[Ints, Floats]:
    waits = _waits(facts, node, since)
    ordered = np.sort(np.concatenate([*waits, [0]]))
    times = ordered[np.append(True, ordered[1:] > ordered[:-1])]
    # Seen at exactly t counts before watched until exactly t: the look at t would have found it.
    arrived, lost = (np.diff(np.searchsorted(np.sort(each), times, side="right"), prepend=0) for each in waits)
    watched = len(ordered) - 1
    at_risk = watched - np.concatenate([[0], np.cumsum(arrived + lost)[:-1]])
    if not lost.any():
        return times, np.cumsum(arrived) / max(watched, 1)
    unseen = np.cumprod(1 - arrived / np.maximum(at_risk, 1))
    return times, 1 - unseen


@measures(
    *(
        Spec(
            f"{family}.{name}",
            "s",
            "percentile",
            f"How long after {what} within the window a look at the standby sees it with a probability of "
            f"{PERMILLE[name] / 10:g}%; infinite if not within the run (for the cluster, the worst standby).",
        )
        for family, what in {
            "t_visibility": "a commit's acknowledgement at its client",
            "t_visibility_from_visible": "a commit became visible on the primary",
        }.items()
        for name in NEEDED
    ),
    per=("standby",),
    overall="largest",
)
def visibility(facts: Facts, node: str | None) -> Mapping[str, float]:
    """How long until a commit can be seen on a standby."""
    assert node is not None
    found: dict[str, float] = {}
    for family, since in (("t_visibility", "acknowledged"), ("t_visibility_from_visible", "visible")):
        needed = _needed(*_waits(facts, node, since), [PERMILLE[name] / 1000 for name in NEEDED])
        found |= {f"{family}.{name}": wait / SECOND for name, wait in zip(NEEDED, needed, strict=True)}
    return found


def _needed(seen: Ints, lost: Ints, shares: Sequence[float]) -> list[float]:
    """The first time at which the estimate of `_visibility` reaches each of ``shares``; NaN without any commit.

    From each end of a watch in vain to the next the estimate falls in equal parts with each commit that is seen.
    """
    if not len(seen) + len(lost):
        return [NAN] * len(shares)
    seen = np.sort(seen)
    ends, given_up = np.unique(lost, return_counts=True)
    edges = np.concatenate([[0], np.searchsorted(seen, ends, side="right"), [len(seen)]])
    watched = len(seen) + len(lost) - edges[:-1] - np.concatenate([[0], np.cumsum(given_up)])
    unseen = np.cumprod(1 - np.diff(edges) / np.maximum(watched, 1))
    found = []
    for share in shares:
        # The product of an estimate's factors may fall short of a share by its rounding.
        enough = 1 - share + 1e-12
        stretch = int(np.argmax(unseen <= enough))
        if unseen[stretch] > enough:
            found.append(float("inf"))
            continue
        before = unseen[stretch - 1] if stretch else 1.0
        nth = max(math.ceil(watched[stretch] * (1 - enough / before)), 1)
        found.append(float(seen[edges[stretch] + nth - 1]))
    return found


def _waits(facts: Facts, node: str, since: str) -> tuple[Ints, Ints]:
    """How long after each commit within the window the node showed it, and how long it was watched for in vain."""
    told = facts.acknowledged if since == "acknowledged" else facts.column("visible")
    chosen = np.flatnonzero(facts.within(told))
    applied, told = facts.reached(node, "apply")[chosen], told[chosen]
    lost = np.flatnonzero(applied == NEVER)
    waits = np.maximum(applied - told, 0)
    return np.delete(waits, lost), facts.record.scenario.duration - told[lost]
