"""What of a scenario real servers cannot do: refused by name, or noted by name where something real takes its place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from replsim.engines.postgres.injections import COVERED
from replsim.errors import UnsupportedScenario
from replsim.scenario import Scenario
from replsim.scenario.failover import Manual, NoFailover
from replsim.scenario.faults import Crash, Partition
from replsim.scenario.retention import devices

__all__ = ["notes", "refuse_uncovered"]

TRACELESS: Final = "what a primary had not written of commits at `off` leaves no trace to be observed"
LONGEST_NAME: Final = 63
"""``NAMEDATALEN`` - 1: what PostgreSQL keeps of a standby's name."""


def refuse_uncovered(scenario: Scenario) -> None:
    """Raises `UnsupportedScenario`, with all that cannot be done on real servers, each by its name and with why."""
    missing = [f"  {name}: {why}" for name, why in _uncovered(scenario)]
    if missing:
        raise UnsupportedScenario("the engine 'postgres' cannot do what this scenario asks:\n" + "\n".join(missing))


def _uncovered(scenario: Scenario) -> Iterator[tuple[str, str]]:
    yield from _uncovered_clients(scenario)
    for name in scenario.nodes:
        if not name.isascii() or len(name) > LONGEST_NAME:
            yield name, f"a server's name has at most {LONGEST_NAME} letters, all of them ASCII"
    for name, device in devices(scenario).items():
        if device.size is not None:
            yield f"{name}.wal_device.size", "this machine's disk is not filled"
    if scenario.archive is not None:
        yield "archive", "nothing is archived, and no standby falls off: each has a slot without a limit"
    for name, link in scenario.links.items():
        if link.window is not None:
            yield f'links."{name}".window', "the window of a connection is the kernel's own"
    yield from _uncovered_faults(scenario)
    if not isinstance(scenario.failover, NoFailover | Manual):
        yield "failover", f"nothing does the work of manager {scenario.failover.manager}"
    elif not scenario.failover.fencing:
        yield "failover.fencing", "an old primary that still runs is stopped"
    elif isinstance(scenario.failover, Manual) and _any_off(scenario):
        yield "failover", TRACELESS


def _any_off(scenario: Scenario) -> bool:
    return any(scenario.level(writer.synchronous_commit) == "off" for writer in scenario.writers.values())


def _uncovered_faults(scenario: Scenario) -> Iterator[tuple[str, str]]:
    for place, fault in enumerate(scenario.faults):
        if fault.verb not in COVERED:
            yield f"faults[{place}]", f"{fault.verb} is not injected into real servers"
        elif isinstance(fault, Crash) and fault.crash == scenario.primary.name and _any_off(scenario):
            yield (
                f"faults[{place}]",
                "what a primary had not written of commits at `off` leaves no trace to be observed",
            )
        elif isinstance(fault, Partition):
            outside = {name for group in fault.partition for name in group} - {*scenario.nodes}
            if outside:
                yield f"faults[{place}]", f"{', '.join(sorted(outside))} cannot be parted from the servers"


def _uncovered_clients(scenario: Scenario) -> Iterator[tuple[str, str]]:
    for name in scenario.sessions:
        yield f"sessions.{name}", "only writers and readers are driven on real servers"
    for name, writer in scenario.writers.items():
        if writer.chunk is not None:
            yield f"writers.{name}.chunk", "each transaction is one statement, which writes its WAL at once"
        if writer.timeout is not None or writer.statement_timeout is not None:
            yield f"writers.{name}", "no transaction is ended that takes too long (timeout, statement_timeout)"
        if writer.retry is not None:
            yield f"writers.{name}.retry", "no transaction is submitted again"
        if writer.keys is not None and writer.keys.lock and writer.execution.constant != 0:
            yield f"writers.{name}.keys.lock", "the execution is a client's pause here, which cannot be under the lock"


def notes(scenario: Scenario) -> Iterator[str]:
    """What the scenario says and something real decides instead, by name, and what nobody could observe."""
    yield from _notes_on_servers(scenario)
    yield from _notes_on_clients(scenario)
    if isinstance(scenario.failover, Manual):
        yield "failover.promotion: it takes what it takes here"
        yield "failover.rejoin: the old primary does not come back"
    yield "commits.visible: when the answer reached the driver, at most one wake-up after the truth"
    yield f"{scenario.primary.name}.flush_starts: inferred, from when a commit waits and the flush before has ended"


def _notes_on_servers(scenario: Scenario) -> Iterator[str]:
    devices = ", ".join(f"{name}.wal_device" for name in scenario.nodes)
    yield f"{devices}: this machine's disk, not the scenario's; one disk for all nodes"
    if scenario.standbys:
        yield f"{', '.join(f'{name}.replay' for name in scenario.standbys)}: replay costs what it costs here"
    yield "wakeup: this machine's scheduler decides"
    if scenario.primary.checkpoints is not None:
        yield "primary.checkpoints: the real checkpoint decides which pages are logged whole"
        yield "slots: every standby has one without a limit, so that none is lost"
    capacities = {scenario.primary.name: scenario.primary.read_capacity}
    capacities |= {name: standby.read_capacity for name, standby in scenario.standbys.items()}
    for name, capacity in capacities.items():
        if capacity is not None:
            yield f"{name}.read_capacity: reads take what they take here"


def _notes_on_clients(scenario: Scenario) -> Iterator[str]:
    for name, writer in scenario.writers.items():
        if writer.execution.constant != 0:
            yield f"writers.{name}.execution: a pause before the statement, on top of the real INSERT's own"
        if writer.records == 1:
            yield f"writers.{name}.records: 2, since an INSERT and its commit are a record each"
        if writer.cold is not None:
            yield f"writers.{name}.cold: real connections grow cold by themselves"
    for name, reader in scenario.readers.items():
        if reader.route.looks_at_lag or reader.guarantee != "none":
            yield f"readers.{name}: what its router and its guarantee do is worked out from the positions observed"
