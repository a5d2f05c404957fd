"""What changes from one setting to others: ratios with their intervals, and the largest of them in words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

import replsim
from replsim import plots
from replsim.summary import show


@dataclass(frozen=True)
class Measure:
    """A measure with its unit."""

    name: str
    unit: str

    def show(self, value: float) -> str:
        """A value as people say it."""
        return show(value, self.unit)


def difference(before: float, change: float, half: float) -> Any:
    """A difference from a known value, with an interval of a known half width."""
    low, high = change - half, change + half
    return SimpleNamespace(
        estimate=SimpleNamespace(value=change, low=low, high=high),
        relative=change / before if before else math.nan,
        found=low > 0 or high < 0,
    )


class Known:
    """A comparison whose differences are known."""

    labels = ("base", "other")
    measures = (Measure("latency", "s"), Measure("luck", "count"), Measure("gone", "count"), Measure("new", "count"))
    known = (
        difference(2e-3, 2e-3, 1e-3),
        difference(100.0, 5.0, 10.0),
        difference(50.0, -50.0, 5.0),
        difference(0.0, 3.0, 1.0),
    )

    def difference(self, measure: str, place: int = 1) -> Any:
        """The known difference of a measure."""
        return self.known[[each.name for each in self.measures].index(measure)]


def test_each_measure_stands_at_its_ratio() -> None:
    """Twice as much stands at 2, with its interval from 1.5 to 2.5; what luck explains is hollow."""
    (trace,) = plots.differences(Known()).data
    assert [row.strip() for row in trace.y] == ["latency", "luck", "gone"]
    assert list(trace.x) == pytest.approx([2, 1.05, 0.01])
    assert trace.error_x.array[0] == pytest.approx(0.5)
    assert trace.error_x.arrayminus[0] == pytest.approx(0.5)
    assert list(trace.marker.symbol) == ["circle", "circle-open", "circle"]
    assert trace.customdata[0] == "from 2 ms to 4 ms<br>difference 1 ms to 3 ms"


def test_the_largest_differences_are_said() -> None:
    """What was nothing before comes first, then the ratio farthest from one; luck is not mentioned."""
    assert plots.differences_reading(Known()) == (
        "Compared with base: other: new from 0 to 3, gone from 50 to 0 and latency from 2 ms to 4 ms."
    )


def test_a_real_comparison_is_drawn() -> None:
    """A comparison of two levels shows what each measure is in the second as a ratio to the first."""
    scenario = replsim.load("three-nodes").changed(duration="3s")
    found = replsim.compare(scenario, over={"primary.synchronous_commit": ["local"]}, seeds=3)
    (trace,) = plots.differences(found, theme="dark").data
    rows = [row.strip() for row in trace.y]
    means = [found[place]["commit_latency.p50"].mean for place in (0, 1)]
    assert trace.x[rows.index("commit_latency.p50")] == pytest.approx(means[1] / means[0])
    assert trace.name == found.labels[1]
    assert plots.differences_reading(found).startswith(f"Compared with {found.labels[0]}: {found.labels[1]}: ")


def test_nothing_to_compare_is_said() -> None:
    """Where every measure was nothing in the first setting the figure says so."""
    nothing = Known()
    nothing.measures = (Measure("new", "count"),)
    nothing.known = (difference(0.0, 3.0, 1.0),)
    figure = plots.differences(nothing)
    assert not figure.data
    assert figure.layout.annotations[0].text == "nothing to compare: every measure was 0, or had no value"
