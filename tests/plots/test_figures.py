"""The data in the figures, against what is worked out by hand or counted one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import replsim
from replsim import plots
from replsim.plots.palette import BAD, see_through
from replsim.units import NEVER, SECOND
from tests.plots.clockwork import clockwork


@pytest.fixture(scope="module")
def result() -> replsim.Result:
    """The clockwork, run."""
    return clockwork()


@pytest.fixture(scope="module")
def busy() -> replsim.Result:
    """A cluster with luck in it."""
    return replsim.run(replsim.load("three-nodes").changed(duration="6s", warmup="1s"))


def trace(figure: Any, name: str) -> Any:
    """The trace of a name that is in the legend."""
    (found,) = [each for each in figure.data if each.name == name and each.showlegend is not False]
    return found


def test_lag_rises_to_the_way_and_falls_to_nothing(result: replsim.Result) -> None:
    """Lag in seconds climbs from each insert to its apply, in milliseconds, and is nothing in between."""
    far = trace(plots.lag(result), "far")
    assert np.max(far.y) == pytest.approx(24)
    assert np.sum(np.isclose(far.y, 24)) == 19
    assert np.isclose(far.x[np.isclose(far.y, 24)] % 0.1, 0.024, atol=1e-6).all()
    assert set(np.round(far.y, 3)) == {0, 24}
    near = trace(plots.lag(result, kind="bytes"), "near")
    assert set(near.y.tolist()) == {0, 600}


def test_lag_as_the_primary_knows_it_is_drawn_beside(result: replsim.Result) -> None:
    """What the primary knows is later by the reply's way: far's commits are missing for 20 ms more."""
    known = trace(plots.lag(result, kind="commits", measured=True), "far as the primary knows it")
    rises, falls = known.x[known.y == 1], known.x[1:][(known.y[1:] == 0) & (known.y[:-1] == 1)]
    assert known.line.dash == "dot"
    assert falls - rises[: len(falls)] == pytest.approx(0.044, abs=1e-6)


def test_faults_are_shaded_in_the_lag_figure() -> None:
    """A fault is a red stretch from its beginning to its end, with its name; the warm-up is a grey one."""
    faults = '[{"at": "3s", "for": "1s", "cut": "p -> s1"}, {"at": "4.5s", "pause_replay": "s2"}]'
    run = replsim.run(replsim.load("three-nodes", overrides={"faults": faults, "duration": "6s", "warmup": "1s"}))
    for kind in ("seconds", "bytes", "commits"):
        figure = plots.lag(run, kind=kind)
        red = [shape for shape in figure.layout.shapes if shape.fillcolor == see_through(BAD, 0.15)]
        assert [(shape.x0, shape.x1) for shape in red] == [(3, 4), (4.5, 6)]
        assert [note.text for note in figure.layout.annotations] == ["warm-up", "cut p -> s1", "pause replay s2"]
    caught = trace(plots.lag(run), "s1")
    behind = caught.y[(caught.x > 3.9) & (caught.x < 4)]
    assert behind.min() > 0.8, "nearly a second behind when the link is back"


def test_dense_lag_is_mean_and_range(busy: replsim.Result) -> None:
    """Where there are more points than pixels, the line is the mean over each stretch and the area its range."""
    figure = plots.lag(busy)
    line = trace(figure, "s2")
    high, low = [each for each in figure.data if each.legendgroup == "s2" and each.showlegend is False]
    inserted = busy.commits["inserted"][busy.commits["lsn"] < NEVER]
    applied = busy.position("s2", "apply").crossing(busy.commits["lsn"][busy.commits["lsn"] < NEVER])
    moments = np.linspace(0, 6 * SECOND, 240 * 500, endpoint=False, dtype=np.int64) + 6 * SECOND // 240 // 1000
    first = np.searchsorted(applied, moments, side="right")
    ages = np.maximum(moments - np.append(inserted, NEVER)[first], 0).reshape(240, 500) / 1e6
    assert line.y == pytest.approx(ages.mean(axis=1), abs=0.05)
    # Between two samples there may be a peak, of which the figure knows.
    assert (high.y >= ages.max(axis=1) - 1e-3).all()
    assert np.median(high.y - ages.max(axis=1)) < 0.05
    assert (low.y <= ages.min(axis=1) + 1e-3).all()


def test_several_seeds_give_bands(busy: replsim.Result) -> None:
    """Of several runs each line is the median, inside an area from the smallest to the largest."""
    runs = [busy, *(replsim.run(busy.scenario, seed=seed) for seed in (1, 2))]
    for figure in (plots.lag(runs), plots.stale_reads(runs), plots.t_visibility(runs)):
        middle = trace(figure, "s2").y
        high, low = [each.y for each in figure.data if each.name is None and each.legendgroup == "s2"]
        assert (low <= middle).all()
        assert (middle <= high).all()
        assert (low < high).any()
    stale = [[np.mean((run.reads["versions"] > 0)[_reads(run, "s2", 3)]) for run in runs]]
    assert trace(plots.stale_reads(runs), "s2").y[3] == pytest.approx(np.median(stale), rel=1e-6)


def _reads(run: replsim.Result, node: str, stretch: int) -> np.ndarray:
    """Which reads went to a node in one of sixty stretches of the run."""
    table = run.reads
    width = run.scenario.duration / 60
    return (table["node"] == table.words["node"].index(node)) & (table["time"] // width == stretch)


def test_loss_is_what_a_standby_lacks(result: replsim.Result) -> None:
    """A commit is acknowledged after 13 ms and received by far after 21: for 8 ms of every 100 far would lose one."""
    far = trace(plots.loss(result), "far")
    rises, falls = far.x[far.y == 1], far.x[1:][(far.y[1:] == 0) & (far.y[:-1] == 1)]
    assert falls - rises == pytest.approx(0.008, abs=1e-6)
    assert rises % 0.1 == pytest.approx(0.013, abs=1e-6)
    assert not np.any(trace(plots.loss(result), "near").y)


def test_latencies_are_counted(busy: replsim.Result) -> None:
    """Each step of the spread is the share of commits in its bin, and all add up to one."""
    curve = trace(plots.commit_latency(busy), "app")
    edges, shares = curve.x[1:].astype(float), curve.y[1:-1]
    commits = busy.commits
    chosen = (commits["acknowledged"] >= SECOND) & (commits["acknowledged"] < 6 * SECOND)
    waits = (commits["acknowledged"] - commits["submitted"])[chosen] / 1e9
    counted = np.histogram(waits, edges.astype(np.float64))[0] / len(waits)
    assert np.sum(shares) == pytest.approx(1, abs=1e-5)
    assert np.abs(shares - counted).max() < 3 / len(waits)
    assert np.allclose(edges[1:] / edges[:-1], 10 ** (1 / 40), rtol=1e-4)


def test_percentiles_are_marked(busy: replsim.Result) -> None:
    """The median and the 99th percentile stand where the metrics say, with their words at the same place."""
    figure = plots.commit_latency(busy)
    lines = [shape.x0 for shape in figure.layout.shapes]
    assert lines == [busy.metrics["commit_latency.p50"], busy.metrics["commit_latency.p99"]]
    assert [10**each.x for each in figure.layout.annotations] == pytest.approx(lines)
    assert [each.text[:3] for each in figure.layout.annotations] == ["p50", "p99"]


def test_points_over_time_are_commits(busy: replsim.Result) -> None:
    """Each point over time is a commit with its row: a click on it can open that commit.  The slowest is there."""
    points = trace(plots.commit_latency(busy, view="time"), "app")
    rows, commits = points.customdata, busy.commits
    assert len(rows) <= 2000
    assert points.y == pytest.approx((commits["acknowledged"] - commits["submitted"])[rows] / 1e6, rel=1e-6)
    assert points.x == pytest.approx(commits["acknowledged"][rows] / 1e9, rel=1e-6)
    assert np.max(points.y) == pytest.approx(busy.metrics["commit_latency.max"] * 1e3, rel=1e-6)


def test_parts_stack_up_to_the_mean(busy: replsim.Result) -> None:
    """The bars of a row add up to the mean latency of its commits, that of all to the metric."""
    figure = plots.breakdown(busy)
    rows = list(figure.data[0].y)
    assert [row.strip() for row in rows] == ["all", "fastest half", "50–90 %", "90–99 %", "slowest 1 %"]
    totals = sum(np.asarray(bar.x, dtype=np.float64) for bar in figure.data)
    assert totals[0] == pytest.approx(busy.metrics["commit_latency.mean"] * 1e3, rel=1e-6)
    assert (np.diff(totals[1:]) > 0).all()
    assert busy.metrics["commit_latency.p99"] * 1e3 < totals[-1] < busy.metrics["commit_latency.max"] * 1e3
    (app,) = {row.strip() for row in plots.breakdown(busy, by="writer").data[0].y}
    assert app == "app"


def test_parts_of_the_clockwork(result: replsim.Result) -> None:
    """Of 13 ms, 1 is the primary's flush, 5 each way of the network and 2 the standby's flush."""
    bars = {bar.name: bar.x[0] for bar in plots.breakdown(result).data}
    assert bars == pytest.approx({"flush": 1, "network out": 5, "remote flush": 2, "network back": 5})


@pytest.mark.parametrize("by", ["node", "reader"])
def test_stale_reads_are_counted(busy: replsim.Result, by: Any) -> None:
    """The share of stale reads in each stretch is that of counting."""
    name = {"node": "s2", "reader": "web"}[by]
    line = trace(plots.stale_reads(busy, by=by, stretches=12), name)
    table = busy.reads
    mine = table[by] == table.words[by].index(name)
    for stretch in range(12):
        here = mine & (table["time"] // (SECOND // 2) == stretch)
        assert line.y[stretch] == pytest.approx(np.mean(table["versions"][here] > 0), rel=1e-6)
        assert line.customdata[stretch] == np.count_nonzero(here)
        assert line.x[stretch] == pytest.approx(0.25 + stretch / 2)


def test_t_visibility_of_the_clockwork(result: replsim.Result) -> None:
    """A commit is acknowledged after 13 ms and applied on far after 24: it is seen there from 11 ms later on."""
    figure = plots.t_visibility(result)
    far, near = trace(figure, "far"), trace(figure, "near")
    assert (far.y[far.x < 0.01099] == 0).all()
    assert (far.y[far.x > 0.01101] == 1).all()
    assert (near.y == 1).all()


def test_t_visibility_is_counted(busy: replsim.Result) -> None:
    """The curve at a time t is the share of commits that a look t after their acknowledgement sees."""
    curve = trace(plots.t_visibility(busy), "s2")
    commits = busy.commits
    chosen = (commits["acknowledged"] >= SECOND) & (commits["acknowledged"] < 6 * SECOND)
    seen = busy.position("s2", "apply").crossing(commits["lsn"][chosen]) - commits["acknowledged"][chosen]
    for t in (0.001, 0.004, 0.01):
        drawn = curve.y[np.searchsorted(curve.x, t, side="right") - 1]
        assert drawn == pytest.approx(np.mean(seen <= t * 1e9), abs=0.005)


def test_the_lag_of_a_moment_is_written_beside_its_node(result: replsim.Result) -> None:
    """Ten milliseconds after a commit near has it and far has not; the link to far has its 600 bytes."""
    figure = plots.topology(result, at=1.01)
    words = [each.text for each in figure.layout.annotations]
    assert "up to date" in words
    assert "10 ms behind<br>1 commit" in words
    assert "20 ms<br>600 B on its way" in words
    assert "5 ms" in words
    places = {each.text[0]: (each.x[0], each.y[0]) for each in figure.data if each.text}
    assert places == {"<b>p</b>": (0, 0.5), "<b>near</b>": (1, 1), "<b>far</b>": (1, 0)}


def test_what_cannot_be_followed_says_so(result: replsim.Result) -> None:
    """A commit or a read that is not there, or no way to choose one, is an error that says what there is."""
    for follow, wrong, message in (
        (plots.follow, 1000, "no commit 1000: they are numbered from 0 to 18"),
        (plots.follow, -1, "no commit -1"),
        (
            plots.follow,
            "fastest",
            "'fastest' is no way to choose a commit: median, slowest, lost, acknowledged_locally, "
            "unknown, pending or its number",
        ),
        (plots.follow, "lost", "no commit is lost"),
        (plots.follow_read, 400, "no read 400: they are numbered from 0 to 39"),
        (plots.follow_read, "oldest", "'oldest' is no way to choose a read: stalest, median or its number"),
    ):
        with pytest.raises(replsim.ReplsimError, match=message):
            follow(result, wrong)
