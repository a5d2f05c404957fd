"""What the swarm found once: small scenarios that broke an invariant, and do not any more."""

from __future__ import annotations

from pathlib import Path

import pytest

import replsim
from replsim.analysis.checks import violations

FOUND = sorted((Path(__file__).parent / "found").glob("*.yaml"))


@pytest.mark.parametrize("file", FOUND, ids=[file.stem for file in FOUND])
def test_what_was_found_stays_mended(file: Path) -> None:
    """Each scenario that once broke an invariant, or ended a run, breaks none."""
    assert violations(replsim.run(replsim.load(file)).record) == []
