"""Random scenarios of every sort break no invariant.

``make swarm`` runs 20,000 of them.  One that fails is printed whole, with the command that runs it again.
"""

from __future__ import annotations

from collections import Counter

import pytest

from replsim.scenario.failover import Patroni
from tests.swarm.scenarios import random_scenario
from tests.swarm.swarm import failures, told

SEEDS = 600
A_TEST = 50


@pytest.mark.parametrize("first", range(0, SEEDS, A_TEST))
def test_no_invariant_is_broken(first: int) -> None:
    """Every check holds on the records of fifty random scenarios."""
    for seed in range(first, first + A_TEST):
        assert not failures(seed), told(seed)


def test_the_swarm_goes_everywhere() -> None:
    """Every sort of client, route, promise, rule, level and fault is there in some scenarios, and missing in others."""
    met: Counter[str] = Counter()
    for seed in range(SEEDS):
        scenario = random_scenario(seed)
        clients = [*scenario.readers.values(), *scenario.sessions.values()]
        found = {
            *(f"route {client.route.policy}" for client in clients),
            *(f"{client.guarantee} by {client.by}" for client in clients if client.promises),
            *(f"level {scenario.level(writer.synchronous_commit)}" for writer in scenario.writers.values()),
            scenario.primary.synchronous_standby_names.partition(" ")[0] or "no rule",
            *(["a cascade"] if len(scenario.direct) < len(scenario.standbys) else []),
            *(["shunning"] if any(client.route.max_lag is not None for client in clients) else []),
            *(["a closed loop"] if any(writer.clients for writer in scenario.writers.values()) else []),
            *(["background"] if scenario.background else []),
            *(f"fault {fault.verb}" for fault in scenario.faults),
            f"manager {scenario.failover.manager}",
            *([f"mode {scenario.failover.synchronous_mode}"] if isinstance(scenario.failover, Patroni) else []),
            *([f"fencing {scenario.failover.fencing}"] if scenario.failover.manager != "none" else []),
            f"rejoin by {scenario.failover.rejoin.by}",
        }
        met.update(found)
    assert len(met) >= 55, sorted(met)
    assert min(met.values()) >= 5, met
    assert max(met.values()) < SEEDS * 0.9, met
