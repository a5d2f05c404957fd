"""Reads that slow replay: the engine's count of them against the table of reads, and lag against a fluid."""

from __future__ import annotations

import numpy as np
import pytest

import replsim
from replsim.engines.events.cluster import Cluster
from replsim.engines.events.contention import INTERVAL
from replsim.engines.events.harvest import harvest
from replsim.engines.events.tempo import FULL, Tempo
from replsim.randomness import Streams

SHUNNING = """
name: contention
duration: 6s
standbys:
  s1: {replay: {per_record: 1.2ms}, read_capacity: {servers: 4, service: 1ms}}
  s2: {replay: {per_record: 1ms}, read_capacity: {servers: 2, service: {exponential: {mean: 2ms}}}}
links: {p -> s1: {latency: 1ms}, p -> s2: {latency: 1ms}}
writers: {app: {rate: 500/s}}
readers:
  web: {rate: 3000/s, contends: true, route: {policy: random, max_lag: 100ms, poll: 200ms}}
  api: {rate: 300/s, contends: true, route: {weighted: {s1: 1, s2: 3}}}
  old: {rate: 500/s, route: s1}
"""


def test_the_load_that_slows_replay_is_that_of_the_table_of_reads() -> None:
    """In each interval a standby's speed is what the contending reads leave that were issued in it and went there.

    The engine counts them while it runs, by its own looks at the lag; the table of reads is made afterwards, from
    recorded positions.
    """
    scenario = replsim.loads(SHUNNING)
    cluster = Cluster(scenario, Streams(scenario.seed))
    cluster.start()
    cluster.agenda.run(scenario.duration)
    tempos = {name: cluster.nodes[name].pace for name in ("s1", "s2")}
    reads = replsim.analysis.reads.reads(harvest(cluster))
    contending = np.isin(reads["reader"], [reads.words["reader"].index(name) for name in ("web", "api")])
    intervals = reads["time"] // INTERVAL
    speeds = set()
    for node, takes, servers in (("s1", 1, 4), ("s2", 2, 2)):
        tempo = tempos[node]
        assert isinstance(tempo, Tempo)
        mine = contending & (reads["node"] == scenario.nodes.index(node))
        left = 0
        for start in range(0, scenario.duration, INTERVAL):
            count = int(np.count_nonzero(mine & (intervals == start // INTERVAL)))
            work, can = left + count * takes * 10**6, servers * INTERVAL
            left = work - min(work, can)
            expected = max(FULL - FULL * min(work, can) // can, FULL // 20)
            passed = tempo.own(start + INTERVAL) - tempo.own(start)
            assert passed == pytest.approx(INTERVAL * expected / FULL, abs=2)
            speeds.add(expected)
    assert len(speeds) > 20
    assert FULL // 20 in speeds


@pytest.mark.parametrize(("reads", "busy"), [(2000, 0.25), (4800, 0.6), (6400, 0.8)])
def test_a_busy_standby_falls_behind_as_a_fluid(reads: int, busy: float) -> None:
    """Replay of 1,000 records a second alone does 1 - r of them beside reads: the rest of 550 a second is lag."""
    text = f"""
name: fluid
duration: 60s
warmup: 5s
standbys: {{s1: {{replay: {{per_record: 1ms}}, read_capacity: {{servers: 8, service: 1ms}}}}}}
links: {{p -> s1: {{latency: 1ms}}}}
writers: {{app: {{rate: 550/s, arrivals: deterministic}}}}
readers: {{web: {{rate: {reads}/s, arrivals: deterministic, route: s1, contends: true}}}}
"""
    found = replsim.run(replsim.loads(text)).metrics
    behind = max(0.0, 1 - 1000 * (1 - busy) / 550)
    assert found["s1.lag.growth"] == pytest.approx(behind, abs=0.005)


def test_own_time_and_time() -> None:
    """What is due at an own time is done at the first moment by which so much own time has passed."""
    tempo = Tempo()
    for now, speed in ((100, 500), (250, 50), (400, 1000), (700, 333)):
        tempo.set(now, speed)
    owns = np.arange(0, 900)
    told = tempo.when_all(owns)
    assert told.tolist() == [tempo.when(own) for own in owns.tolist()]
    for own, time in zip(owns.tolist(), told.tolist(), strict=True):
        assert tempo.own(time) >= own
        assert time == 0 or tempo.own(time - 1) < own
