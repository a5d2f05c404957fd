"""Open-loop clients: what each group submits, and when it reaches the log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from replsim.engines.stages.actors import feed
from replsim.engines.stages.columns import Ints, chained, cut, joined
from replsim.engines.stages.kernels.primary_flush import CHUNK
from replsim.randomness import DurationDistribution, Streams
from replsim.randomness.arrivals import Arriving, user_writes
from replsim.rules.acks import Level, SyncRule
from replsim.scenario import Scenario
from replsim.scenario.clients import Session, Writer
from replsim.scenario.surges import effective
from replsim.scenario.topology import client_network

__all__ = ["Group", "Intake", "Transactions", "groups"]

COMMIT: Final = CHUNK + 1
"""What a transaction inserts last."""


class Transactions(NamedTuple):
    """Transactions, or chunks of their WAL, in the order in which they reach the log."""

    group: NDArray[np.int16]
    number: Ints
    """The place among those of its group, in the order of submission."""
    client: Ints
    submitted: Ints
    inserted: Ints
    size: Ints
    """WAL of the whole transaction (of the chunk, for a chunk)."""
    adds: Ints
    """WAL that comes now."""
    way: Ints
    """From the moment at which it is visible to that at which its client knows."""
    commits: NDArray[np.bool_]
    """Whether it is the commit record that comes."""


NONE: Final = Transactions(
    *(np.empty(0, dtype=kind) for kind in (np.int16, *(np.int64,) * 7, np.bool_))  # type: ignore[arg-type]  # by field
)


class Users:
    """The writes of a session's users, as they come."""

    def __init__(self, times: Ints, users: Ints) -> None:
        self._times, self._users = times, users
        self._count = 0

    def until(self, time: int) -> Ints:
        """The times of the next writes, before ``time``."""
        first, self._count = self._count, int(np.searchsorted(self._times, time, side="left"))
        return self._times[first : self._count]

    def users(self, first: int, last: int) -> Ints:
        """Who writes them, from the write number ``first`` on."""
        return self._users[first:last]


class Group:
    """One group of clients: a writer of the scenario, or the users of a session."""

    def __init__(
        self,
        scenario: Scenario,
        streams: Streams,
        name: str,
        client: Writer | Session,
        arriving: Arriving | Users,
    ) -> None:
        network: DurationDistribution = client_network(scenario, client, scenario.primary.name)
        self.name = name
        self.connections = client.connections
        self.declared: Level = scenario.level(client.synchronous_commit)
        rule = SyncRule.parse(scenario.primary.synchronous_standby_names)
        self.level = rule.in_force(self.declared)
        self.records = client.records if isinstance(client, Writer) else 1
        self.chunk = client.chunk if isinstance(client, Writer) else None
        self._arriving = arriving
        self._wakeup = scenario.wakeup
        self.to_server = (network.constant or 0) + scenario.wakeup
        """From the submission to the execution; a network time that is not constant is left out."""
        self._out = feed.draws(streams, f"{name}:request", network)
        self._back = feed.draws(streams, f"{name}:answer", network)
        self._execution = feed.draws(streams, f"{name}:execution", client.execution)
        self._record = feed.draws(streams, f"{name}:record", client.record)
        self._count = 0
        self.submitted = np.empty(0, dtype=np.int64)
        """When the transactions were submitted that were asked for last."""

    def until(self, horizon: int, place: int) -> Transactions:
        """The next transactions, submitted before ``horizon``, each with all that it inserts."""
        self.submitted = submitted = self._arriving.until(horizon)
        many, first = len(submitted), self._count
        self._count = count = first + many
        size = np.maximum(_next(self._record, many), 1)
        execution = _next(self._execution, many)
        begins = submitted + _next(self._out, many) + self._wakeup
        inserted = begins + execution
        one = Transactions(
            group=np.full(many, place, dtype=np.int16),
            number=np.arange(first, count),
            client=self._arriving.users(first, count) if isinstance(self._arriving, Users) else np.full(many, -1),
            submitted=submitted,
            inserted=inserted,
            size=size,
            adds=size,
            way=_next(self._back, many) + self._wakeup,
            commits=np.ones(many, dtype=np.bool_),
        )
        return one if self.chunk is None else _in_chunks(one, begins, execution, self.chunk)


