"""What a client that polls knows, and when, over a network whose time varies."""

from __future__ import annotations

import numpy as np

import replsim
from replsim.units import NEVER

TEXT = """
name: polling
duration: 20s
primary: {synchronous_standby_names: s1}
standbys: {s1: {}}
links: {p -> s1: {latency: 5ms}}
writers:
  app:
    clients: 3
    in_flight: 4
    poll: 7ms
    think: {exponential: {mean: 5ms}}
    network: {exponential: {mean: 2ms}}
"""


def test_a_poll_takes_the_network_too() -> None:
    """The outcome is known at the first poll that finds it, one request and one answer after it was due."""
    record = replsim.run(replsim.loads(TEXT)).record
    commits = record.commits
    known = commits["learned"] < NEVER
    submitted, visible, acknowledged, learned = (
        commits[name][known] for name in ("submitted", "visible", "acknowledged", "learned")
    )
    # Nothing executes, so the request's way is what lies between submission and insertion, less the wake-up.
    request = commits["inserted"][known] - submitted - record.scenario.wakeup
    answer = acknowledged - visible
    sent = learned - answer - request - submitted
    period = 7_000_000
    assert known.sum() > 1000
    assert np.all(sent % period == 0)
    assert np.all(sent >= period)
    assert np.all(submitted + sent + request >= visible)
    assert np.all((submitted + sent - period + request < visible) | (sent == period))
    assert np.all(learned >= acknowledged)
