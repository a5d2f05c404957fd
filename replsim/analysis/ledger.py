"""What became of every commit: its fate after the last failover, and what clients felt of the outage.

A commit is identified by its branch of the log and its LSN, never by its LSN alone: a branch that starts at a fork
uses the LSNs behind it again.  It has *survived* if it is in the history that the last primary goes on with.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from replsim.analysis.facts import Facts
from replsim.analysis.registry import Spec, measures
from replsim.record import ACKNOWLEDGED_LOCALLY, FAILED, UNKNOWN, answered
from replsim.record.branch import branch_of, shared
from replsim.scenario import Scenario
from replsim.scenario.clients import Session, Writer
from replsim.units import NEVER, SECOND

__all__ = ["FATES", "fates", "outages", "survived"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

FALLS: Final = ("crash", "shuts down", "steps down", "fenced", "learns of the new primary")
"""What ends a primary, as the events say it."""
FATES: Final = ("survived", "lost", "not written")
"""What became of a transaction: it is in the history that the last primary goes on with, or not, or was in no log."""
LOST: Final = "acknowledged to its client and is not in the history that goes on after the last failover"


def _may_fail(scenario: Scenario) -> bool:
    return scenario.eventful


def fates(facts: Facts) -> NDArray[np.int8]:
    """The fate of every transaction of the record, as a place in `FATES`."""
    found = np.full(len(facts.record.commits), FATES.index("not written"), dtype=np.int8)
    found[: facts.count] = np.where(survived(facts), FATES.index("survived"), FATES.index("lost"))
    return found


def survived(facts: Facts) -> Bools:
    """Which commits of the log are in the history that the last primary goes on with, a row each."""
    return facts.once(_survived)


@measures(
    Spec("lost_commits", "count", "count", f"The number of commits each of which was {LOST}."),
    Spec("rpo.bytes", "B", "extreme", f"The WAL of the commits each of which was {LOST}."),
    Spec(
        "rpo.seconds",
        "s",
        "extreme",
        "How far back a failure took the cluster: from the last acknowledgement to a client before the first one of a "
        "lost commit, to the end of the primary that sent it; of several failures the longest, 0 if nothing is lost.",
    ),
    Spec(
        "local_commits",
        "count",
        "count",
        "Commits whose clients cancelled their wait for standbys: the primary alone acknowledged them.",
    ),
    Spec(
        "unknown_commits",
        "count",
        "count",
        "Commits of which their clients do not know the outcome: the primary died, or their drivers left, before the "
        "answer.",
    ),
    Spec(
        "failed_commits",
        "count",
        "count",
        "Transactions that found no primary, whose primary died before they could commit, or that a time-out ended.",
    ),
    Spec(
        "divergent_commits",
        "count",
        "count",
        "Commits of an old primary that were inserted after another node had been promoted.",
    ),
    Spec(
        "split_brain",
        "s",
        "extreme",
        "For how long an old primary went on inserting commits after another node had been promoted.",
    ),
    needs=_may_fail,
)
def ledger(facts: Facts, _: str | None) -> Mapping[str, float]:
    """What was lost, over the whole run."""
    outcome = facts.record.commits["outcome"]
    lost = answered(facts.column("outcome")) & (facts.column("acknowledged") < NEVER) & ~survived(facts)
    divergent, split = _split_brain(facts)
    return {
        "lost_commits": float(np.count_nonzero(lost)),
        "rpo.bytes": float(facts.column("bytes")[lost].sum()),
        "rpo.seconds": _gone_back(facts, lost) / SECOND,
        "local_commits": float(np.count_nonzero(outcome == ACKNOWLEDGED_LOCALLY)),
        "unknown_commits": float(np.count_nonzero(outcome == UNKNOWN)),
        "failed_commits": float(np.count_nonzero(outcome == FAILED)),
        "divergent_commits": float(divergent),
        "split_brain": split / SECOND,
    }


def _tries_again(scenario: Scenario) -> bool:
    clients: list[Writer | Session] = [*scenario.writers.values(), *scenario.sessions.values()]
    return any(client.retry for client in clients)


@measures(
    Spec("retries", "count", "count", "Further attempts at transactions that failed or whose outcome was not known."),
    Spec(
        "duplicate_commits",
        "count",
        "count",
        "Commits too many: those of one transaction that stand in the history that goes on, but for one.",
    ),
    needs=_tries_again,
)
def attempts(facts: Facts, _: str | None) -> Mapping[str, float]:
    """What came of trying again, over the whole run."""
    table = facts.record.commits
    if "attempt" not in table:  # an engine in which nothing fails
        return {"retries": 0.0, "duplicate_commits": 0.0}
    stands = np.stack([table["writer"], table["transaction"]])[:, : facts.count][:, survived(facts)]
    return {
        "retries": float(np.count_nonzero((table["attempt"] > 0) & (table["started"] < NEVER))),
        "duplicate_commits": float(stands.shape[1] - np.unique(stands, axis=1).shape[1]),
    }


@measures(
    Spec(
        "rto",
        "s",
        "extreme",
        "The longest outage that a client felt: from its first transaction that failed, or whose outcome it does not "
        "know, to the next acknowledgement (to the end of the run where none came). For the cluster, the longest of "
        "all writers'.",
    ),
    Spec(
        "availability",
        "1",
        "proportion",
        "The share of the run outside such outages; for the cluster, outside those of all writers together.",
    ),
    per=("writer", "session"),
    needs=_may_fail,
)
def felt(facts: Facts, writer: str | None) -> Mapping[str, float]:
    """What clients felt of outages, over the whole run."""
    scenario = facts.record.scenario
    names = (*scenario.writers, *scenario.sessions) if writer is None else (writer,)
    each = [outages(facts, name) for name in names]
    every = sorted(part for parts in each for part in parts)
    down, end = 0, 0
    for start, stop in every:
        down += max(stop - max(start, end), 0)
        end = max(end, stop)
    longest = max((stop - start for start, stop in every), default=0)
    return {"rto": longest / SECOND, "availability": 1 - down / scenario.duration}


def outages(facts: Facts, writer: str) -> list[tuple[int, int]]:
    """When a writer was without service, each from its first failure to the next acknowledgement, in nanoseconds."""
    commits, mine = facts.record.commits, facts.of_writer(writer)
    bad = (commits["outcome"] == FAILED) | (commits["outcome"] == UNKNOWN)
    failures = np.sort(commits["learned"][mine & bad])
    failures = failures[failures < NEVER]
    answers = np.sort(commits["acknowledged"][mine & (commits["acknowledged"] < NEVER)])
    answers = np.append(answers, facts.record.scenario.duration)
    ends = answers[np.minimum(np.searchsorted(answers, failures, side="right"), len(answers) - 1)]
    firsts = np.flatnonzero(np.diff(ends, prepend=-1))
    return [(int(start), int(stop)) for start, stop in zip(failures[firsts], ends[firsts], strict=True)]


def _gone_back(facts: Facts, lost: Bools) -> int:
    """The longest time that a failure took back, in nanoseconds."""
    told, branches = facts.acknowledged, facts.record.branches
    longest = 0
    for place in np.unique(branch_of(facts.codes[lost])).tolist():
        mine = told[lost & (branch_of(facts.codes) == place)]
        before = told[told < mine.min()]
        safe = max(int(before.max(initial=0)), branches[place].start)
        longest = max(longest, max(_ended(facts, place), int(mine.max())) - safe)
    return longest


def _ended(facts: Facts, place: int) -> int:
    """When the primary of a branch fell, as the events say; 0 where they do not."""
    events, branch = facts.record.events, facts.record.branches[place]
    falls = [code for code, word in enumerate(events.words["what"]) if word in FALLS]
    mine = (events["node"] == events.words["node"].index(branch.node)) & np.isin(events["what"], falls)
    return int(min(events["time"][mine & (events["time"] >= branch.start)], default=0))


def _survived(facts: Facts) -> Bools:
    branches = facts.record.branches
    kept = np.ones(facts.count, dtype=bool)
    firsts = [branch.first for branch in branches] + [facts.count]
    for place in range(len(branches) - 1):
        rows = slice(firsts[place], firsts[place + 1])
        kept[rows] = facts.column("lsn")[rows] <= shared(branches, place, len(branches) - 1)
    return kept


def _split_brain(facts: Facts) -> tuple[int, int]:
    """Commits that an old primary inserted once another had been promoted, and for how long."""
    branches, inserted = facts.record.branches, facts.column("inserted")
    count, longest = 0, 0
    for place, branch in enumerate(branches[:-1]):
        promoted = [each.start for each in branches[place + 1 :] if each.timeline > branch.timeline]
        own = inserted[branch.first : branches[place + 1].first]
        if promoted and len(own):
            late = own[own >= promoted[0]]
            count += len(late)
            longest = max(longest, int(late[-1]) - promoted[0] if len(late) else 0)
    return count, longest
