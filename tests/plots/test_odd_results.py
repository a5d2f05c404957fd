"""Every figure can be drawn of every result, also of those that have nothing to show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import plotly.graph_objects as go
import pytest

import replsim
from replsim import plots
from replsim.errors import NotInResult
from replsim.plots.readings import READINGS

WRITER = {"app": {"rate": "200/s"}}
LINKS = {"p -> s1": {"latency": "1ms"}}
ODD: dict[str, dict[str, Any]] = {
    "a primary alone": {"writers": WRITER},
    "no reads": {"writers": WRITER, "standbys": {"s1": {}}, "links": LINKS},
    "background WAL alone": {
        "background": {"wal": "1 MB/s"},
        "standbys": {"s1": {}},
        "links": LINKS,
        "readers": {"web": {"rate": "100/s"}},
    },
    "no commit in the window": {
        "writers": {"app": {"arrivals": "deterministic", "rate": "4/s"}},
        "standbys": {"s1": {}},
        "links": LINKS,
        "warmup": "490ms",
        "readers": {"web": {"rate": "100/s"}},
    },
    "commits that wait for ever": {
        "writers": WRITER,
        "standbys": {"s1": {}},
        "links": LINKS,
        "primary": {"synchronous_standby_names": "ANY 2 (s1)"},
        "readers": {"web": {"rate": "100/s", "keys": {"count": 3}}},
    },
    "a standby that never applies": {
        "writers": WRITER,
        "standbys": {"s1": {"recovery_min_apply_delay": "1h"}, "s2": {"upstream": "s1"}},
        "links": LINKS | {"s1 -> s2": {"latency": "2ms"}},
        "readers": {"web": {"rate": "100/s"}},
    },
}


@pytest.fixture(scope="module", params=ODD)
def odd(request: pytest.FixtureRequest) -> replsim.Result:
    """A result that lacks something."""
    fields = {"name": "odd", "duration": "500ms", "warmup": "100ms"} | ODD[request.param]
    return replsim.run(replsim.Scenario.model_validate(fields))


FIGURES: dict[str, Callable[[Any], go.Figure]] = {
    "lag": plots.lag,
    "lag in bytes, measured": lambda runs: plots.lag(runs, kind="bytes", measured=True),
    "lag in commits, measured": lambda runs: plots.lag(runs, kind="commits", measured=True),
    "loss": plots.loss,
    "latency": plots.commit_latency,
    "latency over time": lambda runs: plots.commit_latency(runs, view="time"),
    "breakdown": plots.breakdown,
    "breakdown by writer": lambda runs: plots.breakdown(runs, by="writer"),
    "stale reads": plots.stale_reads,
    "stale reads by reader": lambda runs: plots.stale_reads(runs, by="reader"),
    "stale reads of rows": lambda runs: plots.stale_reads(runs, own_row=True),
    "t-visibility": plots.t_visibility,
    "topology": plots.topology,
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_drawn(odd: replsim.Result, name: str) -> None:
    """A figure of an odd result, or of three of them, is a figure with a title, and never an error."""
    for runs in (odd, [odd, odd, odd]):
        figure = FIGURES[name](runs)
        assert figure.layout.title.text
        figure.to_json()


@pytest.mark.parametrize("name", sorted(READINGS))
def test_every_reading_is_a_sentence(odd: replsim.Result, name: str) -> None:
    """A reading of an odd result is a sentence without a stray NaN, or says which commit or read there is not."""
    try:
        text = plots.reading(name, odd)
    except NotInResult as error:
        text = f"{error}."
    assert text.endswith((".", ".)"))
    assert "nan" not in text.lower()
    assert "–" not in text
