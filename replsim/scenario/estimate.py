"""What a run will come to, roughly, before it is run: its load, its size and its time.

Means and simple queueing only.  These numbers decide what to warn of; they are never a result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from replsim.rules.acks import REMOTE_LEVELS, Level, SyncRule
from replsim.scenario.clients import Reader, Session, Writer
from replsim.scenario.surges import effective
from replsim.scenario.topology import client_network, link_between
from replsim.units import SECOND

if TYPE_CHECKING:
    from replsim.randomness import Distribution
    from replsim.scenario.model import Scenario

__all__ = [
    "Estimate",
    "commit_latency",
    "commit_rate",
    "estimate",
    "flush_rate",
    "mean_seconds",
    "offered_rate",
    "record_rate",
    "wal_rate",
]

EVENTS_A_SECOND: Final = 800_000
"""Events that the event engine gets through in a second of one core; a laptop's is within a factor of three."""
STEPS_A_SECOND: Final = 2_500_000
"""Commits times nodes that the stage engine gets through in a second, one commit a flush; metrics are in it."""
EVENTS_A_FLUSH: Final = 3
EVENTS_A_BATCH: Final = 6
"""A batch on a standby: delivery, write, flush, replay, and the deliveries of its replies."""
BYTES_A_COMMIT: Final = 250
BYTES_A_READ: Final = 120
BYTES_A_BATCH: Final = 150
"""Positions of one batch on one node, true and reported."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """The size of a run, within a factor of three or so."""

    commits: int
    reads: int
    events: int
    memory_bytes: int
    wall_seconds: float

    def __str__(self) -> str:
        what = [f"{_two_digits(self.commits)} commits", f"{_two_digits(self.reads)} reads"]
        if self.events:
            what.append(f"{_two_digits(self.events)} events")
        return (
            f"roughly {', '.join(what[:-1])} and {what[-1]}: about {_two_digits(self.memory_bytes / 1e6)} MB and "
            f"{_two_digits(self.wall_seconds)} s"
        )


def estimate(scenario: Scenario, *, compiled: bool = False) -> Estimate:
    """The size of a run of a scenario that passed its checks, event by event or ``compiled`` (by the stage engine)."""
    seconds = scenario.duration / SECOND
    writers = sum(commit_rate(scenario, writer) for writer in scenario.writers.values())
    users = sum(commit_rate(scenario, session) for session in scenario.sessions.values())
    commits = (writers + users) * seconds
    reads = sum(offered_rate(scenario, reader) for reader in scenario.readers.values()) * seconds
    reads += sum(commit_rate(scenario, each) * each.reads for each in scenario.sessions.values()) * seconds
    batches = flush_rate(scenario) * seconds
    closed = sum(commit_rate(scenario, writer) for writer in scenario.writers.values() if writer.clients) * seconds
    events = batches * (EVENTS_A_FLUSH + EVENTS_A_BATCH * len(scenario.standbys)) + 2 * closed + users * seconds
    memory = 60e6 + commits * BYTES_A_COMMIT + reads * BYTES_A_READ
    memory += batches * (1 + len(scenario.standbys)) * BYTES_A_BATCH
    wall = 0.3 + events / EVENTS_A_SECOND + commits / 3e6 + reads / 5e6
    if compiled:
        events = 0
        wall = 0.7 + commits * (1 + len(scenario.standbys)) / STEPS_A_SECOND + reads / 5e6
    return Estimate(round(commits), round(reads), round(events), round(memory), round(wall, 1))


def mean_seconds(*distributions: Distribution[int] | None) -> float:
    """The sum of the means of distributions of time, in seconds; None counts nothing."""
    return sum(each.mean for each in distributions if each is not None) / SECOND


def offered_rate(scenario: Scenario, client: Writer | Reader) -> float:
    """The mean rate (per second) at which an open-loop client's work arrives over the whole run; else 0."""
    seconds = scenario.duration / SECOND
    client = _under_load(scenario, client)
    law = client.arrivals
    if law.replayed is not None:
        return int(np.searchsorted(np.sort(law.replayed.measured), scenario.duration)) / seconds
    if client.schedule is not None:
        points, period = client.schedule.points, client.schedule.period
        times = np.linspace(0, scenario.duration, 4001)
        known = [point.at for point in points]
        rates = [point.rate for point in points]
        return float(np.mean(np.interp(times, known, rates, period=period)))
    if client.rate is None:
        return 0.0
    if law.bursts is not None:
        on, off = law.bursts.on.mean, law.bursts.off.mean
        return client.rate * on / (on + off) if np.isfinite(on + off) else client.rate
    return client.rate


