"""Mistakes in the clients: how their work arrives, and what does not go together."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from replsim.errors import Problem
from replsim.rules.acks import REMOTE_LEVELS

if TYPE_CHECKING:
    from replsim.scenario.clients import Reader, Session, Writer
    from replsim.scenario.model import Scenario

__all__ = ["CHECKS"]

Path = tuple[str, str]

_CLOSED_ONLY: Final = ("think", "in_flight", "poll")
_OPEN_ONLY: Final = ("arrivals", "connections")


def writer_load(scenario: Scenario) -> Iterator[Problem]:
    """A writer without work, or with more than one account of it."""
    for name, writer in scenario.writers.items():
        given = [*_pace(writer), *(["clients"] if writer.clients is not None else [])]
        if len(given) != 1:
            yield Problem(
                ("writers", name), _exactly_one(given, "rate, schedule, clients and arrivals.replayed", "rate: 800/s")
            )


def reader_load(scenario: Scenario) -> Iterator[Problem]:
    """A reader without work, or with more than one account of it."""
    for name, reader in scenario.readers.items():
        given = _pace(reader)
        if len(given) != 1:
            yield Problem(
                ("readers", name), _exactly_one(given, "rate, schedule and arrivals.replayed", "rate: 4000/s")
            )


def session_load(scenario: Scenario) -> Iterator[Problem]:
    """Sessions that never write, or that are both open and closed."""
    for name, session in scenario.sessions.items():
        given = [field for field in ("write_every", "think") if getattr(session, field) is not None]
        if len(given) != 1:
            message = _exactly_one(given, "write_every (open loop) and think (closed loop)", "write_every: 2s")
            yield Problem(("sessions", name), message)


def restless_sessions(scenario: Scenario) -> Iterator[Problem]:
    """Users who write again in no time, or at a pace that has no mean."""
    for name, session in scenario.sessions.items():
        if session.write_every is not None and not 0 < session.write_every.mean < math.inf:
            message = "needs a finite mean above zero, such as 'write_every: 2s'"
            yield Problem(("sessions", name, "write_every"), message)


def closed_loop_fields(scenario: Scenario) -> Iterator[Problem]:
    """An open-loop writer with what only a closed-loop client has."""
    for name, writer in scenario.writers.items():
        for field in _CLOSED_ONLY:
            if writer.clients is None and _says(writer, field):
                message = (
                    f"belongs to a closed-loop writer: give it clients in place of {_given(writer)}, or leave it out"
                )
                yield Problem(("writers", name, field), message)


def open_loop_fields(scenario: Scenario) -> Iterator[Problem]:
    """A closed-loop writer with what only an open-loop one has."""
    for name, writer in scenario.writers.items():
        for field in _OPEN_ONLY:
            # Replayed arrivals beside clients are two accounts of the work, which is another mistake.
            if writer.clients is not None and _says(writer, field) and writer.arrivals.replayed is None:
                message = (
                    "belongs to an open-loop writer: each of the clients has a connection of its own; leave it out"
                )
                if field == "arrivals":
                    message = "belongs to an open-loop writer: a client's next work follows from its last; leave it out"
                yield Problem(("writers", name, field), message)


def pool_of_waiting_users(scenario: Scenario) -> Iterator[Problem]:
    """A pool for users of whom each has a connection of its own."""
    for name, session in scenario.sessions.items():
        if session.think is not None and session.write_every is None and _says(session, "connections"):
            message = "belongs to open-loop sessions: a user who thinks has a connection of its own; leave it out"
            yield Problem(("sessions", name, "connections"), message)


def poll_without_flight(scenario: Scenario) -> Iterator[Problem]:
    """A client that asks for outcomes, but has no commit that it does not wait for."""
    for name, writer in scenario.writers.items():
        if writer.clients is not None and writer.poll is not None and writer.in_flight == 1:
            message = "a client with one commit in flight waits for its answer: raise in_flight, or leave poll out"
            yield Problem(("writers", name, "poll"), message)


def timeout_in_flight(scenario: Scenario) -> Iterator[Problem]:
    """A time-out of a client that does not wait for its answers, and what is done at one that there is not."""
    for name, writer in scenario.writers.items():
        if writer.timeout is None and _says(writer, "at_timeout"):
            yield Problem(("writers", name, "at_timeout"), "needs a timeout, such as 'timeout: 5s'")
        for field in ("timeout", "statement_timeout"):
            if writer.in_flight > 1 and getattr(writer, field) is not None:
                message = "belongs to a client that waits for its answer: leave it out, or in_flight at 1"
                yield Problem(("writers", name, field), message)


def bursts_without_rate(scenario: Scenario) -> Iterator[Problem]:
    """Bursts of a rate that is not given as one."""
    for path, client in _openers(scenario):
        if client.arrivals.bursts is not None and client.rate is None:
            yield Problem(
                (*path, "arrivals", "bursts"), "need a rate, which holds while a burst is on: add 'rate: 800/s'"
            )


def bursts_of_no_time(scenario: Scenario) -> Iterator[Problem]:
    """Bursts that are over before they begin."""
    for path, client in _openers(scenario):
        if client.arrivals.bursts is not None and client.arrivals.bursts.on.mean == 0:
            yield Problem((*path, "arrivals", "bursts", "on"), "must be above zero, such as 'on: 2s'")


def chunk_without_execution(scenario: Scenario) -> Iterator[Problem]:
    """WAL in chunks along an execution that takes no time."""
    for name, writer in scenario.writers.items():
        if writer.chunk is not None and writer.execution.mean == 0:
            message = "spreads the WAL over the execution, which takes no time: add 'execution: 10ms', or leave it out"
            yield Problem(("writers", name, "chunk"), message)


def empty_record(scenario: Scenario) -> Iterator[Problem]:
    """Transactions that write no WAL: they are reads, and no commit waits for them."""
    for path, client in _writing(scenario):
        if client.record.mean < 1:
            yield Problem(
                (*path, "record"), "a commit writes at least one byte of WAL: write for example 'record: 600 B'"
            )


def reader_with_lock(scenario: Scenario) -> Iterator[Problem]:
    """A reader that locks rows."""
    for name, reader in scenario.readers.items():
        if reader.keys is not None and reader.keys.lock:
            yield Problem(("readers", name, "keys", "lock"), "belongs to a writer: reads lock nothing; leave it out")


def work_in_no_time(scenario: Scenario) -> Iterator[Problem]:
    """A closed loop in which nothing takes any time: it would turn for ever in one instant."""
    device = scenario.primary.wal_device
    synchronous = scenario.primary.synchronous_standby_names.strip() != ""
    for path, client in _writing(scenario):
        level = scenario.level(client.synchronous_commit)
        if synchronous and level in REMOTE_LEVELS and any(link.latency.mean for link in scenario.links.values()):
            continue
        flush = device.flush.mean + device.write.mean if level != "off" else 0.0
        own = [client.execution] + [part for part in (client.think, client.network) if part is not None]
        closed = client.think is not None if path[0] == "sessions" else getattr(client, "clients", None) is not None
        if closed and scenario.wakeup + flush + sum(part.mean for part in own) == 0:
            yield Problem(
                path, "its clients would go on for ever in no time: give them 'think: 1ms', or a wakeup above zero"
            )


def name_taken_twice(scenario: Scenario) -> Iterator[Problem]:
    """Two kinds of clients with one name, which a metric by client could not tell apart."""
    seen: dict[str, str] = {}
    groups = (("writers", scenario.writers), ("readers", scenario.readers), ("sessions", scenario.sessions))
    for kind, name in ((kind, name) for kind, clients in groups for name in clients):
        other = seen.setdefault(name, kind)
        if other != kind:
            yield Problem((kind, name), f"one of the {other} is called {name!r} too: rename one of them")


def _says(client: Writer | Session, field: str) -> bool:
    """Whether a client sets a field to something else than it would be anyhow."""
    default = type(client).model_fields[field].get_default(call_default_factory=True)
    return field in client.model_fields_set and getattr(client, field) != default


def _pace(client: Writer | Reader) -> list[str]:
    """What says when an open-loop client's work arrives."""
    given = [field for field in ("rate", "schedule") if getattr(client, field) is not None]
    return [*given, "arrivals.replayed"] if client.arrivals.replayed is not None else given


