"""The guided tour: each step asks for a prediction, and a run – not this file – says what is right."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from dashboard.links import Setup
from replsim.summary import show_metric

__all__ = ["STEPS", "Step"]

Metrics = Mapping[str, float]


@dataclass(frozen=True)
class Step:
    """One step: a shipped scenario, a question to predict, and what the answer is read from."""

    scenario: str
    title: str
    story: str
    question: str
    options: tuple[str, ...]
    """In the order of the number that `measure` gives."""
    edges: tuple[float, ...]
    """Between which of them one option ends and the next begins."""
    measure: Callable[[Metrics, Metrics], float]
    """The number that decides, from the metrics of the scenario and of its variant (or the same again)."""
    lesson: str
    """What to take along; ``{own[name]}`` is a metric of the scenario, ``{other[name]}`` of the variant."""
    figures: Mapping[str, Mapping[str, Any]]
    """What shows it: figures of `replsim.plots`, each with its options."""
    variant: Mapping[str, str] = field(default_factory=dict)
    """What is changed in the run that it is compared with."""
    variant_label: str = ""

    @property
    def setup(self) -> Setup:
        """The scenario, as Explore opens it."""
        return Setup(self.scenario)

    def right(self, own: Metrics, other: Metrics) -> int:
        """The option that the runs bear out."""
        return bisect_right(self.edges, self.measure(own, other))

    def told(self, own: Metrics, other: Metrics) -> str:
        """The lesson, with the numbers of these runs."""
        return self.lesson.format(own=_Shown(own), other=_Shown(other))


class _Shown:
    """Metrics in words, by ``{own[name]}`` in a lesson."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def __getitem__(self, name: str) -> str:
        return show_metric(name, self._metrics[name])


