"""The servers: a primary, its standbys, and the devices under them."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from replsim.randomness import DurationDistribution
from replsim.rules.acks import Level
from replsim.scenario.base import Count, Name, Part, Whole
from replsim.units import (
    Bandwidth,
    Duration,
    Fraction,
    Size,
    format_duration,
    parse_bandwidth,
    parse_duration,
    parse_size,
)

__all__ = [
    "FOR_EVER",
    "Archive",
    "Checkpoints",
    "Primary",
    "ReadCapacity",
    "Rebuild",
    "Replay",
    "Standby",
    "WalDevice",
]


FOR_EVER: Final = -1
"""A grace without end."""


def _grace(value: Any) -> int:
    return FOR_EVER if value in (FOR_EVER, str(FOR_EVER)) else parse_duration(value)


Grace = Annotated[
    int,
    BeforeValidator(_grace),
    PlainSerializer(lambda grace: FOR_EVER if grace == FOR_EVER else format_duration(grace)),
    WithJsonSchema(
        {
            "type": ["string", "integer"],
            "maximum": FOR_EVER,
            "minimum": FOR_EVER,
            "title": "Duration",
            "description": "A duration with its unit, such as '30s'; or -1, for ever.",
            "examples": ["30s"],
        }
    ),
]
"""A duration in whole nanoseconds, or `FOR_EVER`."""


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
    size: Annotated[Size, Field(gt=0)] | None = None
    """How much WAL it holds.  A server that needs room for more panics, and stays down; without it there is always
    room."""
    cleared_after: Annotated[Duration, Field(gt=0)] | None = None
    """How long after it was full somebody has made room and started the server: the slots of standbys that were away
    are dropped, and a checkpoint removes what nobody needs.  Without it nobody comes."""


class Replay(Part):
    """A standby's startup process: it replays WAL serially, and only what is flushed there."""

    per_record: DurationDistribution = Field(default_factory=lambda: _constant("20us"))
    """The time to replay one WAL record."""
    bandwidth: Bandwidth | None = None
    """Bytes per second of replay, on top of the time per record; without it bytes cost nothing."""


class ReadCapacity(Part):
    """How many reads a server serves at once, and how long one takes; others wait for their turn, in order."""

    servers: Count = 8
    """Reads that are served at once."""
    service: DurationDistribution = Field(default_factory=lambda: _constant("1ms"))
    """How long one read is served."""


class Checkpoints(Part):
    """Checkpoints, after each of which the first change of a page logs the whole page (``full_page_writes``)."""

    every: Annotated[Duration, Field(gt=0)] = parse_duration("5min")
    """Simulated time between checkpoints."""
    completion_target: Fraction = 0.9
    """The share of that time over which a checkpoint is spread; only when it is done may it remove WAL."""
    page_image: Size = 8192
    """Bytes that a full-page image adds to a commit record."""
    rows_per_page: Count = 60
    """Rows (keys) on a page: key k lives on page k // rows_per_page."""


class Primary(Part):
    """The writer's server, with PostgreSQL's own settings."""

    name: Name = "p"
    """What the rest of the scenario calls it."""
    zone: Name | None = None
    """The zone that it is in."""
    wal_device: WalDevice = WalDevice()
    """The device that holds its WAL."""
    synchronous_commit: Level = "on"
    """How far a commit must get before the client is told; a writer may set its own."""
    synchronous_standby_names: str = ""
    """``FIRST n (…)``, ``ANY n (…)``, ``n (…)``, a bare list, ``*``; empty: no commit waits for a standby."""
    commit_delay: Duration = 0
    """How long the flushing backend sleeps before its flush, so that others may join it."""
    commit_siblings: Annotated[Whole, Field(ge=0, le=1_000_000)] = 5
    """`commit_delay` applies only while at least this many other transactions are active."""
    wal_writer_delay: Annotated[Duration, Field(gt=0)] = parse_duration("200ms")
    """The WAL writer flushes this often; what ``synchronous_commit: off`` acknowledges waits for it."""
    wal_writer_flush_after: Size = 1_048_576
    """The WAL writer also flushes once so many bytes wait for it (1 MiB)."""
    max_connections: Count = 100
    """The most connections of all clients together."""
    wal_sender_timeout: Duration = parse_duration("60s")
    """A walsender that has heard nothing from its standby for so long drops it; 0s never does."""
    wal_segment_size: Annotated[Size, Field(ge=2**20, le=2**30)] = 2**24
    """A file of WAL, fixed when a cluster is made (16 MiB): WAL is kept, removed and archived in whole files."""
    wal_keep_size: Size = 0
    """How much WAL is kept for standbys beyond what checkpoints and slots need."""
    max_slot_wal_keep_size: Size | None = None
    """The most WAL that a slot keeps: one that is further behind is invalidated.  Without it, as much as it takes."""
    read_capacity: ReadCapacity | None = None
    """How many reads it serves at once; without it any number, in no time."""
    checkpoints: Checkpoints | None = None
    """Checkpoints and their full-page images; without it there are none, and no WAL is ever removed."""


class Archive(Part):
    """The archive of WAL (``archive_command``): each file is there as soon as it is full."""

    bandwidth: Bandwidth = parse_bandwidth("100 MB/s")
    """How fast a standby that is lost fetches from it (``restore_command``), file by file, replaying each."""


class Rebuild(Part):
    """A new base backup, for a standby that is lost."""

    after: Duration = 0
    """How long until somebody begins it."""
    data: Size = parse_size("10 GB")
    """The size of the base backup."""
    bandwidth: Bandwidth = parse_bandwidth("100 MB/s")
    """How fast it is copied."""


class Standby(Part):
    """A streaming standby."""

    zone: Name | None = None
    """The zone that it is in."""
    upstream: str | None = None
    """The node that it streams from; without it, the primary."""
    wal_device: WalDevice = WalDevice()
    """The device that holds its WAL."""
    replay: Replay = Replay()
    """The cost of replaying WAL."""
    recovery_min_apply_delay: Duration = 0
    """It replays a commit only so long after the primary made it, and holds up all that follows."""
    read_capacity: ReadCapacity | None = None
    """How many reads it serves at once; without it any number, in no time."""
    max_standby_streaming_delay: Grace = parse_duration("30s")
    """How long after it has received WAL replay waits for queries that conflict with it, before it cancels them; -1
    waits for ever.  While replay is behind, all queries share one such grace."""
    hot_standby_feedback: bool = False
    """The primary keeps the rows that queries here may want to see, so that none conflicts.  Its bloat is left out."""
    wal_receiver_status_interval: Duration = parse_duration("10s")
    """The longest silence of its walreceiver towards the primary; 0s turns these status replies off."""
    wal_receiver_timeout: Duration = parse_duration("60s")
    """A walreceiver that has heard nothing from its upstream for so long gives it up; 0s never does."""
    wal_retrieve_retry_interval: Annotated[Duration, Field(gt=0)] = parse_duration("5s")
    """The time between two attempts to connect."""
    slot: bool = False
    """Whether its upstream has a replication slot for it (``primary_slot_name``), and keeps what it lacks."""
    rebuild: Rebuild | None = None
    """What is done when it needs WAL that is nowhere any more; without it, it stays lost."""
