"""Sweep: a grid of two knobs fills in, and each cell is a state of Explore."""

from __future__ import annotations

import numpy as np
import pytest

from dashboard.knobs import knobs
from dashboard.links import Setup
from dashboard.sources import gallery, scenario_of
from dashboard.sweeps import MOST_CELLS, Grid, Sweeping, some, sweepable
from replsim import front
from replsim.errors import RunCancelled
from tests.dashboard.pages import open_page

SHORT = Setup("quickstart/async-replica").changed({"duration": "3s", "warmup": "0s"})
METRIC = "s1.lag.seconds.p99"


def grid() -> Grid:
    """Two rates by two replay costs."""
    offered = sweepable(knobs(scenario_of(SHORT)))
    rate, replay = offered["writers.app.rate"], offered["standbys.s1.replay.per_record"]
    return Grid(rate, replay, (100.0, 700.0), (100_000, 2_000_000))


def test_each_cell_is_the_mean_of_its_runs() -> None:
    """What a cell shows is what its scenario gives, run by itself on the same seeds."""
    scenario = scenario_of(SHORT)
    sweeping = Sweeping(grid(), METRIC, "Lag s1 p99", 2).start(scenario)
    sweeping.future.result(120)
    assert sweeping.share == 1
    for cell in range(4):
        alone = scenario_of(SHORT.changed(sweeping.grid.changes(cell)))
        runs = [front.run(alone, seed=scenario.seed + nth).metrics[METRIC] for nth in range(2)]
        row, column = divmod(cell, 2)
        assert sweeping.means[row, column] == pytest.approx(np.mean(runs), rel=1e-12)


def test_a_cancelled_sweep_keeps_what_is_finished() -> None:
    """Cancel ends it after the run that is under way; cells without a run stay empty."""
    sweeping = Sweeping(grid(), METRIC, "Lag s1 p99", 1)
    sweeping.cancelled = True
    sweeping.start(scenario_of(SHORT))
    with pytest.raises(RunCancelled):
        sweeping.future.result(120)
    assert sweeping.share < 1
    assert np.isnan(sweeping.means).any()


def test_every_scenario_has_two_knobs_to_sweep() -> None:
    """Of whatever is on the shelf at least two knobs change one place each, and a few values of each are chosen."""
    for base in gallery():
        offered = sweepable(knobs(scenario_of(Setup(base))))
        assert len(offered) >= 2, base
        for knob in offered.values():
            chosen = some(knob.options, knob.value)
            assert 2 <= len(chosen) <= MOST_CELLS**0.5
            assert set(chosen) <= set(knob.options)


def test_the_page_sweeps_at_once() -> None:
    """Without a click it starts on rate by replay cost, within the page's bounds."""
    at = open_page("sweep", "duration=2s", "warmup=0s")
    assert not at.warning
    assert at.get("plotly_chart"), "the map is there, be it half empty"
