"""Values as people say them, and the numbers that lead."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest

import replsim
from replsim import summary
from replsim.analysis import METRICS


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.007538, "s", "7.54 ms"),
        (0.0009999, "s", "1 ms"),
        (999.4e-6, "s", "999 µs"),
        (59.96, "s", "1 min"),
        (90, "s", "1.5 min"),
        (5400, "s", "1.5 h"),
        (4e-10, "s", "0.4 ns"),
        (-0.002, "s", "-2 ms"),
        (0, "s", "0 s"),
        (1.2e6, "B", "1.2 MB"),
        (999.9, "B", "1 kB"),
        (0, "B", "0 B"),
        (812.4, "1/s", "812/s"),
        (20_123, "1/s", "20.1k/s"),
        (0, "1/s", "0/s"),
        (41, "count", "41"),
        (12_345, "count", "12.3k"),
        (1.249, "1", "1.25"),
        (math.nan, "s", "–"),
        (math.inf, "s", "∞"),
    ],
)
def test_a_value_is_said_to_three_digits_in_a_fitting_unit(value: float, unit: str, text: str) -> None:
    """Units change where a person would change them, after rounding, and no zero says nothing."""
    assert summary.show(value, unit) == text


@pytest.mark.parametrize(("value", "text"), [(0.143, "14.3 %"), (1, "100 %"), (0, "0 %"), (0.00012, "0.012 %")])
def test_a_share_is_said_in_percent(value: float, text: str) -> None:
    """A proportion is in percent; a ratio such as commits per flush is not."""
    assert summary.show(value, "1", fraction=True) == text
    assert summary.show_metric("stale_reads.fraction", value) == text
    assert "%" not in summary.show_metric("p.commits_per_flush", 1.2)


def test_a_sparkline_loses_no_spike() -> None:
    """One point far above the others shows in its stretch, however many there are."""
    time = np.linspace(0, 10, 100_001)
    value = np.where(time == 5.5, 9.0, 1.0)
    assert summary.sparkline(time, value, 10.0, 10) == "▂▂▂▂▂█▂▂▂▂"


def test_a_sparkline_follows_a_long_ramp_between_two_points() -> None:
    """Corners are joined: a lag that rises for most of the run shows as a rise."""
    line = summary.sparkline(np.array([2.0, 10.0]), np.array([0.0, 8.0]), 10.0, 10)
    assert line[:2] == "▁▁"
    assert list(line) == sorted(line)
    assert line[-1] == "█"


def test_a_sparkline_of_nothing_is_flat() -> None:
    """No lag, or no series at all, is a line on the ground."""
    assert summary.sparkline(np.array([]), np.array([]), 1.0, 4) == "▁▁▁▁"
    assert summary.sparkline(np.array([0.0, 1.0]), np.array([0.0, 0.0]), 1.0, 4) == "▁▁▁▁"


def test_every_metric_that_the_summary_names_is_registered() -> None:
    """A renamed metric would silently drop out of the tables; this says so."""
    tables = (*summary.HEADLINES.values(), summary.NODE_COLUMNS, summary.WRITER_COLUMNS, summary.READER_COLUMNS)
    names = {name for table in tables for name in table.values()}
    assert names <= set(METRICS)


def test_a_notebook_sees_the_same_numbers_as_the_terminal(tmp_path: Path) -> None:
    """The HTML has the question, every block's values, and the expectations, with names escaped."""
    text = """
name: a<b>c
question: Is 1 < 2?
duration: 300ms
standbys: {s1: {}}
links: {p -> s1: {latency: 1ms}}
writers: {app: {rate: 500/s}}
expect: [commit_latency.p50 < 1s, commit_latency.p50 < 1us]
"""
    result = replsim.run(replsim.loads(text))
    html = result._repr_html_()
    assert "a&lt;b&gt;c" in html
    assert "Is 1 &lt; 2?" in html
    assert summary.show_metric("commit_latency.p99", result.metrics["commit_latency.p99"]) in html
    assert "✓ commit_latency.p50 &lt; 1s" in html
    assert "✗ commit_latency.p50 &lt; 1us" in html
    assert summary.lag_lines(result.record, 32)["s1"] in html
    for tag in ("table", "tr", "td", "th", "div", "span"):
        assert len(re.findall(f"<{tag}[ >]", html)) == html.count(f"</{tag}>")
