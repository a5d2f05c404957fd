"""What is said of a result, word by word; each number can be worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

import replsim
from replsim import plots
from replsim.errors import NotInResult
from tests.plots.clockwork import clockwork

SAID: list[tuple[str, dict[str, Any], str]] = [
    # A ramp of 24 ms (8 ms) every 100 ms: 24² / 2 / 100 = 2.88 ms.
    (
        "lag",
        {},
        "far was on average 2.88 ms behind (at most 24 ms), near 320 µs. 10 % of the reads on far were stale.",
    ),
    (
        "lag",
        {"kind": "bytes"},
        "far was on average 144 B behind (at most 600 B), near 48 B. 10 % of the reads on far were stale.",
    ),
    (
        "lag",
        {"kind": "commits"},
        "far was on average 0.24 commits behind (at most 1), near 0.08. 10 % of the reads on far were stale.",
    ),
    ("loss", {}, "Whenever the primary had died, some standby would have had every acknowledged commit."),
    ("commit_latency", {}, "Half of the commits took at most 13 ms, 99 in 100 at most 13 ms, the slowest 13 ms."),
    (
        "breakdown",
        {},
        "A commit took 13 ms on average: 38.5 % network out, 38.5 % network back and 15.4 % remote flush.",
    ),
    (
        "stale_reads",
        {},
        "5 % of reads missed a commit that its client already knew of: 0 % on near and 10 % on far. "
        "99 in 100 reads were at most 7 ms out of date.",
    ),
    (
        "stale_reads",
        {"by": "reader"},
        "5 % of reads missed a commit that its client already knew of. 99 in 100 reads were at most 7 ms out of date.",
    ),
    (
        "t_visibility",
        {},
        "99 in 100 commits can be seen at once on near and after 11 ms on far, counted from their acknowledgement.",
    ),
    ("topology", {"at": 1.010}, "At 1.01 s near had all and far lacked 1 commit (10 ms)."),
    ("topology", {"at": 1.050}, "At 1.05 s every standby had all commits."),
    (
        "follow",
        {"commit": 11},
        "Commit 11 of app (synchronous_commit = on) took 13 ms: 1 ms for the primary's flush, 5 ms on the way to near, "
        "2 ms for near's flush and 5 ms for near's reply back. It waited for near (ANY 1 (near, far)). A read sent "
        "once its client knew of it could still miss it for 11 ms on far. near showed it before its client knew.",
    ),
    # Reads are every 5 ms from 5 ms on: number 383 comes at 1.92 s, 7 ms after commit 18 (at 1.9 s) was acknowledged.
    (
        "follow_read",
        {"read": 383},
        "Read 383 of web looked at far at 1.92 s and missed 1 commit. The first of them, commit 18, had been "
        "acknowledged 7 ms before the read was issued, but was applied on far only 4 ms after the read looked.",
    ),
    (
        "follow_read",
        {"read": 382},
        "Read 382 of web looked at near at 1.92 s and saw everything that a client had been told of.",
    ),
]


@pytest.fixture(scope="module")
def result() -> replsim.Result:
    """The clockwork, run."""
    return clockwork()


@pytest.mark.parametrize(("figure", "options", "words"), SAID)
def test_what_is_said(result: replsim.Result, figure: str, options: dict[str, Any], words: str) -> None:
    """A reading says in a sentence what its figure shows of this result."""
    assert plots.reading(figure, result, **options) == words
    assert result.plot.reading(figure, **options) == words


def test_of_several_runs_the_median_is_said(result: replsim.Result) -> None:
    """The reading of several runs has their medians, and says so."""
    others = [
        clockwork(links={"p -> near": {"latency": way}, "p -> far": {"latency": "20ms"}}) for way in ("1ms", "6ms")
    ]
    said = plots.reading("commit_latency", [result, *others])
    assert said == (
        "Half of the commits took at most 13 ms, 99 in 100 at most 13 ms, the slowest 13 ms. (Medians over 3 seeds.)"
    )


def test_a_standby_that_does_not_keep_up_is_called_so() -> None:
    """Replay that takes longer than the gap between commits falls behind for ever, and that is said."""
    slow = {"near": {"replay": {"per_record": "0.15s"}}}
    result = clockwork(standbys=slow, links={"p -> near": {"latency": "5ms"}}, primary={}, readers={})
    # Arrivals every 100 ms, departures every 150 ms: a third of a second is lost a second.
    assert "near was on average" in plots.reading("lag", result)
    (lost,) = [part for part in plots.reading("lag", result).split(". ") if part.startswith("It falls behind")]
    assert lost.startswith("It falls behind by 3")
    assert lost.endswith(" ms a second: it does not keep up.")


def test_what_would_be_lost_is_said() -> None:
    """With an asynchronous standby 20 ms away a commit is in danger from its answer (1 ms) to its arrival (21 ms)."""
    alone = {"far": {"wal_device": {"flush": "2ms", "write": "0s"}}}
    result = clockwork(standbys=alone, links={"p -> far": {"latency": "20ms"}}, readers={}, primary={
        "wal_device": {"flush": "1ms", "write": "0s"},
    })  # fmt: skip
    assert plots.reading("loss", result) == (
        "Had the primary died, the standby with the most WAL would have lacked 0.2 acknowledged commits on average, 1 "
        "at most; the chance to lose any was 20 %."
    )


def test_commits_that_hang_are_said_to_hang() -> None:
    """Commits that wait for a standby that cannot answer are counted, and followed as what they are."""
    result = clockwork(primary={"synchronous_standby_names": "ANY 3 (near, far)"})
    assert plots.reading("commit_latency", result) == (
        "No commit was acknowledged within the measured window. 19 were still waiting at the end, for longer than any "
        "other took."
    )
    said = plots.reading("follow", result, commit="pending")
    assert said.startswith(
        "Commit 0 of app (synchronous_commit = on) was pending at the end of the run: it waited for ANY 3 (near, far)."
    )
    assert said.endswith("near and far showed it before its client knew.")
    with pytest.raises(NotInResult, match="no commit was acknowledged"):
        plots.reading("follow", result)


def test_a_figure_that_is_not_there_is_named() -> None:
    """Asking for the reading of an unknown figure names those that there are."""
    with pytest.raises(ValueError, match="there is no figure 'lags'; there are lag, loss, commit_latency"):
        plots.reading("lags", clockwork())
