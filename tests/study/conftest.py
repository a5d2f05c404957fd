"""Small scenarios to study, and a store of the test's own."""

from __future__ import annotations

from pathlib import Path

import pytest

import replsim

TINY = """\
name: tiny
duration: 500ms
warmup: 100ms
seed: 3
primary: {synchronous_standby_names: "ANY 1 (s1, s2)"}
standbys: {s1: {}, s2: {}}
links:
  p -> s1: {latency: 1ms}
  p -> s2: {latency: {exponential: {mean: 3ms}}}
writers: {app: {rate: 300/s}}
readers: {web: {rate: 200/s}}
expect:
  - commit_latency.p99 < 1s
"""


@pytest.fixture
def tiny() -> replsim.Scenario:
    """A scenario that runs in a blink."""
    return replsim.loads(TINY)


@pytest.fixture
def tiny_file(tmp_path: Path) -> Path:
    """The same in a file."""
    file = tmp_path / "tiny.yaml"
    file.write_text(TINY, encoding="utf-8")
    return file
