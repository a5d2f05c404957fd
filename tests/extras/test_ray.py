"""A study with Ray, which is no dependency of the tests: ``make extras`` installs it and runs this."""

from __future__ import annotations

import pytest

import replsim

pytest.importorskip("ray", reason="`make extras` tests Ray")

SCENARIO = """\
name: tiny
duration: 500ms
primary: {synchronous_standby_names: ANY 1 (s1)}
standbys: {s1: {}}
links: {p -> s1: {latency: 1ms}}
writers: {app: {rate: 300/s}}
"""


def test_ray_finds_the_same_bits_as_this_process() -> None:
    """Twelve runs on Ray's workers: every number is there, and as it is here."""
    scenario = replsim.loads(SCENARIO.replace("ANY 1 (s1)", '"ANY 1 (s1)"'))
    over, metrics = {"links.p -> s1.latency": "1ms..8ms:4"}, ["commit_latency.p99", "s1.lag.seconds.mean"]
    here = replsim.sweep(scenario, over, 3, metrics=metrics)
    there = replsim.sweep(scenario, over, 3, metrics=metrics, executor="ray")
    assert there.findings.done.all()
    assert there.findings.values.tobytes() == here.findings.values.tobytes()
