"""What is allowed, but will probably disappoint: each with the place to look at, and what to do.

A warning is a guess from means (`replsim.scenario.estimate`): a scenario that draws one still runs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pydantic import BaseModel

from replsim.errors import Problem
from replsim.randomness import Distribution
from replsim.rules.acks import REMOTE_LEVELS, SyncRule
from replsim.scenario.checks.routes import reached
from replsim.scenario.estimate import (
    Estimate,
    commit_latency,
    commit_rate,
    estimate,
    flush_rate,
    mean_seconds,
    offered_rate,
    record_rate,
    wal_rate,
)
from replsim.scenario.failover import Patroni, Quorum
from replsim.scenario.faults import Cancel
from replsim.scenario.retention import devices
from replsim.scenario.succession import heirs
from replsim.scenario.topology import client_network, link_between
from replsim.units import SECOND, format_bandwidth, format_duration

if TYPE_CHECKING:
    from replsim.scenario.clients import Keys
    from replsim.scenario.model import Scenario

__all__ = ["WARNINGS", "Estimate", "estimate", "warnings"]

LONG_SECONDS: Final = 600
LARGE_BYTES: Final = 4_000_000_000
ARTEFACT: Final = 2.0
"""Messages within the spread of their latencies, beyond which order alone makes a stream visibly late."""


def warnings(scenario: Scenario) -> list[Problem]:
    """What will probably disappoint in a scenario that passed its checks."""
    return [problem for check in WARNINGS for problem in check(scenario)]


def never_acknowledged(scenario: Scenario) -> Iterator[Problem]:
    """Commits that wait for more standbys than there are: PostgreSQL accepts it, and blocks for ever."""
    rule = SyncRule.parse(scenario.primary.synchronous_standby_names)
    there = len(rule.candidates(scenario.direct))
    waiting = [path[1] for path, each in _writing(scenario) if scenario.level(each.synchronous_commit) in REMOTE_LEVELS]
    if waiting and rule.count > there:
        message = (
            f"asks for {rule.count} synchronous standbys, but {there} can be: "
            f"the commits of {', '.join(waiting)} are never acknowledged"
        )
        yield Problem(("primary", "synchronous_standby_names"), message)


def never_acknowledged_later(scenario: Scenario) -> Iterator[Problem]:
    """A standby that is named, and then promoted: the rule stays as it is, and it cannot wait for itself."""
    rule = SyncRule.parse(scenario.primary.synchronous_standby_names)
    if not 0 < rule.count <= len(rule.candidates(scenario.direct)):
        return
    for heir in heirs(scenario):
        there = len(rule.candidates([scenario.primary.name, *(name for name in scenario.direct if name != heir)]))
        if rule.count > there:
            message = (
                f"asks for {rule.count} synchronous standbys, but {there} can be once {heir} has taken over: "
                "no commit is acknowledged then; name one more, or all by '*'"
            )
            yield Problem(("primary", "synchronous_standby_names"), message)
            return


def nothing_to_cancel(scenario: Scenario) -> Iterator[Problem]:
    """Waits for standbys that are cancelled, of clients who never wait for any."""
    rule = SyncRule.parse(scenario.primary.synchronous_standby_names)
    named = rule.count or getattr(scenario.failover, "synchronous_mode", "off") != "off"
    for place, fault in enumerate(scenario.faults):
        client = (scenario.writers | scenario.sessions).get(str(fault.target)) if isinstance(fault, Cancel) else None
        if client is not None and not (named and scenario.level(client.synchronous_commit) in REMOTE_LEVELS):
            yield Problem(("faults", place, "cancel"), "its commits wait for no standby, so there is no wait to cancel")


def remote_without_standbys(scenario: Scenario) -> Iterator[Problem]:
    """A level that asks for a standby's answer, while no standby is synchronous."""
    if SyncRule.parse(scenario.primary.synchronous_standby_names).count:
        return
    places = [(("primary",), scenario.primary), *_writing(scenario)]
    for path, each in places:
        if each.synchronous_commit in ("remote_write", "remote_apply"):
            message = f"without synchronous_standby_names, {each.synchronous_commit} waits for no standby: it is local"
            yield Problem((*path, "synchronous_commit"), message)


def pool_too_small(scenario: Scenario) -> Iterator[Problem]:
    """More work than a pool can carry: each commit holds a connection for its latency."""
    for path, client in _writing(scenario):
        closed = client.write_every is None if path[0] == "sessions" else client.clients is not None
        latency = commit_latency(scenario, client)
        if closed or math.isinf(latency):
            continue
        busy = commit_rate(scenario, client) * latency
        if busy > client.connections:
            message = (
                f"about {busy:.0f} commits are under way at a time (a commit takes about {_time(latency)}), but there "
                f"are {client.connections} connections: work waits for one, longer and longer"
            )
            yield Problem((*path, "connections"), message)


