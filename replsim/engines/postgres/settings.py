"""A scenario's settings in the words of ``postgresql.conf``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from replsim.scenario import Scenario

__all__ = ["Settings", "primary_settings", "standby_settings"]

Settings = dict[str, str | int]
"""Names and values."""

SPARE: Final = 30
"""Connections beside those of the scenario's clients: our own, and those of readers."""


def primary_settings(scenario: Scenario) -> Settings:
    """What every server is told, since any may become the primary, and must take as many connections (standbys refuse
    to start with fewer)."""
    primary = scenario.primary
    in_flight = sum((writer.clients or 0) * writer.in_flight for writer in scenario.writers.values())
    return {
        "synchronous_commit": primary.synchronous_commit,
        "commit_delay": primary.commit_delay // 1000,
        "commit_siblings": primary.commit_siblings,
        "wal_writer_delay": microseconds(primary.wal_writer_delay),
        "wal_writer_flush_after": f"{primary.wal_writer_flush_after}B",
        "max_connections": max(primary.max_connections, in_flight) + SPARE,
        "max_wal_senders": 2 * len(scenario.standbys) + 4,
        "max_replication_slots": 2 * len(scenario.standbys) + 4,
    }


def standby_settings(scenario: Scenario, name: str, slot: str, upstream: Mapping[str, str | int]) -> Settings:
    """As `primary_settings`, and where it streams from: ``upstream`` is a connection string's keys."""
    standby = scenario.standbys[name]
    return primary_settings(scenario) | {
        "cluster_name": name,
        "primary_conninfo": " ".join(f"{key}={value}" for key, value in upstream.items()),
        "primary_slot_name": slot,
        "recovery_min_apply_delay": microseconds(standby.recovery_min_apply_delay),
        "wal_receiver_status_interval": microseconds(standby.wal_receiver_status_interval),
    }


def microseconds(duration: int) -> str:
    """A duration as a setting takes it; the server rounds it to the setting's own unit.

    >>> microseconds(200_000_000)
    '200000us'
    """
    return f"{duration // 1000}us"
