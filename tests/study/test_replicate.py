"""The same scenario with many seeds: every metric with an interval, as many seeds as it takes, and what to doubt."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import replsim
from replsim.analysis import names_for
from replsim.errors import StudyError


def test_every_metric_has_an_estimate_of_the_runs_values(tiny: replsim.Scenario) -> None:
    """The mean over five seeds is the mean of five single runs, for every metric that the scenario has."""
    found = replsim.replicate(tiny, 5)
    assert list(found.estimates) == names_for(tiny)
    single = [replsim.run(tiny, seed=seed) for seed in (3, 4, 5, 6, 7)]
    assert found.seeds == (3, 4, 5, 6, 7)
    for name in ("commit_latency.p99", "app.throughput", "stale_reads.fraction"):
        values = [result.metrics[name] for result in single]
        assert found[name].mean == pytest.approx(np.mean(values), rel=1e-12)
        assert found[name].low < found[name].value < found[name].high


def test_chances_and_globs_can_be_asked_for(tiny: replsim.Scenario) -> None:
    """`P(…)` is the share of the runs in which something held; `*` stands for any part of a name."""
    found = replsim.replicate(tiny, 8, metrics=["P(commit_latency.max > 9ms)", "s1.lag.bytes.*"])
    assert [*found.estimates][1:] == [f"s1.lag.bytes.{name}" for name in ("mean", "p50", "p99", "max")]
    over = [replsim.run(tiny, seed=seed).metrics["commit_latency.max"] > 9e-3 for seed in found.seeds]
    assert 0 < sum(over) < 8, "some runs and not others, or this shows nothing"
    chance = found["P(commit_latency.max > 9ms)"]
    assert (chance.value, chance.method) == (sum(over) / 8, "Wilson")


def test_seeds_are_added_until_the_interval_is_narrow(tiny: replsim.Scenario) -> None:
    """It stops when the half width is below the bound, and not a round earlier; the seeds go on from the first."""
    found = replsim.replicate(tiny, 5, metrics=["commit_latency.p50"], until="relative_half_width < 2%")
    assert found["commit_latency.p50"].relative_half_width < 0.02
    assert found.seeds == tuple(range(3, 3 + len(found.seeds)))
    assert len(found.seeds) > 5
    assert not found.warnings
    fewer = replsim.replicate(tiny, len(found.seeds) // 2, metrics=["commit_latency.p50"])
    assert fewer["commit_latency.p50"].relative_half_width > 0.02


def test_a_cap_ends_the_search_for_a_narrow_interval_and_says_so(tiny: replsim.Scenario) -> None:
    """With at most eight runs the interval is what it is, and the warning tells that it was to be narrower."""
    found = replsim.replicate(tiny, 5, metrics=["commit_latency.p99"], until="half_width<1us", most=8)
    assert len(found.seeds) == 8
    assert found.warnings == ["commit_latency.p99: its interval is not yet as narrow as asked for: allow more runs"]


def test_an_overloaded_queue_has_no_mean(tiny: replsim.Scenario) -> None:
    """Replay that cannot keep up is told as having no steady state, in the estimate and in words."""
    slow = {"standbys.s2.replay.per_record": "4ms", "duration": "10s"}
    found = replsim.replicate(tiny, 4, metrics=["s2.lag.seconds.mean", "commit_latency.p50"], overrides=slow)
    assert not found["s2.lag.seconds.mean"].settled
    assert found["commit_latency.p50"].settled
    assert found.warnings[0].startswith("s2.lag had not settled in 4 of 4 runs: it has no steady state")
    assert "no steady state" in found._repr_html_()


def test_expectations_are_counted_over_the_runs(tiny: replsim.Scenario) -> None:
    """What the scenario expects holds in so many of the runs, whatever metrics were asked for."""
    strict = tiny.changed(expect=["commit_latency.max < 9ms", "throughput > 1/s"])
    found = replsim.replicate(strict, 8, metrics=["s1.lag.bytes.max"])
    held = [replsim.run(strict, seed=seed).expectations[0].held for seed in found.seeds]
    assert [round(one.value * 8) for one in found.expectations.values()] == [sum(held), 8]
    assert not found.held


def test_mistakes_are_told_before_anything_runs(tiny: replsim.Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be studied is refused at once, with the mend."""
    monkeypatch.setattr("replsim.front.run", lambda *_, **__: pytest.fail("it ran"))
    for message, arguments in {
        "unknown metric 'commit_latncy.p99', did you mean 'commit_latency.p99'": {"metrics": ["commit_latncy.p99"]},
        "needs a unit": {"metrics": ["P(commit_latency.p99 > 6)"]},
        "no metric of this scenario is called": {"metrics": ["nothing.*"]},
        "expected 'relative_half_width<2%'": {"until": "soon"},
        "a duration needs a unit": {"until": "commit_latency.p99.half_width<5"},
        "at least one seed": {"seeds": 0},
        "given twice": {"seeds": [1, 2, 1]},
        "jobs is at least 1": {"executor": 0},
    }.items():
        with pytest.raises(StudyError, match=message):
            replsim.replicate(tiny, **arguments)  # type: ignore[arg-type]


def test_tables_are_written_whole_in_three_formats(tiny: replsim.Scenario, tmp_path: Path) -> None:
    """A row a run, and a row a measure, in CSV, JSON and parquet, with the same numbers."""
    import pandas as pd

    found = replsim.replicate(tiny, 3, metrics=["throughput", "s1.lag.bytes.max"])
    from replsim.study.table import save

    for ending in ("csv", "json", "parquet"):
        save(found.runs, tmp_path / f"runs.{ending}")
    frames = [
        pd.read_csv(tmp_path / "runs.csv"),
        pd.read_json(tmp_path / "runs.json"),
        pd.read_parquet(tmp_path / "runs.parquet"),
    ]
    for frame in frames:
        assert list(frame.columns) == ["setting", "seed", "throughput", "s1.lag.bytes.max"]
        assert frame["seed"].tolist() == [3, 4, 5]
        assert frame["throughput"].tolist() == found.sample.values["throughput"].tolist()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["runs.csv", "runs.json", "runs.parquet"]
    with pytest.raises(StudyError, match="written as"):
        save(found.runs, tmp_path / "runs.xlsx")


def test_all_of_it_is_json(tiny: replsim.Scenario) -> None:
    """What a replication found goes through JSON, with the command that makes it again."""
    told = json.loads(json.dumps(replsim.replicate(tiny, 2, metrics=["throughput"]).to_dict(), allow_nan=False))
    assert told["command"] == "replsim run tiny.yaml --seeds 2"
    assert told["estimates"]["throughput"]["unit"] == "1/s"
    assert told["expectations"] == {"commit_latency.p99 < 1s": {"held": 2, "runs": 2}}
