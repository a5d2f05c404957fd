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
    "a standby that starts again in the middle of a record replays the rest of it in no negative time": """
name: begins anew within a record
duration: 60ms
seed: 17
wakeup: 0s
standbys:
  s1:
    replay: {per_record: 100us, bandwidth: 1 MB/s}
    wal_receiver_status_interval: 0s
    wal_retrieve_retry_interval: 1ms
links:
  p -> s1: {latency: 0.9ms, window: 20 kB, bandwidth: 4 MB/s}
  s1 -> p: {latency: 0.3ms, jitter: 0.4ms, bandwidth: 200 kB/s}
writers: {app: {clients: 3, execution: 0.3ms, record: {uniform: {low: 50 B, high: 20 kB}}}}
background: {wal: 150 MB/s, record: 50 kB}
faults: [{at: 13.5ms, for: 1ms, crash: s1, of: process}]
""",
    "a primary that was left still reads what is on its way, after the next one has heard": """
name: two listen
duration: 60ms
seed: 0
primary: {synchronous_standby_names: ANY 1 (*)}
standbys: {s1: {}, s2: {wal_receiver_status_interval: 1ms}}
links:
  p -> s1: {latency: 1ms}
  p -> s2: {latency: 1ms}
  s2 -> p: {latency: {exponential: {mean: 5ms}}}
  s1 -> s2: {latency: 0.1ms}
writers: {app: {rate: 1000/s}}
failover: {manager: manual, at: 20ms, promote: s1, promotion: 0.3ms, fencing: false, routing: 2ms}
""",
}


@pytest.mark.parametrize("scenario", FOUND.values(), ids=list(FOUND))
def test_what_was_found_stays_mended(scenario: str) -> None:
    """Each scenario that once broke an invariant, or ended a run, breaks none."""
    assert violations(replsim.run(replsim.loads(scenario)).record) == []
