"""Which scenarios this engine runs, and in plain words why it does not run the others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from replsim.rules.acks import REMOTE_LEVELS, SyncRule
from replsim.scenario import Scenario
from replsim.scenario.clients import Session, Writer
from replsim.scenario.failover import NoFailover
from replsim.scenario.faults import Crash, Pause
from replsim.scenario.retention import retention_matters
from replsim.scenario.topology import link_between

__all__ = ["covers"]

WINDOWS: Final = frozenset(
    {"cut", "delay", "load", "lose", "partition", "pause", "pause_replay", "skew", "slow", "stall", "throttle"}
)
"""The verbs of the faults that are on for a while, and after which all is as ever, or connections are made again."""


def covers(scenario: Scenario) -> list[str]:
    """Why ``scenario`` cannot be run here, in sentences without a full stop; empty if it can.

    What feeds back from an answer to what is submitted next stays with the event engine.  Whether a pool of
    connections ever runs dry is seen only as it runs.
    """
    return [*_clients(scenario), *_cluster(scenario), *_faults(scenario), *_instant_links(scenario)]


def _clients(scenario: Scenario) -> Iterator[str]:
    for name, writer in scenario.writers.items():
        if writer.clients is not None:
            yield f"clients of writer {name} wait for their own answers"
        if writer.cold is not None:
            yield f"what a transaction of writer {name} takes depends on the connection that it finds"
        if writer.timeout is not None or writer.statement_timeout is not None:
            yield f"transactions of writer {name} end when they take too long"
        if writer.keys is not None and writer.keys.lock:
            yield f"writer {name} takes row locks"
    for name, reader in scenario.readers.items():
        if reader.contends:
            yield f"reads of {name} slow replay"
    for name, session in scenario.sessions.items():
        if session.write_every is None:
            yield f"users of session {name} wait for their own answers"


def _cluster(scenario: Scenario) -> Iterator[str]:
    if not isinstance(scenario.failover, NoFailover):
        yield f"failover (manager: {scenario.failover.manager}) takes the event engine"
    yield from retention_matters(scenario)
    if scenario.primary.commit_delay:
        rule = SyncRule.parse(scenario.primary.synchronous_standby_names)
        writing: list[tuple[str, Writer | Session]] = [*scenario.writers.items(), *scenario.sessions.items()]
        yield from (
            f"commit_delay asks who is active, and clients of {name} wait for standbys meanwhile"
            for name, client in writing
            if rule.in_force(scenario.level(client.synchronous_commit)) in REMOTE_LEVELS
        )


def _faults(scenario: Scenario) -> Iterator[str]:
    for place, fault in enumerate(scenario.faults):
        name = f"faults[{place}] ({fault.verb})"
        if isinstance(fault, Pause) and fault.pause == scenario.primary.name:
            yield f"{name} stops the primary, and with it the clients"
        elif isinstance(fault, Pause) and any(_behind_a_window(scenario, fault.pause)):
            yield f"{name} stops a node that sends behind a window"
        elif isinstance(fault, Crash) and fault.crash in scenario.standbys:
            if any(scenario.upstream(name) == fault.crash for name in scenario.standbys):
                yield f"{name} takes down a node that others stream from"
            elif any(isinstance(each, Pause) and each.pause == fault.crash for each in scenario.faults):
                yield f"{name} takes down a node that stands still at other times"
        elif fault.verb not in WINDOWS:
            yield f"{name} takes the event engine"


def _behind_a_window(scenario: Scenario, node: str) -> Iterator[bool]:
    """Whether what a standby sends to each that streams from it is limited by a window."""
    for name in scenario.standbys:
        if scenario.upstream(name) == node:
            link = link_between(scenario, node, name)
            yield link is not None and link.window is not None


def _instant_links(scenario: Scenario) -> Iterator[str]:
    """Where a hand-off takes no time, what arrives may depend on what its arrival brings about."""
    for name in scenario.standbys if not scenario.wakeup else ():
        upstream = scenario.upstream(name)
        for here, there in ((upstream, name), (name, upstream)):
            link = link_between(scenario, here, there)
            if link is not None and link.latency.constant == 0:
                yield f"with wakeup: 0s, the link {here} -> {there} takes no time at all"
