"""The lives of commits that a failover undoes, and of those whose clients never learned what became of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import replsim
from replsim import plots
from replsim.analysis.life import choose_commit, commit_life
from replsim.record.branch import shared
from replsim.units import NEVER, SECOND

CRASH: dict[str, Any] = {
    "name": "crash",
    "duration": "80s",
    "standbys": {"s1": {}, "s2": {}},
    "links": {"p -> s1": {"latency": "20ms"}, "p -> s2": {"latency": "30ms"}, "s1 -> s2": {"latency": "20ms"}},
    "writers": {"app": {"arrivals": "deterministic", "rate": "400/s"}},
    "faults": [{"at": "10s", "crash": "p"}],
    "failover": {"manager": "patroni", "ttl": "22s", "loop_wait": "2s", "retry_timeout": "10s", "routing": "1s"},
}


@pytest.fixture(scope="module")
def crash() -> replsim.Result:
    """An asynchronous primary dies with its last 20 ms of WAL on the way."""
    return replsim.run(replsim.Scenario.model_validate(CRASH))


def test_a_lost_commit_is_told_when_and_to_whom(crash: replsim.Result) -> None:
    """The first commit that was lost: acknowledged, never on the standby that was promoted, and undone by it."""
    branch = crash.record.branches[-1]
    row = choose_commit(crash.facts, "lost")
    told = crash.commits["acknowledged"][row]
    assert told < 10 * SECOND < branch.start
    assert crash.commits["lsn"][row] > branch.fork
    # All before it in the log are in the history that goes on.
    assert crash.commits["lsn"][row - 1] <= branch.fork

    life = commit_life(crash.facts, row)
    assert (life.primary, life.undone) == ("p", branch)
    assert life.time("s1", "apply") is life.time("s2", "apply") is None
    assert life.time(branch.node, "undone") == branch.start
    said = plots.reading("follow", crash, commit="lost")
    assert said.endswith(
        f" It had been acknowledged at {told / 1e9:.3g} s, and was lost when {branch.node} was promoted without it at "
        f"{branch.start / 1e9:.3g} s. It was on its way to s1 and s2 when p went down at 10 s."
    )
    on_its_way = [each for each in life.messages if each.lost]
    assert [(each.start.place, each.end.place, each.end.time) for each in on_its_way] == [
        ("p", "s1", 10 * SECOND),
        ("p", "s2", 10 * SECOND),
    ]
    words = [note.text for note in plots.follow(crash, "lost").layout.annotations]
    assert any(word.startswith("goes on without it after ") for word in words)
    assert {"dies", "lost"} <= set(words), "the diagram reaches to the death, and shows what never arrived"


def test_as_many_can_be_followed_as_the_ledger_counts(crash: replsim.Result) -> None:
    """The commits whose life ends in being undone, and that were acknowledged, are those that the ledger counts."""
    lives = [commit_life(crash.facts, row) for row in range(choose_commit(crash.facts, "lost") - 5, 4100)]
    lost = [life for life in lives if life.undone and life.time("its client", "acknowledged")]
    assert len(lost) == crash.metrics["lost_commits"] > 5


def test_a_commit_of_the_new_primary_goes_its_own_way(crash: replsim.Result) -> None:
    """After the promotion a commit is inserted on the new primary and sent by it, and it survives."""
    branches = crash.record.branches
    new = branches[-1].node
    own = np.flatnonzero(crash.commits["acknowledged"][branches[-1].first : crash.facts.count] < NEVER)
    row = branches[-1].first + int(own[len(own) // 2])
    life = commit_life(crash.facts, row)
    assert life.primary == new
    assert life.undone is None
    assert life.time(new, "inserted") == crash.commits["inserted"][row]
    other = "s2" if new == "s1" else "s1"
    sent, received = life.time(new, f"sent to {other}"), life.time(other, "receive")
    assert sent is not None
    assert received is not None
    assert received - sent >= 20_000_000
    assert shared(branches, len(branches) - 1, 0) == branches[-1].fork


def test_the_client_of_an_unknown_commit_never_learned(crash: replsim.Result) -> None:
    """A commit that its primary took and could not answer is unknown to its client, and its story says so."""
    synchronous = {"synchronous_standby_names": "FIRST 1 (s2)"}
    result = replsim.run(replsim.Scenario.model_validate(CRASH | {"primary": synchronous}))
    said = plots.reading("follow", result, commit="unknown")
    row = choose_commit(result.facts, "unknown")
    assert said.startswith(
        f"Commit {row} of app (synchronous_commit = on) is unknown to its client: p went away before it could "
    )
    assert result.commits["acknowledged"][row] == NEVER
    plots.follow(result, "unknown").to_json()