def _given(writer: Writer) -> str:
    return " and ".join(_pace(writer)) or "a rate"


def _exactly_one(given: list[str], fields: str, example: str) -> str:
    if given:
        return f"has {' and '.join(given)}: keep exactly one of {fields}"
    return f"has no work: give exactly one of {fields}, such as '{example}'"


def _openers(scenario: Scenario) -> Iterator[tuple[Path, Writer | Reader]]:
    """Every client whose work may arrive by a law, and its place."""
    yield from ((("writers", name), writer) for name, writer in scenario.writers.items())
    yield from ((("readers", name), reader) for name, reader in scenario.readers.items())


def _writing(scenario: Scenario) -> Iterator[tuple[Path, Writer | Session]]:
    """Every client that commits, and its place."""
    yield from ((("writers", name), writer) for name, writer in scenario.writers.items())
    yield from ((("sessions", name), session) for name, session in scenario.sessions.items())


CHECKS: Final = (
    writer_load,
    reader_load,
    session_load,
    restless_sessions,
    closed_loop_fields,
    open_loop_fields,
    pool_of_waiting_users,
    poll_without_flight,
    timeout_in_flight,
    bursts_without_rate,
    bursts_of_no_time,
    chunk_without_execution,
    empty_record,
    reader_with_lock,
    work_in_no_time,
    name_taken_twice,
)
