"""From the scenario's writers and sessions to groups of clients."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from replsim.engines.events.clients import Clients, Work
from replsim.engines.events.closed_loop import ClosedLoop
from replsim.engines.events.open_loop import OpenLoop
from replsim.engines.events.pages import Pages
from replsim.randomness import Streams
from replsim.randomness.arrivals import arrivals
from replsim.randomness.trips import SessionDraws
from replsim.scenario import Scenario
from replsim.scenario.clients import Session, Writer
from replsim.scenario.topology import client_network

__all__ = ["groups"]


def groups(scenario: Scenario, streams: Streams) -> list[Clients]:
    """One group for each writer, then one for each session, in the scenario's order."""
    pages = Pages(scenario.primary.checkpoints) if scenario.primary.checkpoints else None
    made: list[Clients] = []
    for name, writer in scenario.writers.items():
        made.append(_writer(scenario, streams, len(made), name, writer, pages))
    for name, session in scenario.sessions.items():
        made.append(_session(scenario, streams, len(made), name, session))
    return made


def _writer(
    scenario: Scenario, streams: Streams, index: int, name: str, writer: Writer, pages: Pages | None
) -> Clients:
    stream = f"writer:{name}"
    work = Work(
        level=scenario.level(writer.synchronous_commit),
        network=client_network(scenario, writer, scenario.primary.name),
        execution=writer.execution,
        record=writer.record,
        records=writer.records,
        chunk=writer.chunk,
        keys=writer.keys,
    )
    if writer.clients is not None:
        think = streams.draws(f"{stream}:think", writer.think)
        return ClosedLoop(
            index, stream, work, streams, wakeup=scenario.wakeup, pages=pages,
            clients=writer.clients, think=think.next, in_flight=writer.in_flight, poll=writer.poll,
        )  # fmt: skip
    return OpenLoop(
        index, stream, work, streams, wakeup=scenario.wakeup, pages=pages,
        arrivals=arrivals(streams, f"{stream}:arrivals", writer, scenario.duration),
        users=None, connections=writer.connections,
    )  # fmt: skip


def _session(scenario: Scenario, streams: Streams, index: int, name: str, session: Session) -> Clients:
    stream = f"session:{name}"
    work = Work(
        level=scenario.level(session.synchronous_commit),
        network=client_network(scenario, session, scenario.primary.name),
        execution=session.execution,
        record=session.record,
        records=1,
        chunk=None,
        keys=None,
    )
    if session.write_every is not None:
        times, users = _user_writes(scenario, streams, stream, session)
        return OpenLoop(
            index, stream, work, streams, wakeup=scenario.wakeup, pages=None,
            arrivals=times, users=users, connections=session.connections,
        )  # fmt: skip
    assert session.think is not None
    nodes = session.route.nodes(scenario.primary.name, tuple(scenario.standbys))
    networks = [client_network(scenario, session, node) for node in nodes]
    return ClosedLoop(
        index, stream, work, streams, wakeup=scenario.wakeup, pages=None,
        clients=session.count,
        think=streams.draws(f"{stream}:think", session.think).next,
        reads=SessionDraws(streams, name, session, networks).pause,
    )  # fmt: skip


def _user_writes(
    scenario: Scenario, streams: Streams, stream: str, session: Session
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The times at which the users of an open-loop session write, in order, and who does.

    Each user is a renewal process of its own stream; the first gap is cut at random, as if all had begun long ago.
    """
    assert session.write_every is not None
    times: list[NDArray[np.int64]] = []
    phase = streams.uniforms(f"{stream}:phase").block(session.count)
    expected = max(1, int(scenario.duration / max(session.write_every.mean, 1.0) * 1.2) + 8)
    for user in range(session.count):
        draws = streams.draws(f"{stream}:write_every:{user}", session.write_every)
        gaps = draws.block(expected)
        gaps[0] = int(gaps[0] * phase[user])
        total = np.cumsum(gaps)
        while total[-1] < scenario.duration:
            total = np.concatenate([total, total[-1] + np.cumsum(draws.block(expected))])
        times.append(total[: int(np.searchsorted(total, scenario.duration))])
    users = np.repeat(np.arange(session.count), [len(own) for own in times])
    merged = np.concatenate(times)
    order = np.lexsort((users, merged))
    return merged[order], users[order]
