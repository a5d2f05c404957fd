"""What the swarm found once: small scenarios that broke an invariant, and do not any more."""

from __future__ import annotations

import pytest

import replsim
from replsim.analysis.checks import violations

FOUND = {
    "replay that is paused applies nothing that comes meanwhile, however little it costs": """
name: part of a record while replay is paused
duration: 60ms
wakeup: 0s
standbys: {s1: {wal_retrieve_retry_interval: 1ms}}
links: {p -> s1: {latency: 0.9ms, window: 500 B}}
writers: {app: {rate: 728/s, execution: 0.3ms, record: 5 kB, chunk: 1 kB}}
faults:
  - {at: 24.4ms, for: 4.4ms, cut: s1 -> p, how: reset}
  - {at: 26.3ms, pause_replay: s1}
""",
    "a walreceiver whose upstream looks at it while it stands still writes each batch once": """
name: looked at in a pause
duration: 60ms
seed: 321
primary:
  wal_device: {flush: 100us}
  synchronous_standby_names: FIRST 1 (s2, s1, s0)
  wal_sender_timeout: 5ms
standbys:
  s0: {wal_device: {write: {uniform: {low: 100us, high: 900us}}}}
  s1: {}
  s2: {}
links:
  s0 -> p: {latency: {exponential: {mean: 1ms}}}
  s1 -> p: {latency: {exponential: {mean: 400us}}}
  s2 -> p: {latency: 1.5ms}
writers: {w2: {clients: 2, synchronous_commit: remote_write}}
sessions: {u1: {count: 4, write_every: {exponential: {mean: 6ms}}}}
faults: [{at: 42.3ms, for: 4.8ms, pause: s0}]
""",
}


@pytest.mark.parametrize("scenario", FOUND.values(), ids=list(FOUND))
def test_what_was_found_stays_mended(scenario: str) -> None:
    """Each scenario that once broke an invariant, or ended a run, breaks none."""
    assert violations(replsim.run(replsim.loads(scenario)).record) == []
