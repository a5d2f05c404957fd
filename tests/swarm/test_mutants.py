"""Checks have teeth: engines that fail over wrongly, each in one way, are found out by the check that speaks of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest.mock import patch

import pytest

import replsim
from replsim.analysis.checks import violations
from replsim.engines.events import managers, succession
from replsim.engines.events.cluster import Cluster
from replsim.engines.events.following import Following
from replsim.engines.events.release import Release
from replsim.engines.events.succession import Succession
from replsim.rules.acks import SyncRule
from replsim.rules.synchronous import SyncKey

CLUSTER = """
name: a primary dies
duration: 300ms
zones: {{latency: {{a -> b: 1ms, a -> c: 8ms, a -> d: 9ms, b -> c: 5ms, b -> d: 6ms, c -> d: 1ms}}}}
primary: {{zone: a, synchronous_standby_names: "{rule}"}}
standbys: {{s1: {{zone: b}}, s2: {{zone: c}}, s3: {{zone: d, upstream: s2}}}}
writers: {{app: {{zone: a, rate: 1000/s, synchronous_commit: "on"}}}}
failover: {{promotion: 1ms, routing: 5ms, rejoin: {{rewind: 5ms}}, {failover}}}
faults: [{faults}]
"""
ELECTS = "manager: quorum, heartbeat: 2ms, election_timeout: 8ms"
LEASES = "manager: patroni, ttl: 15ms, loop_wait: 5ms, retry_timeout: 5ms, race: 1ms, synchronous_mode: "


def cluster(failover: str, *, rule: str = "", faults: str = "{at: 100ms, for: 60ms, crash: p}") -> replsim.Scenario:
    """A cluster whose primary dies and comes back, with standbys of which one is near."""
    return replsim.loads(CLUSTER.format(failover=failover, rule=rule, faults=faults))


@contextmanager
def nobody_is_waited_for() -> Iterator[None]:
    """After a promotion the first report releases, whatever the rule says."""
    position = SyncRule.position

    def wrong(self: SyncRule, reported: list[int]) -> int:
        return position(self, reported) if len(reported) > 1 else max(reported, default=-1) + 5_000

    with patch.object(SyncRule, "position", wrong):
        yield


@contextmanager
def anybody_may_promote() -> Iterator[None]:
    """The manager does not ask who is a member of ``/sync``, and takes whom it likes."""

    def everybody(self: SyncKey, positions: Mapping[str, int]) -> tuple[str, ...]:
        return tuple(positions)

    with patch.object(SyncKey, "electable", everybody), least_of_them():
        yield


@contextmanager
def least_of_them() -> Iterator[None]:
    """The one is elected that has least of the log."""

    def least(positions: Mapping[str, int]) -> str | None:
        return min(positions, key=lambda name: positions[name], default=None)

    with patch.object(managers, "healthiest", least):
        yield


@contextmanager
def disk_forgets() -> Iterator[None]:
    """A primary that crashes loses what it had flushed last."""
    falls = Succession.falls

    def wrong(self: Succession, node: Any, now: int) -> None:
        falls(self, node, now)
        node.kept = max(node.kept - 5_000, 0)

    with patch.object(Succession, "falls", wrong):
        yield


@contextmanager
def promotion_forgets() -> Iterator[None]:
    """A promoted standby begins before the end of what it had."""
    reign = Succession._reign

    def wrong(self: Succession, node: Any, log: Any, position: int, timeline: int, now: int) -> Any:
        return reign(self, node, log, position - 3_000 if timeline > 1 else position, timeline, now)

    with patch.object(Succession, "_reign", wrong):
        yield


@contextmanager
def nobody_diverges() -> Iterator[None]:
    """A standby that has what the new primary lacks is not rewound."""
    with patch.object(Succession, "diverged", lambda *_: False), patch.object(succession, "shared", lambda *_: 2**40):
        yield


@contextmanager
def cascade_stays() -> Iterator[None]:
    """A standby goes over to another timeline, and those that stream from it do not notice."""

    def alone(self: Cluster, node: Any, log: Any, now: int) -> None:
        Following.follow(node.following, log, now)

    with patch.object(Cluster, "_goes_on_along", alone):
        yield


@contextmanager
def old_reports_count() -> Iterator[None]:
    """A standby that connects to a new primary counts as if what it told the old one were told of the new log."""
    join = Release.join

    def wrong(self: Release, candidate: int) -> None:
        join(self, candidate)
        for told in self._reported.values():
            told[candidate] = 2**40

    with patch.object(Release, "join", wrong):
        yield


@contextmanager
def any_will_do() -> Iterator[None]:
    """``FIRST n`` is taken for ``ANY n``."""

    def wrong(self: SyncRule, reported: list[int]) -> int:
        return sorted(reported)[-self.count] if 0 < self.count <= len(reported) else -1

    with patch.object(SyncRule, "position", wrong):
        yield


WRONG: dict[str, tuple[Any, replsim.Scenario, str]] = {
    "old reports count": (old_reports_count, cluster(ELECTS, rule="ANY 1 (s1, s2)"), "the_rule_held"),
    "nobody is waited for": (nobody_is_waited_for, cluster(ELECTS, rule="ANY 1 (s1, s2)"), "the_rule_held"),
    "what was not confirmed is not there": (
        old_reports_count, cluster(ELECTS, rule="ANY 1 (s1, s2)"), "enough_have_it"
    ),
    "any will do where one is gone": (
        any_will_do,
        cluster("manager: none", rule="FIRST 1 (s2, s1)", faults="{at: 100ms, for: 60ms, crash: s2}"),
        "the_rule_held",
    ),
    "anybody may promote": (anybody_may_promote, cluster(LEASES + '"on"'), "no_acknowledged_commit_is_lost"),
    "strict, and anybody may": (anybody_may_promote, cluster(LEASES + "strict"), "no_acknowledged_commit_is_lost"),
    "the least is elected": (
        least_of_them, cluster(ELECTS, rule="ANY 1 (s1, s2)"), "no_acknowledged_commit_is_lost"
    ),
    "the disk forgets": (disk_forgets, cluster("manager: none"), "no_acknowledged_commit_is_lost"),
    "a branch begins too early": (promotion_forgets, cluster(ELECTS), "branches_begin_with_what_was_flushed"),
    "what was confirmed is forgotten": (
        promotion_forgets,
        cluster("manager: manual, at: 120ms, promote: s1", rule="FIRST 1 (s1)"),
        "no_acknowledged_commit_is_lost",
    ),
    "nobody diverges": (
        nobody_diverges, cluster("manager: manual, at: 120ms, promote: s2"), "replies_are_true"
    ),
    "a cascade stays behind": (cascade_stays, cluster(ELECTS), "stages_follow_each_other"),
}  # fmt: skip
"""Each wrong engine, a cluster in which that shows, and the check that sees it."""


def seen_in(scenario: replsim.Scenario, engine: AbstractContextManager[None] | None = None) -> set[str]:
    """The checks that find something wrong with a run."""
    with engine or patch.dict({}):
        record = replsim.run(scenario, engine="events").record
    return {found.partition(":")[0] for found in violations(record)}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_failover_is_found_out(name: str) -> None:
    """The check sees the broken run, and finds nothing wrong with the same cluster otherwise."""
    mutant, scenario, check = WRONG[name]
    assert check in seen_in(scenario, mutant())
    assert seen_in(scenario) == set()