def _under_load(scenario: Scenario, client: Writer | Reader) -> Writer | Reader:
    """The client with the loads of the scenario's own seed."""
    for name, writer in scenario.writers.items():
        if writer is client:
            return effective(scenario, scenario.seed, name, writer)
    for name, reader in scenario.readers.items():
        if reader is client:
            return effective(scenario, scenario.seed, name, reader)
    return client


def commit_rate(scenario: Scenario, client: Writer | Session) -> float:
    """Commits a second: what is offered, or what a closed loop's own latency lets it do."""
    latency = commit_latency(scenario, client)
    if isinstance(client, Session):
        if client.write_every is not None:
            return client.count / mean_seconds(client.write_every)
        away = 2 * mean_seconds(client_network(scenario, client, scenario.primary.name))
        cycle = mean_seconds(client.think) + latency + client.reads * (mean_seconds(client.read_after) + away)
        return client.count / max(cycle, 1e-6)
    if client.clients is None:
        return offered_rate(scenario, client)
    think = mean_seconds(client.think)
    if client.in_flight == 1:
        return client.clients / max(think + latency, 1e-6)
    # Asynchronous: bound by the pause between submissions, and by the commits in flight.
    return client.clients * min(1 / max(think, 1e-6), client.in_flight / max(latency, 1e-6))


def commit_latency(scenario: Scenario, client: Writer | Session) -> float:
    """The mean latency of an uncontended commit in seconds, ``inf`` where it is never acknowledged."""
    level = scenario.level(client.synchronous_commit)
    device = scenario.primary.wal_device
    total = mean_seconds(client.execution) + 3 * scenario.wakeup / SECOND
    total += 2 * mean_seconds(client_network(scenario, client, scenario.primary.name))
    if level != "off":
        # A commit that comes while a flush is under way waits for its rest, and for its own.
        total += 1.5 * mean_seconds(device.flush) + mean_seconds(device.write)
    return total + _remote(scenario, level)


def _remote(scenario: Scenario, level: Level) -> float:
    rule = SyncRule.parse(scenario.primary.synchronous_standby_names)
    if level not in REMOTE_LEVELS or not rule.count:
        return 0.0
    answers = []
    for name in rule.candidates(scenario.direct):
        standby = scenario.standbys[name]
        there, back = (
            link_between(scenario, *ends) for ends in ((scenario.primary.name, name), (name, scenario.primary.name))
        )
        answer = mean_seconds(*(part for link in (there, back) if link for part in (link.latency, link.jitter)))
        answer += 4 * scenario.wakeup / SECOND + mean_seconds(standby.wal_device.write)
        if level != "remote_write":
            answer += mean_seconds(standby.wal_device.flush)
        if level == "remote_apply":
            answer += mean_seconds(standby.replay.per_record) + standby.recovery_min_apply_delay / SECOND
        answers.append(answer)
    if rule.count > len(answers):
        return float("inf")
    return sorted(answers)[rule.count - 1] if rule.method == "ANY" else max(answers[: rule.count])


def record_rate(scenario: Scenario) -> float:
    """WAL records a second."""
    rate = sum(commit_rate(scenario, writer) * writer.records for writer in scenario.writers.values())
    rate += sum(commit_rate(scenario, session) for session in scenario.sessions.values())
    if scenario.background is not None:
        rate += scenario.background.wal / scenario.background.record
    return rate


def wal_rate(scenario: Scenario) -> float:
    """Bytes of WAL a second, without full-page images."""
    rate = sum(commit_rate(scenario, client) * client.record.mean for client in _committing(scenario))
    return rate + (scenario.background.wal if scenario.background is not None else 0)


def flush_rate(scenario: Scenario) -> float:
    """Flushes a second on the primary, and so the batches that each standby receives."""
    clients = _committing(scenario)
    own = sum(commit_rate(scenario, client) for client in clients if scenario.level(client.synchronous_commit) != "off")
    one = mean_seconds(scenario.primary.wal_device.flush, scenario.primary.wal_device.write)
    most = 1 / one if one > 0 else float("inf")
    timer = SECOND / scenario.primary.wal_writer_delay
    size = wal_rate(scenario) / max(scenario.primary.wal_writer_flush_after, 8192)
    return min(own + timer + min(size, 1e5), most)


def _committing(scenario: Scenario) -> list[Writer | Session]:
    return [*scenario.writers.values(), *scenario.sessions.values()]


def _two_digits(value: float) -> str:
    if value < 10:
        return f"{value:.1f}".removesuffix(".0")
    return f"{float(f'{value:.2g}'):,.0f}"
