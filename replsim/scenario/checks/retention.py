"""Mistakes in what is kept of the WAL: settings of no use, and a disk on which nothing would fit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from replsim.errors import Problem
from replsim.scenario.retention import devices
from replsim.units import format_size

if TYPE_CHECKING:
    from replsim.scenario.model import Scenario
    from replsim.scenario.nodes import WalDevice

__all__ = ["CHECKS"]

LEAST_FILES: Final = 2
"""The file that is written, and the one before it, of which a standby may still need the end."""


def retention_without_checkpoints(scenario: Scenario) -> Iterator[Problem]:
    """Settings of what checkpoints remove, where there are none."""
    primary = scenario.primary
    if primary.checkpoints is not None:
        return
    wanted: dict[tuple[str | int, ...], bool] = {
        ("primary", "wal_keep_size"): primary.wal_keep_size > 0,
        ("primary", "max_slot_wal_keep_size"): primary.max_slot_wal_keep_size is not None,
        ("archive",): scenario.archive is not None,
    }
    for name, standby in scenario.standbys.items():
        wanted["standbys", name, "slot"] = standby.slot
        wanted["standbys", name, "rebuild"] = standby.rebuild is not None
    for path, here in wanted.items():
        if here:
            message = (
                "is of no use: without checkpoints no WAL is ever removed; take it away, or write "
                "'primary: {checkpoints: {every: 5min}}'"
            )
            yield Problem(path, message)


def odd_file(scenario: Scenario) -> Iterator[Problem]:
    """A size of files that initdb would not take."""
    size = scenario.primary.wal_segment_size
    if size & (size - 1):
        message = f"must be a power of two, such as {format_size(1 << size.bit_length() - 1)}: initdb takes no other"
        yield Problem(("primary", "wal_segment_size"), message)


def disk_too_small(scenario: Scenario) -> Iterator[Problem]:
    """A device that is full from the start, or would be full again as soon as it is cleared."""
    file, kept = scenario.primary.wal_segment_size, scenario.primary.wal_keep_size
    least = kept // file * file + LEAST_FILES * file
    for path, device in _devices(scenario):
        if device.size is not None and device.size < least:
            what = f"wal_keep_size ({format_size(kept)}) and two files" if kept else "two files"
            message = f"is too small: {what} of WAL ({format_size(file)} each) need {format_size(least)}"
            yield Problem((*path, "size"), message)


def cleared_without_size(scenario: Scenario) -> Iterator[Problem]:
    """Somebody who comes when the disk is full, and a disk that never is."""
    for path, device in _devices(scenario):
        if device.cleared_after is not None and device.size is None:
            yield Problem(
                (*path, "cleared_after"), "is of no use: without a size the device is never full; write 'size: 20 GB'"
            )


def _devices(scenario: Scenario) -> Iterator[tuple[tuple[str, ...], WalDevice]]:
    for name, device in devices(scenario).items():
        here = ("primary",) if name == scenario.primary.name else ("standbys", name)
        yield (*here, "wal_device"), device


CHECKS: Final = (retention_without_checkpoints, odd_file, disk_too_small, cleared_without_size)
