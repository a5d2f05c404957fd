"""The figures of studies: what is drawn is what was found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import replsim
from replsim.errors import StudyError
from replsim.scenario import Scenario
from replsim.study.figures import write

TWO = {"links.p -> s1.latency": "1ms..9ms:3", "primary.synchronous_commit": "local,on"}


def test_a_heat_map_has_each_cell_s_estimate_in_words(tiny: Scenario) -> None:
    """Columns and rows are the knobs' values, the colour is the value in the axis' unit, the text has its unit."""
    found = replsim.sweep(tiny, TWO, 2, metrics=["commit_latency.p50", "throughput"])
    (cells,) = found.plot.heat_map().data
    assert tuple(cells.x) == ("1ms", "5ms", "9ms")
    assert tuple(cells.y) == ("local", "on")
    matrix = found.matrix("commit_latency.p50", *TWO)
    assert np.allclose(np.asarray(cells.z), matrix.value * 1e3)
    assert cells.text[1][2].endswith(" ms")
    assert found.plot().data[0].type == "heatmap"
    turned = found.plot.heat_map("throughput", x="primary.synchronous_commit").data[0]
    assert tuple(turned.x) == ("local", "on")


def test_lines_have_a_band_each_and_a_numeric_axis_where_the_knob_is_a_quantity(tiny: Scenario) -> None:
    """Along the latency in milliseconds, a line for each level between the ends of its interval."""
    found = replsim.sweep(tiny, TWO, 3, metrics=["commit_latency.p50"])
    figure = found.plot.lines()
    lines = [trace for trace in figure.data if trace.mode == "lines+markers"]
    assert [line.name for line in lines] == ["local", "on"]
    assert list(lines[0].x) == [1, 5, 9]
    assert figure.layout.xaxis.title.text == "links.p -> s1.latency (ms)"
    low, high, value = (np.asarray(trace.y, dtype=float) for trace in figure.data[3:6])
    assert np.all((low < value) & (value < high))
    words = replsim.sweep(tiny, {"primary.synchronous_commit": "local,on"}, 2, metrics=["throughput"]).plot()
    assert tuple(words.data[-1].x) == ("local", "on")


def test_a_front_marks_what_no_other_betters(tiny: Scenario) -> None:
    """The settings on the front are joined, the others are pale; each names itself."""
    found = replsim.search(tiny, TWO, minimize=["commit_latency.p50", "loss_if_primary_dies.commits.mean"], seeds=2)
    tried, best = found.plot().data
    assert len(best.x) == len(found.front)
    assert len(tried.x) + len(best.x) == 6
    assert "primary.synchronous_commit=" in best.text[0]
    with pytest.raises(StudyError, match="two goals"):
        replsim.search(tiny, TWO, minimize=["throughput"], seeds=1).plot()


def test_bars_show_the_longest_first(tiny: Scenario) -> None:
    """A bar a knob, in the measure's unit, with the error of its effect."""
    space = {"links.p -> s1.latency": "0.5ms..4ms", "standbys.s2.replay.per_record": "10us..100us"}
    found = replsim.sensitivity(tiny, space, ["commit_latency.p50"], samples=4, seeds=1)
    (bars,) = found.plot().data
    assert list(bars.y) == ["links.p -> s1.latency", "standbys.s2.replay.per_record"]
    assert bars.x[0] > 2
    assert bars.x[1] == 0
    assert "(ms)" in found.plot().layout.xaxis.title.text


def test_a_figure_is_written_by_its_file_s_ending(tiny: Scenario, tmp_path: Path) -> None:
    """HTML stands by itself; another ending is refused with those that there are."""
    figure = replsim.sweep(tiny, TWO, 1, metrics=["throughput"]).plot()
    write(figure, tmp_path / "map.html")
    assert "Plotly.newPlot" in (tmp_path / "map.html").read_text()
    with pytest.raises(StudyError, match=r"written as \.html"):
        write(figure, tmp_path / "map.xls")


def test_a_sweep_of_which_nothing_is_known_says_so(tiny: Scenario, tmp_path: Path) -> None:
    """While no run has come yet the figure says so, and is no error."""
    found = replsim.sweep(tiny, TWO, 1, metrics=["throughput"], store=tmp_path / "s.sqlite", compute=False)
    assert "no cell has a value yet" in found.plot.heat_map().layout.annotations[0].text
