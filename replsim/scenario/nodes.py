"""The servers: a primary, its standbys, and the devices under them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from replsim.randomness import DurationDistribution
from replsim.rules.acks import Level
from replsim.scenario.base import Part
from replsim.units import Bandwidth, Duration, Size, parse_duration

__all__ = ["Checkpoints", "Primary", "Replay", "Standby", "WalDevice"]


def _flush() -> DurationDistribution:
    return DurationDistribution.model_validate({"lognormal": {"median": "0.6ms", "p99": "3ms"}})


def _constant(text: str) -> DurationDistribution:
    return DurationDistribution.model_validate(text)


class WalDevice(Part):
    """The device that holds a server's WAL."""

    flush: DurationDistribution = Field(default_factory=_flush)
    """The time of one fdatasync.  The default is a small cloud VM, as measured: 0.62 ms."""
    write: DurationDistribution = Field(default_factory=lambda: _constant("10us"))
    """The time of one write call, before the flush (on a standby, with the reply that follows it)."""
    bandwidth: Bandwidth | None = None
    """Bytes per second of a write; without it a write costs the same whatever its size."""


class Replay(Part):
    """A standby's startup process: it replays WAL serially, and only what is flushed there."""

    per_record: DurationDistribution = Field(default_factory=lambda: _constant("20us"))
    """The time to replay one WAL record."""
    bandwidth: Bandwidth | None = None
    """Bytes per second of replay, on top of the time per record; without it bytes cost nothing."""


class Checkpoints(Part):
    """Checkpoints, after each of which the first change of a page logs the whole page (``full_page_writes``)."""

    every: Duration = parse_duration("5min")
    """Simulated time between checkpoints."""
    page_image: Size = 8192
    """Bytes that a full-page image adds to a commit record."""
    rows_per_page: Annotated[int, Field(ge=1)] = 60
    """Rows (keys) on a page: key k lives on page k // rows_per_page."""


class Primary(Part):
    """The writer's server, with PostgreSQL's own settings."""

    name: str = "p"
    zone: str | None = None
    wal_device: WalDevice = WalDevice()
    synchronous_commit: Level = "on"
    """How far a commit must get before the client is told; a writer may set its own."""
    synchronous_standby_names: str = ""
    """``FIRST n (…)``, ``ANY n (…)``, ``n (…)``, a bare list, ``*``; empty: no commit waits for a standby."""
    commit_delay: Duration = 0
    """How long the flushing backend sleeps before its flush, so that others may join it."""
    commit_siblings: Annotated[int, Field(ge=0)] = 5
    """`commit_delay` applies only while at least this many other transactions are active."""
    wal_writer_delay: Duration = parse_duration("200ms")
    wal_writer_flush_after: Size = 1_048_576
    max_connections: Annotated[int, Field(ge=1)] = 100
    checkpoints: Checkpoints | None = None


class Standby(Part):
    """A streaming standby."""

    zone: str | None = None
    upstream: str | None = None
    """The node that it streams from; without it, the primary."""
    wal_device: WalDevice = WalDevice()
    replay: Replay = Replay()
    recovery_min_apply_delay: Duration = 0
    wal_receiver_status_interval: Duration = parse_duration("10s")
    """The longest silence of its walreceiver towards the primary; 0 turns these status replies off."""
