"""Whether what a server keeps of the WAL can matter to anybody: known before a run, and why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from replsim.rules.retention import Retention
from replsim.scenario.estimate import commit_rate, wal_rate
from replsim.scenario.topology import link_between
from replsim.units import SECOND

if TYPE_CHECKING:
    from replsim.scenario.model import Scenario
    from replsim.scenario.nodes import Checkpoints, WalDevice

__all__ = ["devices", "retention_matters", "retention_of"]

PARTING: Final = frozenset({"crash", "cut", "partition", "pause", "restart", "switchover"})
"""The verbs of the faults that may part a standby from its upstream."""


def retention_of(scenario: Scenario) -> Retention:
    """The rule by which every server of a scenario keeps WAL: the primary's settings."""
    primary = scenario.primary
    return Retention(primary.wal_segment_size, primary.wal_keep_size, primary.max_slot_wal_keep_size)


def retention_matters(scenario: Scenario) -> Iterator[str]:
    """Why WAL that is kept, or is not, may change what happens, in clauses; none where nobody can fall off.

    A standby whose connection holds has been sent all that is flushed, unless a window holds it back; and a run that is
    expected to write less than a file of WAL fills none.
    """
    for node, device in devices(scenario).items():
        if device.size is not None:
            yield f"the WAL may fill the device of {node}"
    checkpoints = scenario.primary.checkpoints
    if checkpoints is None or _wal(scenario, checkpoints) < scenario.primary.wal_segment_size:
        return  # what is not even a file is never removed
    name = scenario.primary.name
    parted = scenario.failover.manager != "none" or any(fault.verb in PARTING for fault in scenario.faults)
    if scenario.standbys and parted:
        yield f"a standby that was away may need WAL that a checkpoint of {name} has removed"
    capped = scenario.primary.max_slot_wal_keep_size is not None
    for standby in scenario.standbys:
        if capped and scenario.standbys[standby].slot:
            yield f"the slot of {standby} may fall further behind than max_slot_wal_keep_size"
        link = link_between(scenario, scenario.upstream(standby), standby)
        if link is not None and link.window is not None:
            yield f"a checkpoint may remove WAL that the window of {scenario.upstream(standby)} -> {standby} holds back"


def _wal(scenario: Scenario, checkpoints: Checkpoints) -> float:
    """About how much WAL is written, in bytes."""
    seconds, images = scenario.duration / SECOND, 0.0
    for writer in scenario.writers.values():
        if writer.keys is not None:
            pages = -(-writer.keys.count // checkpoints.rows_per_page) * (scenario.duration / checkpoints.every + 1)
            images += min(pages, commit_rate(scenario, writer) * seconds)
    return wal_rate(scenario) * seconds + images * checkpoints.page_image


def devices(scenario: Scenario) -> dict[str, WalDevice]:
    """The WAL device of each node."""
    return {scenario.primary.name: scenario.primary.wal_device} | {
        name: standby.wal_device for name, standby in scenario.standbys.items()
    }
