"""Settings side by side: each at its latency and staleness, as large as its loss."""

from __future__ import annotations

import numpy as np
import pytest

import replsim
from replsim import plots

LEVELS = ("local", "on", "remote_apply")


@pytest.fixture(scope="module")
def settings() -> dict[str, list[replsim.Result]]:
    """Three levels with two seeds each."""
    found = {}
    for level in LEVELS:
        scenario = replsim.load("three-nodes", overrides={"primary.synchronous_commit": level}).changed(duration="4s")
        found[level] = [replsim.run(scenario, seed=seed) for seed in (1, 2)]
    return found


def test_each_setting_stands_at_its_metrics(settings: dict[str, list[replsim.Result]]) -> None:
    """A point is at the median of its runs' latency and staleness, and the cross reaches from one to the other."""
    figure = plots.tradeoff(settings)
    assert [trace.name.partition(":")[0] for trace in figure.data] == list(LEVELS)
    for trace, runs in zip(figure.data, settings.values(), strict=True):
        right = [run.metrics["commit_latency.p99"] for run in runs]
        up = [run.metrics["stale_reads.fraction"] for run in runs]
        assert trace.x[0] == pytest.approx(np.mean(right))
        assert trace.y[0] == pytest.approx(np.mean(up))
        assert trace.x[0] + trace.error_x.array[0] == pytest.approx(max(right))
        assert trace.x[0] - trace.error_x.arrayminus[0] == pytest.approx(min(right))
    assert figure.layout.xaxis.type == "log"
    assert figure.layout.xaxis.title.text == "commit latency p99 (log)"


def test_who_loses_more_is_larger(settings: dict[str, list[replsim.Result]]) -> None:
    """The size of a point grows with what would be lost, and its legend says how much that is."""
    figure = plots.tradeoff(settings)
    lost = {
        level: np.median([run.metrics["loss_if_primary_dies.commits.mean"] for run in runs])
        for level, runs in settings.items()
    }
    sizes = {trace.name.partition(":")[0]: trace.marker.size for trace in figure.data}
    assert lost["local"] > lost["on"] == 0
    assert sizes["local"] > sizes["on"]
    assert [trace.name for trace in figure.data if trace.name.startswith("on")] == ["on: loses 0 commits"]


def test_other_metrics_can_be_named(settings: dict[str, list[replsim.Result]]) -> None:
    """Latency, staleness and loss may be any metrics; without readers staleness is when a commit can be seen."""
    figure = plots.tradeoff(settings, latency="commit_latency.p50", staleness="s2.lag.seconds.p99")
    assert figure.layout.xaxis.title.text == "commit latency p50 (log)"
    assert figure.layout.yaxis.title.text == "s2 lag seconds p99 (log)"
    silent = replsim.run(replsim.load("three-nodes").changed(duration="4s", readers={}))
    assert plots.tradeoff({"silent": silent}).layout.yaxis.title.text == "t visibility p99 (log)"


def test_settings_of_which_nothing_is_known_are_left_out() -> None:
    """A setting without a latency or without any staleness has no place; without all of them the figure says so."""
    alone = replsim.run(
        replsim.load("three-nodes").changed(duration="4s", standbys={}, links={}, readers={}, primary={}, expect=[])
    )
    assert not plots.tradeoff({"alone": alone}).data


def test_what_is_better_in_everything_is_said(settings: dict[str, list[replsim.Result]]) -> None:
    """Levels pay for one thing with another; the same level on a slower disk is worse in all, and named."""
    assert plots.tradeoff_reading(settings).startswith("None of them is better than another in everything")
    slow = replsim.load("three-nodes", overrides={"primary.wal_device.flush": "9ms"}).changed(duration="4s")
    quick = replsim.load("three-nodes").changed(duration="4s")
    said = plots.tradeoff_reading(
        {"slow": replsim.run(slow), "quick": replsim.run(quick)}, staleness="commit_latency.p50"
    )
    assert said == "quick is as good as slow in everything, and better in something."