def clients_in_step(scenario: Scenario) -> Iterator[Problem]:
    """Closed-loop clients that nothing tells apart: one flush answers all of them, and they come back together."""
    for name, writer in scenario.writers.items():
        network = writer.network is None or writer.network.constant is not None
        alike = network and writer.execution.constant is not None and writer.think.constant is not None
        if writer.clients is not None and writer.clients > 1 and alike:
            message = (
                f"its {writer.clients} clients all take the same time, so they fall into step, as no real ones do: let "
                f"executions differ, such as 'execution: {{lognormal: {{median: 0.1ms, p99: 0.3ms}}}}'"
            )
            yield Problem(("writers", name, "execution"), message)


def device_too_slow(scenario: Scenario) -> Iterator[Problem]:
    """More WAL than a device can write."""
    devices: list[tuple[tuple[str, ...], Any]] = [(("primary",), scenario.primary.wal_device)]
    devices += [(("standbys", name), standby.wal_device) for name, standby in scenario.standbys.items()]
    rate = wal_rate(scenario)
    for path, device in devices:
        if device.bandwidth is not None and rate > device.bandwidth:
            message = f"the clients write about {_bytes(rate)} of WAL, more than it takes: it falls behind without end"
            yield Problem((*path, "wal_device", "bandwidth"), message)


def replay_too_slow(scenario: Scenario) -> Iterator[Problem]:
    """More WAL than a standby can replay."""
    for name, standby in scenario.standbys.items():
        demand = record_rate(scenario) * mean_seconds(standby.replay.per_record)
        if standby.replay.bandwidth is not None:
            demand += wal_rate(scenario) / standby.replay.bandwidth
        if demand > 1:
            message = f"needs about {demand:.1f} seconds to replay each second of WAL: its lag grows without end"
            yield Problem(("standbys", name, "replay"), message)


def link_too_narrow(scenario: Scenario) -> Iterator[Problem]:
    """More WAL than a link, or its window, lets through."""
    rate = wal_rate(scenario)
    for name in scenario.standbys:
        upstream = scenario.upstream(name)
        there, back = link_between(scenario, upstream, name), link_between(scenario, name, upstream)
        if there is None or back is None:
            continue
        path = _link_path(scenario, upstream, name)
        if there.bandwidth is not None and rate > there.bandwidth:
            message = f"the clients write about {_bytes(rate)} of WAL, more than it carries: {name!r} falls behind"
            yield Problem((*path, "bandwidth"), message)
        round_trip = mean_seconds(there.latency, there.jitter, back.latency, back.jitter)
        if there.window is not None and 0 < round_trip < math.inf and rate > there.window / round_trip:
            message = (
                f"lets {_bytes(there.window / round_trip)} through (a window each round trip of {_time(round_trip)}), "
                f"but the clients write about {_bytes(rate)} of WAL: {name!r} falls behind"
            )
            yield Problem((*path, "window"), message)


def order_makes_late(scenario: Scenario) -> Iterator[Problem]:
    """Independent latencies on an ordered stream: the slow ones hold the others up, the more the more there are."""
    rate = flush_rate(scenario)
    for name in scenario.standbys:
        upstream = scenario.upstream(name)
        link = link_between(scenario, upstream, name)
        if link is None:
            continue
        drawn = [link.jitter] if link.hold is not None else [link.latency, link.jitter]
        spread = sum(_spread(each) for each in drawn if each is not None)
        if rate * spread > ARTEFACT:
            message = (
                f"each of about {rate:.0f} messages a second draws its own latency, over a range of {_time(spread)}: "
                f"in an ordered stream the slow ones hold the others up, and the lag grows with the message rate; "
                f"give the link 'hold: 20ms' where the network changes more slowly than that"
            )
            yield Problem(_link_path(scenario, upstream, name), message)


def hot_row(scenario: Scenario) -> Iterator[Problem]:
    """A row whose lock is wanted more of the time than there is."""
    for name, writer in scenario.writers.items():
        if writer.keys is None or not writer.keys.lock or writer.clients is not None:
            continue
        demand = offered_rate(scenario, writer) * _hottest(writer.keys) * commit_latency(scenario, writer)
        if demand > 1 and math.isfinite(demand):
            message = (
                f"the most popular row is wanted for about {demand:.1f} seconds of each second: its writers queue up"
            )
            yield Problem(("writers", name, "keys"), message)


def no_work(scenario: Scenario) -> Iterator[Problem]:
    """A client whose work never comes within the run."""
    for kind, clients in (("writers", scenario.writers), ("readers", scenario.readers)):
        for name, client in clients.items():
            if getattr(client, "clients", None) is None and offered_rate(scenario, client) == 0:
                yield Problem((kind, name), "no work arrives before the end of the run")


def nowhere_nearest(scenario: Scenario) -> Iterator[Problem]:
    """``nearest`` among nodes that are equally far."""
    for kind, clients in (("readers", scenario.readers), ("sessions", scenario.sessions)):
        for name, client in clients.items():
            nodes = reached(scenario, client.route)
            distances = {client_network(scenario, client, node).mean for node in nodes}
            if client.route.policy == "nearest" and len(nodes) > 1 and len(distances) == 1:
                message = (
                    f"all nodes are equally far, so all reads go to {nodes[0]!r}: give the client and the nodes zones"
                )
                yield Problem((kind, name, "route"), message)


