"""The guide to real servers is true: its scenario runs, and its Python does what it says."""

from __future__ import annotations

import re

import pytest

import replsim
from docs.build import ROOT
from replsim.engines.postgres.binaries import Binaries

PAGE = (ROOT / "docs" / "real-server.md").read_text(encoding="utf-8")


def test_the_guide_s_scenario_runs_as_its_python_does(binaries: Binaries, capsys: pytest.CaptureFixture[str]) -> None:
    """The page's only scenario and its only Python, taken from the page."""
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(code, {"scenario": replsim.loads(text)})
    assert "p.wal_device" in capsys.readouterr().out


def test_the_guide_s_refusal_is_the_engine_s() -> None:
    """What the page says is refused comes out in the same words."""
    scenario = replsim.loads(
        "{name: x, duration: 1s, writers: {app: {rate: 1/s}}, faults: [{at: 100ms, for: 1ms, stall: p}]}"
    )
    with pytest.raises(replsim.ReplsimError) as refused:
        replsim.run(scenario, engine="postgres")
    assert str(refused.value) in PAGE
