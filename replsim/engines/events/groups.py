"""From the scenario's writers and sessions to groups of clients."""

from __future__ import annotations

from replsim.engines.events.clients import Clients, Work
from replsim.engines.events.closed_loop import ClosedLoop
from replsim.engines.events.open_loop import OpenLoop
from replsim.engines.events.pages import Pages
from replsim.engines.events.pauses import Pauses
from replsim.randomness import Streams
from replsim.randomness.arrivals import arrivals, user_writes
from replsim.scenario import Scenario
from replsim.scenario.clients import Session, Writer
from replsim.scenario.succession import heirs
from replsim.scenario.surges import effective
from replsim.scenario.topology import client_network

__all__ = ["groups"]


def groups(scenario: Scenario, streams: Streams) -> list[Clients]:
    """One group for each writer, then one for each session, in the scenario's order."""
    pages = Pages(scenario.primary.checkpoints) if scenario.primary.checkpoints else None
    made: list[Clients] = []
    for name, writer in scenario.writers.items():
        work = _work(scenario, len(made), f"writer:{name}", writer)
        work = work._replace(
            records=writer.records, chunk=writer.chunk, keys=writer.keys, pages=pages, cold=writer.cold,
            timeout=writer.timeout, disconnects=writer.at_timeout == "disconnect",
            statement_timeout=writer.statement_timeout,
        )  # fmt: skip
        made.append(_writer(scenario, streams, work, writer))
    for name, session in scenario.sessions.items():
        made.append(_session(scenario, streams, _work(scenario, len(made), f"session:{name}", session), name, session))
    return made


def _work(scenario: Scenario, place: int, stream: str, client: Writer | Session) -> Work:
    """What writers and users have in common."""
    near = client_network(scenario, client, scenario.primary.name)
    return Work(
        place=place,
        name=stream,
        level=scenario.level(client.synchronous_commit),
        network=near,
        execution=client.execution,
        record=client.record,
        records=1,
        chunk=None,
        keys=None,
        wakeup=scenario.wakeup,
        pages=None,
        counted=scenario.primary.commit_delay > 0,
        retry=client.retry,
        primary=scenario.primary.name,
        elsewhere={node: way for node in heirs(scenario) if (way := client_network(scenario, client, node)) != near},
    )


def _writer(scenario: Scenario, streams: Streams, work: Work, writer: Writer) -> Clients:
    if writer.clients is None:
        under_load = effective(scenario, streams.seed, work.name.removeprefix("writer:"), writer)
        times = arrivals(streams, f"{work.name}:arrivals", under_load, scenario.duration)
        return OpenLoop(work, streams, arrivals=times, users=None, connections=writer.connections)
    think = streams.draws(f"{work.name}:think", writer.think).next
    return ClosedLoop(work, streams, clients=writer.clients, think=think, in_flight=writer.in_flight, poll=writer.poll)


def _session(scenario: Scenario, streams: Streams, work: Work, name: str, session: Session) -> Clients:
    if session.write_every is not None:
        times, users = user_writes(streams, work.name, session, scenario.duration)
        return OpenLoop(work, streams, arrivals=times, users=users, connections=session.connections)
    assert session.think is not None
    think = streams.draws(f"{work.name}:think", session.think).next
    if session.live:
        return ClosedLoop(work, streams, clients=session.count, think=think, live=True)
    reads = Pauses(scenario, streams, name, session).pause
    return ClosedLoop(work, streams, clients=session.count, think=think, reads=reads)