def beyond_the_end(scenario: Scenario) -> Iterator[Problem]:
    """Settings that take effect only after the run."""
    for name, standby in scenario.standbys.items():
        if standby.recovery_min_apply_delay >= scenario.duration:
            yield Problem(("standbys", name, "recovery_min_apply_delay"), "is as long as the run: it replays nothing")
    checkpoints = scenario.primary.checkpoints
    if checkpoints is not None and checkpoints.every >= scenario.duration:
        yield Problem(("primary", "checkpoints", "every"), "is as long as the run: no checkpoint happens")


def no_mean(scenario: Scenario) -> Iterator[Problem]:
    """A distribution with so heavy a tail that no average of it settles."""
    for path, distribution in _distributions(scenario, ()):
        if math.isinf(distribution.mean):
            message = "has no mean (a Pareto shape of 1 or less): averages never settle, look at percentiles"
            yield Problem(path, message)


def large_run(scenario: Scenario) -> Iterator[Problem]:
    """A run that takes long, or more memory than many machines have."""
    size = estimate(scenario)
    if size.wall_seconds > LONG_SECONDS or size.memory_bytes > LARGE_BYTES:
        yield Problem(("duration",), f"a large run: {size}")


def _writing(scenario: Scenario) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield from ((("writers", name), writer) for name, writer in scenario.writers.items())
    yield from ((("sessions", name), session) for name, session in scenario.sessions.items())


def _link_path(scenario: Scenario, here: str, there: str) -> tuple[str, ...]:
    """Where the link from one node to another is written, or the table of zones that it comes from."""
    names = (f"{here} -> {there}", f"{there} -> {here}")
    return next((("links", name) for name in names if name in scenario.links), ("zones",))


def _distributions(part: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Distribution[int]]]:
    """Every distribution in a scenario, and its place."""
    if isinstance(part, Distribution):
        yield path, part
    elif isinstance(part, BaseModel):
        for name in type(part).model_fields:
            yield from _distributions(getattr(part, name), (*path, name))
    elif isinstance(part, dict):
        for name, each in part.items():
            yield from _distributions(each, (*path, name))


def _spread(distribution: Distribution[int]) -> float:
    """Seconds between the 10th and the 90th percentile; of samples in sequence, as if drawn at random."""
    if distribution.empirical is not None:
        low, high = np.quantile(distribution.empirical.measured, (0.1, 0.9))
    else:
        low, high = distribution.values(np.array([0.1, 0.9]))
    return float(high - low) / SECOND


def _hottest(keys: Keys) -> float:
    """The share of the most popular row."""
    ranks = np.arange(1, min(keys.count, 1_000_000) + 1, dtype=np.float64)
    return float(1 / np.sum(ranks**-keys.zipf))


def _time(seconds: float) -> str:
    return format_duration(round(float(f"{seconds:.2g}") * SECOND))


def _bytes(rate: float) -> str:
    if math.isinf(rate):
        return "no end"
    return format_bandwidth(round(float(f"{rate:.2g}")))


def majority_of_two(scenario: Scenario) -> Iterator[Problem]:
    """Two who decide, of whom both are a majority: with one of them gone nobody takes over."""
    manager = scenario.failover
    if isinstance(manager, Patroni | Quorum):
        key, named = ("store", manager.store) if isinstance(manager, Patroni) else ("members", manager.members)
        who = named or scenario.nodes
        if len(who) == 2:
            message = (
                f"a majority of {' and '.join(who)} is both: when one is gone nobody takes over; add a third, such as "
                f"'{key}: [{', '.join(who)}, witness]'"
            )
            yield Problem(("failover", key) if named else ("failover",), message)


def slot_without_limit(scenario: Scenario) -> Iterator[Problem]:
    """A slot that may fill its server's disk while the run lasts."""
    rate = wal_rate(scenario)
    for name, standby in scenario.standbys.items():
        upstream = scenario.upstream(name)
        size = devices(scenario)[upstream].size
        if not standby.slot or size is None or scenario.primary.max_slot_wal_keep_size is not None:
            continue
        if rate * scenario.duration / SECOND > size:
            message = (
                f"keeps all that {name} lacks: were it away for {_time(size / rate)}, the device of {upstream} would "
                "be full; limit it by max_slot_wal_keep_size"
            )
            yield Problem(("standbys", name, "slot"), message)


WARNINGS: Final[tuple[Callable[[Scenario], Iterator[Problem]], ...]] = (
    never_acknowledged,
    never_acknowledged_later,
    nothing_to_cancel,
    remote_without_standbys,
    pool_too_small,
    clients_in_step,
    device_too_slow,
    replay_too_slow,
    link_too_narrow,
    order_makes_late,
    hot_row,
    no_work,
    nowhere_nearest,
    beyond_the_end,
    no_mean,
    large_run,
    majority_of_two,
    slot_without_limit,
)
"""Every warning; a test proves that each has a scenario that draws it."""
