"""Reads that queue for servers: against one read after the other, and against the theory of queues."""

from __future__ import annotations

import heapq
from math import sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import replsim
from replsim.analysis.reads import reads
from replsim.analysis.reads.queue import served_from
from replsim.randomness import Streams
from replsim.randomness.arrivals import arrivals
from replsim.record import Record
from replsim.scenario.clients import Session
from tests.analysis.plain_reads import Due, Group, World
from tests.analysis.records import make_scenario, random_record


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=40),
    st.integers(1, 4),
    st.one_of(st.none(), st.integers(0, 9)),
)
@settings(derandomize=True, deadline=None)
def test_first_come_first_served(reads: list[tuple[int, int]], servers: int, same: int | None) -> None:
    """Running maxima, servers that take turns, and a heap all give what looking at every server gives."""
    ready = np.sort(np.array([come for come, _ in reads]))
    takes = np.array([takes if same is None else same for _, takes in reads])
    free, expected = [0] * servers, []
    for come, take in zip(ready.tolist(), takes.tolist(), strict=True):
        first = min(range(servers), key=free.__getitem__)
        begin = max(come, free[first])
        free[first] = begin + take
        expected.append(begin)
    assert served_from(ready, takes, servers).tolist() == expected


LAWS: list[Any] = ["0ns", "7ns", {"uniform": {"low": "0ns", "high": "25ns"}}]


@given(st.integers(0, 10**6), st.integers(1, 2), st.sampled_from(LAWS), st.sampled_from(LAWS), st.sampled_from(LAWS))
@settings(derandomize=True, deadline=None, max_examples=120)
def test_queues_are_what_they_are_read_by_read(seed: int, servers: int, service: Any, network: Any, after: Any) -> None:
    """Readers and users, who read again after an answer, queue at one node as they do one event after the other."""
    client = {"network": network, "route": "s1"}
    scenario = make_scenario(
        standbys={"s1": {"read_capacity": {"servers": servers, "service": service}}, "s2": {"upstream": "s1"}},
        writers={"app": {"rate": "10/s", "connections": 5}},
        readers={"web": client | {"rate": "60000000/s"}},
        sessions={"user": client | {"count": 3, "write_every": "50ns", "reads": 3, "read_after": after}},
    )
    record = random_record(seed, scenario, most=40)
    table = reads(record)
    expected = one_by_one(record)
    for name in ("web", "user"):
        mine = table.where(table["reader"] == table.words["reader"].index(name))
        rows = [dict(zip(mine, row, strict=True)) for row in zip(*(mine[each].tolist() for each in mine), strict=True)]
        found = [(row["time"], row["session"], row["looked"], row["queued"], row["answered"]) for row in rows]
        assert sorted(found) == sorted(expected[name])


def one_by_one(record: Record) -> dict[str, list[tuple[int, ...]]]:
    """The reads at s1 as events: issued, arrived, served when a server is free; then their users' next ones."""
    world, scenario = World(record), record.scenario
    groups = {
        name: Group(world, name, client) for name, client in (*scenario.readers.items(), *scenario.sessions.items())
    }
    capacity = scenario.standbys["s1"].read_capacity
    assert capacity is not None
    events: list[tuple[int, int, int, int, int, int]] = []
    for code, (name, group) in enumerate(groups.items()):
        dues = group.after_writes() if isinstance(group.client, Session) else readers(record, name)
        for due in dues:
            way = group.way("s1", "network", due.number, 1)
            heapq.heappush(events, (due.time + way, code, due.user, due.place, due.number, due.time))
    free = [0] * capacity.servers
    found: dict[str, list[tuple[int, ...]]] = {name: [] for name in groups}
    while events:
        ready, code, user, place, number, issued = heapq.heappop(events)
        if issued >= scenario.duration:
            continue
        name = list(groups)[code]
        group = groups[name]
        begin = max(ready, min(free))
        took = group.draw("service", capacity.service, number)
        free[free.index(min(free))] = begin + took
        answered = begin + took + group.way("s1", "network_back", number, 1)
        found[name].append((issued, user, begin, begin - ready, answered))
        if isinstance(group.client, Session) and (number + 1) % group.client.reads:
            following = answered + group.draw("read_after", group.client.read_after, number + 1)
            way = group.way("s1", "network", number + 1, 1)
            heapq.heappush(events, (following + way, code, user, place + 1, number + 1, following))
    return found


def readers(record: Record, name: str) -> list[Due]:
    """The reads of open-loop readers, as they are due."""
    times = arrivals(Streams(record.seed), f"reader:{name}:arrivals", record.scenario.readers[name], 240)
    return [Due(time, -1, k, k, 0) for k, time in enumerate(times.tolist())]


SINGLE = """
name: queue
duration: 400s
standbys: {{s1: {{read_capacity: {{servers: {servers}, service: {service}}}}}}}
links: {{p -> s1: {{latency: 1ms}}}}
writers: {{app: {{rate: 1/s}}}}
readers: {{web: {{rate: {rate}/s, route: s1}}}}
"""


@pytest.mark.parametrize(
    ("servers", "service", "rate", "wait_ms"),
    [
        # M/M/1 at a load of 0.8: rho / (1 - rho) services of 1 ms.
        (1, "{exponential: {mean: 1ms}}", 800, 4.0),
        # M/D/1: half of that.
        (1, "1ms", 800, 2.0),
        # M/M/2 at 0.75: Erlang's C is 9/14, over the spare rate of 500 a second.
        (2, "{exponential: {mean: 1ms}}", 1500, 9 / 14 / 500 * 1000),
        # M/M/4 at 0.75: C is 0.5094.
        (4, "{exponential: {mean: 1ms}}", 3000, 0.5094 / 1000 * 1000),
    ],
)
def test_waits_are_those_of_queueing_theory(servers: int, service: str, rate: int, wait_ms: float) -> None:
    """Poisson reads at a load of three quarters or more wait as the formulas say, within four standard errors."""
    found = replsim.run(replsim.loads(SINGLE.format(servers=servers, service=service, rate=rate)), seed=3)
    queued = found.reads["queued"] / 1e6
    means = np.array([part.mean() for part in np.array_split(queued, 40)])
    error = means.std(ddof=1) / sqrt(len(means))
    assert error < 0.05 * wait_ms
    assert abs(queued.mean() - wait_ms) < 4 * error
    assert found.metrics["s1.read_load"] == pytest.approx(rate / servers / 1000, rel=0.02)
    assert found.metrics["read_queue.mean"] == pytest.approx(queued.mean() / 1000, rel=1e-9)
