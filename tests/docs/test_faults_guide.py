"""The guide to faults speaks of every fault."""

from __future__ import annotations

from pathlib import Path

import replsim
from replsim.scenario.faults import FAULTS

GUIDE = Path(replsim.__file__).parents[1] / "docs" / "faults.md"


def test_every_fault_has_its_place_and_its_example() -> None:
    """Each verb is explained, in bold, and used in a piece of Python that the page runs."""
    text = GUIDE.read_text(encoding="utf-8")
    missing = [verb for verb in FAULTS if f"**{verb}**" not in text or f'"{verb}": ' not in text]
    assert not missing
