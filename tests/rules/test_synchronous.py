"""Patroni's synchronous modes: whom it names, and who may promote."""

from __future__ import annotations

from itertools import combinations

import pytest

from replsim.rules.acks import SyncRule
from replsim.rules.synchronous import Mode, SyncKey, alone, named


def test_on_names_those_who_were_named_and_then_those_who_have_most() -> None:
    """A named standby stays while it streams; the place of one that is gone goes to the best of the others."""
    streaming = {"s1": 10, "s2": 30, "s3": 20}
    assert str(named("on", streaming, ("s1",), 2)) == "FIRST 2 (s1, s2)"
    assert str(named("on", streaming, ("s4",), 1)) == "FIRST 1 (s2)"


def test_fewer_standbys_than_asked_for_are_all_named() -> None:
    """The manager names no more than there are: two of two, and one of one."""
    assert str(named("strict", {"s1": 1}, (), 2)) == "FIRST 1 (s1)"
    assert str(named("quorum", {"s1": 1}, (), 2)) == "ANY 1 (s1)"


@pytest.mark.parametrize(("mode", "rule"), [("on", ""), ("strict", "FIRST 1 (*)"), ("quorum", "")])
def test_without_standbys_only_strict_goes_on_waiting(mode: Mode, rule: str) -> None:
    """Strict waits for any standby that comes; the others go on alone, and in no mode may anybody promote."""
    assert str(alone(mode)) == str(named(mode, {}, ("s1",), 1)) == rule
    key = SyncKey.settled("p", SyncRule.parse("s1")).changing(alone(mode))
    assert key.electable({"p": 1, "s1": 9}) == ("p",)


def test_only_members_may_promote() -> None:
    """Of two standbys the one that was named may take over, however far the other is."""
    key = SyncKey.settled("p", SyncRule.parse("s1"))
    assert key.electable({"s1": 10, "s2": 90}) == ("s1",)


def test_a_standby_that_is_named_later_is_a_member_later() -> None:
    """While the rule turns from s1 to s2, neither may promote: one may miss the new commits, one the old ones."""
    key = SyncKey.settled("p", SyncRule.parse("s1")).changing(SyncRule.parse("s2"))
    assert key.electable({"s1": 10, "s2": 90}) == ()


def test_a_voter_needs_enough_others_that_are_no_further() -> None:
    """Of three voters under ANY 1 the winner must see both others behind it; under ANY 2 one other."""
    positions = {"s1": 5, "s2": 9}
    assert SyncKey.settled("p", SyncRule.parse("ANY 1 (s1, s2, s3)")).electable(positions) == ()
    assert SyncKey.settled("p", SyncRule.parse("ANY 2 (s1, s2, s3)")).electable(positions) == ("s2",)


def test_a_new_leader_waits_for_as_many_as_could_not_be_asked() -> None:
    """The old leader takes the winner's place among the voters; alone it would not be enough for ANY 2."""
    key, rule = SyncKey.settled("p", SyncRule.parse("ANY 2 (s1, s2, s3)")).handed_over("s2", "quorum")
    assert str(rule) == "ANY 2 (s1, s3, p)"
    assert key == SyncKey("s2", ("s1", "s3", "p"), 1)


@pytest.mark.parametrize(("mode", "rule"), [("on", ""), ("strict", "FIRST 1 (*)")])
def test_a_new_leader_without_a_quorum_begins_alone(mode: Mode, rule: str) -> None:
    """Nobody may take over from it before it has named somebody, and strict waits for whoever comes first."""
    key, begins = SyncKey.settled("p", SyncRule.parse("FIRST 1 (s1)")).handed_over("s1", mode)
    assert (key, str(begins)) == (SyncKey("s1"), rule)


def test_each_of_those_that_all_must_confirm_is_confirmed_by_itself() -> None:
    """Of FIRST 2 the one that has caught up is a member, before the other has; of ANY 2 none is."""
    key, flushed = SyncKey("p"), {"s1": 100, "s2": 40}
    assert key.confirmed(SyncRule.parse("FIRST 2 (s1, s2)"), flushed, 90).members == ("s1",)
    assert key.confirmed(SyncRule.parse("ANY 2 (s1, s2)"), flushed, 90).members == ()
    assert key.confirmed(SyncRule.parse("ANY 1 (s1, s2)"), flushed, 90).members == ("s1", "s2")


RULES = ["ANY 1 (s1, s2)", "ANY 2 (s1, s2)", "ANY 1 (s2, s3)", "ANY 2 (s1, s2, s3)", "ANY 1 (s3)", "ANY 2 (s3, s4)"]


@pytest.mark.parametrize("before", RULES)
@pytest.mark.parametrize("after", RULES)
def test_whoever_may_promote_has_what_was_acknowledged(before: str, after: str) -> None:
    """Whichever standbys acknowledged a commit under the old rule or the new one, no winner can miss it."""
    old, new = SyncRule.parse(before), SyncRule.parse(after)
    keys = [(SyncKey.settled("p", old), [old]), (SyncKey.settled("p", old).changing(new), [old, new])]
    names = ("s1", "s2", "s3", "s4")
    for key, rules in keys:
        for rule in rules:
            for having in combinations(rule.names, rule.count):
                for reached in (part for size in range(1, 5) for part in combinations(names, size)):
                    winners = key.electable({name: int(name in having) for name in reached})
                    assert set(winners) <= set(having)