STEPS: Final = (
    Step(
        "tour/1-one-node",
        "A commit on one node",
        "One server, no replica. A client's commit is acknowledged when the WAL is on disk: synchronous_commit is on, "
        "and one flush takes 0.6 ms at the median.",
        "Turn synchronous_commit off: the client is told before the flush. How many times faster is a commit?",
        ("About the same", "Two to four times", "More than four times"),
        (1.5, 4.0),
        lambda own, other: own["commit_latency.p50"] / other["commit_latency.p50"],
        "With on a commit takes {own[commit_latency.p50]} at the median, with off {other[commit_latency.p50]}: nearly "
        "all of it was the flush. The price: at any moment {other[loss_if_primary_restarts.commits.p50]} acknowledged "
        "commits are in memory only, and a crash loses them.",
        {"breakdown": {}},
        variant={"primary.synchronous_commit": '"off"'},
        variant_label="synchronous_commit = off",
    ),
    Step(
        "tour/2-group-commit",
        "Many clients, one disk",
        "The disk now takes 2 ms a flush, so it does at most 500 flushes a second. 32 clients commit as fast as they "
        "can, each waiting for its answer before it goes on.",
        "How many commits a second get through?",
        ("About 500: one a flush", "About 1,000", "Several thousand"),
        (750, 2500),
        lambda own, _: own["throughput"],
        "{own[throughput]}: one flush takes every commit that waits for it, here {own[commits_per_flush]}. This is "
        "group commit, and why throughput grows with the number of clients while each commit takes about two flushes "
        "({own[commit_latency.p50]}).",
        {"commit_latency": {}},
    ),
    Step(
        "tour/3-async-replica",
        "A replica far away",
        "A standby streams from the primary, 20 ms away. Nobody must confirm anything: replication is asynchronous.",
        "What does the replica cost a commit?",
        ("Nothing", "One way: 20 ms", "There and back: 40 ms"),
        (0.010, 0.030),
        lambda own, _: own["commit_latency.p50"],
        "Nothing: a commit takes {own[commit_latency.p50]}, as without it. The price is elsewhere: the replica is "
        "{own[s1.lag.seconds.mean]} behind on average. What the primary knows of it is older still, by the way back: "
        "{own[s1.measured_lag.replay.p50]}.",
        {"lag": {"measured": True}},
    ),
    Step(
        "tour/4-own-writes",
        "Reading your own write",
        "A hundred users write a row to the primary, wait for the answer, and read the same row from that replica "
        "on average 20 ms later.",
        "How often is their own write not there?",
        ("Hardly ever", "One time in five", "Two times in three"),
        (0.1, 0.45),
        lambda own, _: own["session_violations.read_your_writes"],
        "{own[session_violations.read_your_writes]} of the reads miss their own user's write: it needs some 21 ms to "
        "be applied there, and whoever looks sooner does not find it. Average lag of {own[s1.lag.seconds.mean]} sounds "
        "harmless, and means this.",
        {"t_visibility": {}},
    ),
    Step(
        "tour/5-levels",
        "Synchronous, and still stale",
        "Now the standby, 1 ms away, must confirm each commit before the client is told: synchronous_commit is on and "
        "synchronous_standby_names is FIRST 1 (s1). Replaying a commit takes 3 ms.",
        "Can a read on that standby still miss an acknowledged commit?",
        ("No: the standby has it", "Yes, now and then"),
        (1e-6,),
        lambda own, _: own["stale_reads.fraction"],
        "Yes: {own[stale_reads.fraction]} of reads do. on means that the commit is on the standby's disk, not that it "
        "is applied. remote_apply waits for that too: {other[stale_reads.fraction]} of reads are stale then, and a "
        "commit takes {other[commit_latency.p50]} instead of {own[commit_latency.p50]}.",
        {"breakdown": {}},
        variant={"primary.synchronous_commit": "remote_apply"},
        variant_label="synchronous_commit = remote_apply",
    ),
    Step(
        "tour/6-quorum",
        "First, or any",
        "Two standbys, alike. Each disk has a bad moment now and then: one flush in a hundred takes 50 ms. With FIRST "
        "1 every commit waits for s1; with ANY 1 for whichever answers first.",
        "What does ANY 1 do to the slowest commits (p99)?",
        ("Hardly anything", "Halves their time", "Cuts it to a quarter or less"),
        (1.4, 4.0),
        lambda own, other: own["commit_latency.p99"] / other["commit_latency.p99"],
        "The p99 falls from {own[commit_latency.p99]} to {other[commit_latency.p99]}, while the median hardly moves "
        "({own[commit_latency.p50]} and {other[commit_latency.p50]}): both standbys seldom have a bad moment at once. "
        "A quorum buys a short tail.",
        {"commit_latency": {}},
        variant={"primary.synchronous_standby_names": "ANY 1 (s1, s2)"},
        variant_label="ANY 1 (s1, s2)",
    ),
    Step(
        "tour/7-replay-lag",
        "When replay cannot keep up",
        "1,000 commits a second reach a standby that needs 1.25 ms to replay each: it can do 800 a second.",
        "How far behind is it after a minute?",
        ("A few milliseconds", "About a second", "About twelve seconds"),
        (0.2, 4.0),
        lambda own, _: own["s1.lag.seconds.max"],
        "{own[s1.lag.seconds.max]}, and it grows by {own[s1.lag.growth]} s with every second: one fifth of all that "
        "arrives is left over, and nothing but less load ends it. Commits feel nothing of it "
        "({own[commit_latency.p50]}), which is why nobody notices.",
        {"lag": {}},
    ),
    Step(
        "tour/8-primary-dies",
        "The primary dies",
        "500 commits a second, and two asynchronous standbys some 20 ms away. After ten seconds the primary's machine "
        "dies. Once they have not heard of it for three seconds, the standbys elect the one that has more of the log, "
        "and it takes over.",
        "How many commits are lost that clients had been told of?",
        ("None: they were acknowledged", "About ten", "Hundreds"),
        (0.5, 60),
        lambda own, _: own["lost_commits"],
        "{own[lost_commits]}: all that was on its way to the standbys when the primary died, and for {own[rto]} nobody "
        "was served. If one of the standbys must confirm each commit (ANY 1), {other[lost_commits]} are lost, but a "
        "commit takes {other[commit_latency.p50]} instead of {own[commit_latency.p50]}. That is the trade.",
        {"primaries": {}, "commit_fates": {}},
        variant={"primary.synchronous_standby_names": "ANY 1 (s1, s2)"},
        variant_label="one of the standbys must confirm",
    ),
)
