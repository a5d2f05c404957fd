"""Closed-loop users whose next write waits for what they read, while something breaks."""

from __future__ import annotations

from typing import Any

import pytest

import replsim
from replsim.analysis.checks import violations
from replsim.errors import UnsupportedScenario

USERS = """
name: users who read their own writes
duration: 200ms
standbys: {s1: {}}
links: {p -> s1: {latency: 1ms}}
sessions: {user: {count: 2, think: 5ms, reads: 1, route: s1, guarantee: read_your_writes, by: wait, timeout: 30ms}}
"""


def test_they_bear_what_kills_nobody() -> None:
    """A link that is cut for a while makes them wait; that their promise holds is found from outside."""
    cut = replsim.loads(USERS).changed(faults=[{"at": "50ms", "for": "20ms", "cut": "p -> s1"}])
    result = replsim.run(cut)
    assert result.metrics["promises.broken"] == 0
    assert result.metrics["promises.waited"] > 0
    assert violations(result.record) == []


@pytest.mark.parametrize(
    "change",
    [{"faults": [{"at": "50ms", "crash": "s1"}]}, {"failover": {"manager": "quorum"}}],
    ids=["crash", "manager"],
)
def test_they_are_refused_where_a_node_may_die(change: dict[str, Any]) -> None:
    """The refusal names them, and says why."""
    with pytest.raises(UnsupportedScenario, match=r"sessions\.user .* a node that dies"):
        replsim.run(replsim.loads(USERS).changed(**change))
