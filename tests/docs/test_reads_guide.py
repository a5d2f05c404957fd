"""The guide to reads: its blocks are one scenario, and its code runs on the result."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import replsim

GUIDE = Path(__file__).parents[2] / "docs/reads.md"
BLOCK = re.compile(r"^```(yaml|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_guide_to_reads_runs(capsys: pytest.CaptureFixture[str]) -> None:
    """The scenario that the guide's blocks add up to runs, and what its code asserts of the result holds."""
    blocks = BLOCK.findall(GUIDE.read_text(encoding="utf-8"))
    text = "".join(body for language, body in blocks if language == "yaml")
    names: dict[str, Any] = {"result": replsim.run(replsim.loads(text))}
    for language, body in blocks:
        if language == "python":
            exec(body, names)
    printed = capsys.readouterr().out
    assert "of reads are stale" in printed
    assert re.search(r"waiting +0\.0%", printed)
