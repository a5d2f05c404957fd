"""Whoever is alone has the cluster's value: no metric is worked out twice for it."""

from __future__ import annotations

import math

from replsim.analysis.facts import Facts
from replsim.analysis.registry import METRICS, Metrics
from replsim.analysis.unmade import Age, Gap
from replsim.analysis.weighted import AtEnd, Ramps, Sample, Share, Steps, Total
from replsim.choice import simulate
from replsim.scenario import Scenario

ALONE = {
    "name": "alone",
    "duration": "300ms",
    "primary": {"synchronous_standby_names": "s1"},
    "standbys": {"s1": {}, "s2": {}},
    "links": {"p -> s1": {"latency": "1ms"}, "p -> s2": {"latency": "4ms"}},
    "writers": {"app": {"rate": "500/s", "connections": 50, "keys": {"count": 10}}},
    "readers": {"web": {"rate": "2000/s", "keys": {"count": 10}}},
}


def told(found: float | Sample | Steps | Gap | Ramps | Age | Share | Total | AtEnd) -> list[float]:
    """All that a part of a metric says."""
    if isinstance(found, Sample | Steps | Gap | Ramps | Age):
        return list(found.statistics(("mean", "p50", "p99", "max")).values())
    return [found if isinstance(found, int | float) else found.value]


def test_who_is_alone_has_the_clusters_value() -> None:
    """For the only writer and the only reader, every function that measures gives what it gives for all together."""
    scenario = Scenario.model_validate(ALONE)
    facts = Facts(simulate(scenario, 3)[0])
    metrics, compared = Metrics(facts), 0
    for metric in METRICS.values():
        for entity, kind in (("app", "writer"), ("web", "reader")):
            if kind not in metric.per or metric.overall != "own" or not metric.needs(scenario):
                continue
            everybody = metric.function(facts, None)
            for name, own in metric.function(facts, entity).items():
                pairs = zip(told(own), told(everybody[name]), strict=True)
                assert all(a == b or (math.isnan(a) and math.isnan(b)) for a, b in pairs), (entity, name)
            assert metrics[f"{entity}.{metric.name}"] == metrics[metric.name]
            compared += 1
    assert compared > 20


def test_one_of_two_has_its_own_value() -> None:
    """With a second writer, each has its own."""
    writers = {**ALONE["writers"], "more": {"rate": "50/s"}}  # type: ignore[dict-item]  # plain data
    metrics = Metrics(Facts(simulate(Scenario.model_validate(ALONE | {"writers": writers}), 3)[0]))
    assert metrics["app.throughput"] + metrics["more.throughput"] == metrics["throughput"]
    assert metrics["more.throughput"] > 0