def _next(draws: feed.Feed[np.int64], count: int) -> Ints:
    values = draws.at_least(count)[:count]
    draws.used(count)
    return values


def _in_chunks(whole: Transactions, begins: Ints, execution: Ints, chunk: int) -> Transactions:
    """Each transaction with its chunks before its commit record, evenly spread over its execution."""
    chunks = (whole.size - 1) // chunk
    row = np.repeat(np.arange(len(chunks)), chunks + 1)
    ends = np.cumsum(chunks + 1)
    nth = np.arange(len(row)) - np.repeat(ends - chunks - 1, chunks + 1)
    commits = nth == chunks[row]
    each = cut(whole, row)
    at = begins[row] + execution[row] * (nth + 1) // (chunks[row] + 1)
    return each._replace(inserted=at, adds=np.where(commits, each.size - chunks[row] * chunk, chunk), commits=commits)


class Intake:
    """All groups, as one sequence in the order of the log: by time, then by group, then in the order of submission."""

    def __init__(self, groups: Sequence[Group]) -> None:
        self.groups = tuple(groups)
        self._coming: list[Transactions | None] = [None] * len(self.groups)
        """By group: what was submitted, and is not in the log yet."""
        self._to_begin = np.empty(0, dtype=np.int64)
        """When transactions will begin to execute that were submitted."""

    def until(self, horizon: int) -> Transactions:
        """What reaches the log before ``horizon``, after what was given before."""
        parts = [NONE]
        for place, group in enumerate(self.groups):
            coming = group.until(horizon, place)
            before = self._coming[place]
            if before is not None:
                coming = chained([before, coming])
            now = coming.inserted < horizon
            count = int(np.count_nonzero(now))
            if count == len(now):
                self._coming[place] = None
            elif now[:count].all():
                # Nobody overtakes, as a rule: then no column is copied.
                self._coming[place], coming = cut(coming, slice(count, None)), cut(coming, slice(count))
            else:
                self._coming[place], coming = cut(coming, ~now), cut(coming, now)
            parts.append(coming)
        merged = chained(parts)
        if np.all(merged.inserted[1:] >= merged.inserted[:-1]):
            return merged
        order = np.argsort(merged.inserted, kind="stable")
        return cut(merged, order)

    def begins(self, horizon: int) -> Ints:
        """When those transactions begin to execute that do so before the ``horizon`` of the last `until`, after those
        given before, in order."""
        every = np.sort(joined([self._to_begin, *(group.submitted + group.to_server for group in self.groups)]))
        now = int(np.searchsorted(every, horizon, side="left"))
        self._to_begin = every[now:]
        return every[:now]

    def left(self) -> Transactions | None:
        """The transactions that were submitted and have not reached the log, in the order of their submission."""
        parts = [coming for coming in self._coming if coming is not None]
        if not parts:
            return None
        every = chained(parts)
        every = cut(every, every.commits)
        order = np.lexsort((every.number, every.group, every.inserted, every.submitted))
        return cut(every, order)


def groups(scenario: Scenario, streams: Streams) -> list[Group]:
    """One group for each writer, then one for each session, in the scenario's order."""
    made = []
    for name, writer in scenario.writers.items():
        under_load = effective(scenario, streams.seed, name, writer)
        times = Arriving(streams, f"writer:{name}:arrivals", under_load, scenario.duration)
        made.append(Group(scenario, streams, f"writer:{name}", writer, times))
    for name, session in scenario.sessions.items():
        users = Users(*user_writes(streams, f"session:{name}", session, scenario.duration))
        made.append(Group(scenario, streams, f"session:{name}", session, users))
    return made
