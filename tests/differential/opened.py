"""The swarm's random scenarios, opened: the same clusters, faults and readers, but clients who do not wait."""

from __future__ import annotations

from replsim.engines import stages
from replsim.scenario import Scenario
from tests.swarm.scenarios import random_scenario

__all__ = ["opened"]


def opened(seed: int) -> Scenario:
    """The scenario of a seed, opened; faults that the stage engine does not follow are left out."""
    fields = random_scenario(seed).model_dump(by_alias=True)
    fields["primary"] |= {"max_connections": 100_000, "commit_delay": "0s"}
    for writer in fields["writers"].values():
        writer |= {"clients": None, "in_flight": 1, "poll": None, "cold": None, "think": "0s", "connections": 3000}
        writer |= {"rate": writer["rate"] or "400/s", "keys": writer["keys"] and writer["keys"] | {"lock": False}}
    for session in fields["sessions"].values():
        session |= {"think": None, "write_every": session["write_every"] or "4ms", "connections": 3000}
    scenario = Scenario.model_validate(fields)
    refused = "".join(stages.covers(scenario))
    kept = [fault for place, fault in enumerate(scenario.faults) if f"faults[{place}]" not in refused]
    return Scenario.model_validate(fields | {"faults": kept})
