"""Who was primary, what was lost, and how it differs from seed to seed: against a failover told by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import replsim
from replsim import plots
from replsim.analysis.reigns import Stretch, absences, fates, milestones, reigns
from replsim.units import SECOND

CRASH: dict[str, Any] = {
    "name": "operator",
    "duration": "40s",
    "standbys": {"s1": {}},
    "links": {"p -> s1": {"latency": "20ms"}},
    "writers": {"app": {"arrivals": "deterministic", "rate": "400/s"}},
    "faults": [{"at": "10s", "for": "10s", "crash": "p"}],
    "failover": {"manager": "manual", "at": "15s", "promote": "s1", "routing": "1s"},
}


def run(seed: int = 0, **changes: Any) -> replsim.Result:
    """The crash, with something changed."""
    return replsim.run(replsim.Scenario.model_validate(CRASH | changes), seed=seed)


@pytest.fixture(scope="module")
def crash() -> replsim.Result:
    """The primary dies at 10 s, is up again at 20 s; an operator promotes s1 at 15 s, which takes 0.1 s."""
    return run()


def test_one_reign_ends_with_the_crash_and_one_begins_with_the_promotion(crash: replsim.Result) -> None:
    """From 10 s to 15.1 s nobody is primary; the old one is down until 20 s, and then until it is rewound."""
    first, second = reigns(crash.facts)
    assert first == Stretch("p", 0, 10 * SECOND, 1)
    assert (second.node, second.timeline, second.end) == ("s1", 2, 40 * SECOND)
    assert second.start == pytest.approx(15.1 * SECOND, abs=0.05 * SECOND)
    assert absences(crash.facts) == (Stretch("p", 10 * SECOND, 20 * SECOND), Stretch("p", 20 * SECOND, 30 * SECOND))
    happened = [(each.node, each.what) for each in milestones(crash.facts)]
    assert happened[:3] == [("s1", "promoting"), ("s1", "promoted"), ("s1", "serves the clients")]


def test_two_are_primary_while_the_brain_is_split() -> None:
    """A primary that is cut off and not fenced goes on beside the new one until it learns of it."""
    split = replsim.run("failures/split-brain")
    old, new = reigns(split.facts)
    assert old.end > new.start
    (learned,) = (each for each in milestones(split.facts) if each.what == "learns of the new primary")
    assert old.end == learned.time


def test_every_commit_has_one_fate(crash: replsim.Result) -> None:
    """What is lost was on its way for 20 ms; what came in six seconds without a primary failed; none counts twice."""
    counts = fates(crash.facts)
    assert counts["lost"] == crash.metrics["lost_commits"]
    assert counts["lost"] == pytest.approx(0.020 * 400, abs=3)
    assert counts["failed"] == pytest.approx(6.1 * 400, rel=0.02)
    assert sum(counts.values()) + crash.metrics["pending_commits"] == len(crash.commits["outcome"])


def test_the_bars_are_the_reigns(crash: replsim.Result) -> None:
    """Each node has a row; bars are where it was primary or down, in the unit of the axis."""
    figure = plots.primaries(crash)
    bars = [(bar.y[0], bar.base[0], bar.base[0] + bar.x[0]) for bar in figure.data if bar.type == "bar"]
    assert bars == [("p", 0, 10), ("s1", pytest.approx(15.1, abs=0.05), 40), ("p", 10, 20), ("p", 20, 30)]
    assert list(figure.layout.yaxis.categoryarray) == ["s1", "p"], "the primary is above"
    said = plots.reading("primaries", crash)
    assert said.startswith("p was the primary until 10 s and s1 from 15.1 s on; clients reached s1 at 16.")


def test_nobody_takes_over_where_nobody_may() -> None:
    """Without a manager a dead primary has no heir; without a fault there is one reign."""
    alone = run(faults=[{"at": "10s", "crash": "p"}], failover={"manager": "none"})
    assert plots.reading("primaries", alone) == "p was the primary until 10 s, and nobody took its place."
    calm = run(faults=[], failover={"manager": "none"})
    assert plots.reading("primaries", calm) == "p was the primary all the time."
    assert plots.reading("recovery", calm, of="rto") == "Nothing was broken."
    assert plots.reading("commit_fates", calm) == "No acknowledged commit was lost."
    again = run(failover={"manager": "none"})
    assert plots.reading("primaries", again) == "p was the primary until 10 s and p again from 20 s on."


def test_the_fates_are_drawn_and_told(crash: replsim.Result) -> None:
    """The bars have the ledger's counts, and the sentence has how much WAL and how much time that was."""
    counts = fates(crash.facts)
    (bars,) = plots.commit_fates(crash).data
    assert list(bars.customdata) == [counts[name] for name in ("kept", "lost", "unknown", "failed")]
    said = plots.reading("commit_fates", crash)
    assert said.startswith(f"{counts['lost']} of {counts['kept'] + counts['lost']:,} acknowledged commits were lost: ")
    assert f"{counts['failed']:,} found no primary." in said


@pytest.mark.parametrize("measure", ["lost_commits", "rpo.seconds", "rto"])
def test_over_seeds_there_is_a_distribution(measure: Any) -> None:
    """The share of seeds rises to one over the values of the metric, whose range the sentence has."""
    results = [run(seed, writers={"app": {"rate": "400/s"}}) for seed in range(4)]
    (curve,) = plots.recovery(results, of=measure).data
    values = np.sort([each.metrics[measure] for each in results])
    assert list(curve.y) == [0.25, 0.5, 0.75, 1.0]
    assert np.asarray(curve.x) / np.asarray(curve.x)[-1] == pytest.approx(values / values[-1])
    assert "4 seeds: " in plots.reading("recovery", results, of=measure)
