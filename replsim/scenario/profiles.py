"""Database profiles: what one database does where another differs, as one frozen class of settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["POSTGRESQL", "PROFILES", "Profile"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The settings in which databases differ; the engines read them and never a database's name."""

    name: str
    ship_from: Literal["flushed", "inserted"]
    """The position up to which a primary ships its WAL."""
    transport: Literal["push", "pull"]
    reply: Literal["write_then_flush", "received"]
    """What a receiver reports of a batch, and when."""
    visible: Literal["after_acknowledgement", "before_acknowledgement"]
    """When other sessions of the primary see a commit that waits for standbys."""
    unacknowledged: Literal["block", "degrade", "error"]
    """What becomes of a commit that the rule cannot release."""
    replay: Literal["serial", "parallel"]
    page_bytes: int
    """The WAL writer flushes whole pages of this size first."""
    message_bytes: int
    """The most WAL in one message."""


POSTGRESQL: Final = Profile(
    name="postgresql",
    ship_from="flushed",
    transport="push",
    reply="write_then_flush",
    visible="after_acknowledgement",
    unacknowledged="block",
    replay="serial",
    page_bytes=8192,
    message_bytes=131_072,
)

PROFILES: Final = {POSTGRESQL.name: POSTGRESQL}
