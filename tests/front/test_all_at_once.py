"""One reading tells everything that is wrong."""

from __future__ import annotations

import pytest

import replsim

TEXT = """
name: three-mistakes
duration: 5s
primary: {synchronous_standby_names: ANY 1 (s2)}
standbys: {s1: {}}
links: {p -> s1: {latency: 1ms}}
writers: {app: {rate: 100/s}}
measured: {commit_latency.p51: 3ms}
expect: [throughput < 5ms]
"""


def test_a_wrong_metric_is_told_with_the_other_mistakes() -> None:
    """Cross-checks, measured values and expectations are all told at once, each with its line."""
    with pytest.raises(replsim.ScenarioError) as caught:
        replsim.loads(TEXT)
    assert [(problem.line, problem.path[0]) for problem in caught.value.problems] == [
        (4, "primary"),
        (8, "measured"),
        (9, "expect"),
    ]
