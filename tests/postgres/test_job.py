"""The scenario that travels to the processes of a run on real servers."""

from __future__ import annotations

from pathlib import Path

import pytest

from replsim import front
from replsim.engines.postgres.job import pack, unpack

FILES = sorted(front.scenarios_folder().glob("*/*.yaml"))
SCENARIOS = [file for file in FILES if "studies" not in file.parts]


@pytest.mark.parametrize("file", SCENARIOS, ids=lambda file: file.stem)
def test_every_scenario_arrives_with_its_links_and_clients(file: Path) -> None:
    """What a proxy and a client need of a scenario is the same after the journey, also without its faults."""
    sent = front.load(file)
    arrived = unpack(pack(sent))
    assert arrived.links.keys() == sent.links.keys()
    assert arrived.writers.keys() == sent.writers.keys()
    assert arrived.failover == sent.failover
