"""Figures side by side: what is higher in one of them is more."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import replsim
from replsim import plots
from replsim.plots.beside import BESIDE
from replsim.result import Result


@pytest.fixture(scope="module")
def settings() -> dict[str, Result]:
    """A standby 40 µs away and one 3 s away, so that one has milliseconds where the other has seconds."""
    return {
        way: replsim.run(
            replsim.load("quickstart/async-replica", overrides={"links.p -> s1.latency": way, "duration": "9s"})
        )
        for way in ("40us", "3s")
    }


def ends(figure: Any, axis: str) -> tuple[Any, Any, Any]:
    """The words, the range and the ticks of an axis."""
    found = figure.layout[axis]
    return found.title.text, found.range, found.ticktext


@pytest.mark.parametrize("name", BESIDE)
def test_axes_are_the_same_and_hold_the_larger(name: str, settings: dict[str, Result]) -> None:
    """Alone each would have its own axes; together both have those of the larger, and its data are within."""
    near, far = plots.beside(name, settings).values()
    for axis in ("xaxis", "yaxis"):
        assert ends(near, axis) == ends(far, axis)
    alone = getattr(plots, name)(settings["40us"])
    if name != "breakdown":
        assert [ends(near, axis) for axis in ("xaxis", "yaxis")] != [ends(alone, axis) for axis in ("xaxis", "yaxis")]
        top = max(np.nanmax(np.asarray(trace.y, dtype=float)) for trace in far.data)
        assert top <= far.layout.yaxis.range[1] < 1.2 * top
    assert len(near.data) == len(alone.data)


def test_one_unit_for_all(settings: dict[str, Result]) -> None:
    """Lag of milliseconds beside lag of seconds is in seconds; its curve is the same, a thousandth as high."""
    near = plots.beside("lag", settings)["40us"]
    alone = plots.lag(settings["40us"])
    assert (alone.layout.yaxis.title.text, near.layout.yaxis.title.text) == (
        "oldest commit missing (ms)", "oldest commit missing (s)",
    )  # fmt: skip
    for one, other in zip(near.data, alone.data, strict=True):
        np.testing.assert_allclose(np.asarray(one.y) * 1000, other.y, rtol=1e-5)


def test_what_cannot_stand_side_by_side_is_refused(settings: dict[str, Result]) -> None:
    """A name that is none is told with those that there are."""
    with pytest.raises(ValueError, match="there are lag, stale_reads, breakdown, t_visibility"):
        plots.beside("topology", settings)
