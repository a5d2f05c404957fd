"""The swarm's random scenarios, opened: the same clusters, faults and readers, but clients who do not wait."""

from __future__ import annotations

from replsim.engines import stages
from replsim.scenario import Scenario
from replsim.scenario.network import link_ends
from tests.swarm.scenarios import random_scenario

__all__ = ["opened"]


def opened(seed: int) -> Scenario:
    """The scenario of a seed, opened, without what promotes, what removes WAL, and faults that stages do not follow."""
    scenario = random_scenario(seed)
    fields = scenario.model_dump(by_alias=True)
    del fields["failover"]
    fields["faults"] = [fault for fault in scenario.faults if fault.verb not in ("switchover", "restart")]
    ways = {(scenario.upstream(name), name) for name in scenario.standbys}
    fields["links"] = {
        pair: link for pair, link in fields["links"].items() if ways & {link_ends(pair), link_ends(pair)[::-1]}
    }
    fields["primary"] |= {"max_connections": 100_000, "commit_delay": "0s"}
    fields["primary"] |= {"wal_segment_size": "1 GiB", "wal_keep_size": "0 B", "max_slot_wal_keep_size": None}
    fields["primary"]["wal_device"] |= {"size": None, "cleared_after": None}
    fields["archive"] = None
    for standby in fields["standbys"].values():
        standby["rebuild"] = None
    for writer in fields["writers"].values():
        writer |= {"clients": None, "in_flight": 1, "poll": None, "cold": None, "think": "0s", "connections": 3000}
        writer |= {"rate": writer["rate"] or "400/s", "keys": writer["keys"] and writer["keys"] | {"lock": False}}
        writer |= {"timeout": None, "statement_timeout": None, "at_timeout": "cancel"}
    for session in fields["sessions"].values():
        session |= {"think": None, "write_every": session["write_every"] or "4ms", "connections": 3000}
    scenario = Scenario.model_validate(fields)
    refused = "".join(stages.covers(scenario))
    kept = [fault for place, fault in enumerate(scenario.faults) if f"faults[{place}]" not in refused]
    return Scenario.model_validate(fields | {"faults": kept})
