"""The registry: names known before a run, one computation a family, and mistakes answered with a suggestion."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from replsim import analysis
from replsim.analysis import METRICS, find, metrics, names_for, unit_of
from replsim.analysis.facts import Facts
from replsim.analysis.reference import page
from replsim.errors import UnknownMetric
from replsim.scenario.expect import Expectation
from tests.analysis.records import MIXED, make_scenario, random_record

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "metrics.md"


def test_names_are_known_before_a_run() -> None:
    """What a run has to show is what its scenario said that it would, in the same order, each a number."""
    for scenario in (MIXED, make_scenario()):
        found = metrics(random_record(5, scenario))
        assert list(found) == names_for(scenario)
        assert len(found) == len(set(found))
        assert all(isinstance(value, float) for value in found.values())


def test_a_clusters_own_names_come_first() -> None:
    """Plain names come first, then those of the primary, the standbys, the writers, and so on."""
    names = names_for(MIXED)
    owners = [name.split(".")[0] if name not in METRICS else "" for name in names]
    assert list(dict.fromkeys(owners)) == [
        "",
        "p",
        "s1",
        "s2",
        "app",
        "audit",
        "user",
        "web",
        "report",
        "quorum",
        "admin",
    ]


def test_each_family_is_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking at all metrics of a family derives each thing once, and at none of another family nothing of that."""
    derived: list[tuple[object, tuple[object, ...]]] = []
    once = Facts.once

    def watched(self: Facts, function: object, *arguments: object) -> object:
        if (function, arguments) not in self._derived:
            derived.append((function, arguments))
        return once(self, function, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Facts, "once", watched)
    found = metrics(random_record(5))
    _ = [found[f"s1.lag.seconds.{name}"] for name in ("mean", "p50", "p99", "max")], found["s1.lag.bytes.max"]
    assert derived.count((analysis.lag.lag_seconds, ("s1",))) == 1
    assert (analysis.lag.lag_seconds, ("s2",)) not in derived
    assert not [family for family in derived if family[0] is analysis.loss.loss]
    assert found["lag.seconds.max"] >= found["s1.lag.seconds.max"]
    assert derived.count((analysis.lag.lag_seconds, ("s1",))) == derived.count((analysis.lag.lag_seconds, ("s2",))) == 1


def test_every_metric_is_defined_and_can_be_expected() -> None:
    """Each metric has a sentence, a unit and a kind that fits its name, and a name that an expectation can have."""
    for name, metric in METRICS.items():
        assert re.fullmatch(r"[A-Z0-9n].*\.", metric.definition), name
        assert "  " not in metric.definition
        last = name.rsplit(".", 1)[-1]
        kinds = {"mean": "mean", "max": "extreme", "p50": "percentile", "p99": "percentile", "fraction": "proportion"}
        assert metric.kind == kinds.get(last, metric.kind), name
        for full in (name, f"my-node.{name}"):
            assert Expectation.__origin__.model_validate(f"{full} < 1").metric == full  # type: ignore[attr-defined]
    assert unit_of("s1.lag.bytes.p99") == "B"
    assert unit_of("throughput") == "1/s"
    assert find("s1.lag.bytes.p99") == (METRICS["lag.bytes.p99"], "s1")


def test_definitions_say_what_commit_means() -> None:
    """A definition that speaks of acknowledged commits says at whom."""
    for name, metric in METRICS.items():
        if "acknowledg" in metric.definition:
            assert "client" in metric.definition or "their user" in metric.definition, name


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("commit_latency.p98", "unknown metric 'commit_latency.p98', did you mean 'commit_latency.p99'?"),
        ("s1.lag.second.p99", "unknown metric 's1.lag.second.p99', did you mean 's1.lag.seconds.p99'?"),
        ("s9.lag.seconds.p99", "'s9.lag.seconds.p99': this scenario has no standby 's9'; it has s1, s2"),
        ("stale_reads.fraction", "this scenario has nothing to measure for 'stale_reads.fraction'"),
        (
            "app.stale_reads.fraction",
            "'app.stale_reads.fraction': this scenario has no node or reader or session 'app'; it has p, s1, s2",
        ),
        ("what", "unknown metric 'what'"),
    ],
)
def test_unknown_metrics(name: str, message: str) -> None:
    """An unknown name is refused with what was perhaps meant, or with what the scenario lacks."""
    found = metrics(random_record(5))
    assert name not in found
    with pytest.raises(UnknownMetric) as caught:
        found[name]
    assert str(caught.value) == message


def test_find_refuses_what_no_scenario_has() -> None:
    """A name that is no metric in any scenario is refused without one."""
    with pytest.raises(UnknownMetric, match=r"did you mean 'throughput'\?"):
        find("througput")


def test_the_worst_standby_stands_for_the_cluster() -> None:
    """The cluster's lag is its worst standby's, and one with nothing to measure does not spoil it."""
    found = metrics(random_record(7))
    for name in ("lag.seconds.p99", "measured_lag.flush.mean", "t_visibility.p50"):
        own = [found[f"{node}.{name}"] for node in ("s1", "s2")]
        assert found[name] == max(value for value in own if not math.isnan(value))


def test_the_reference_page_is_current() -> None:
    """docs/reference/metrics.md is what the registry says; `python -m replsim.analysis.reference` writes it."""
    assert PAGE.read_text(encoding="utf-8") == page()
