"""What is heard on a link is what was said, however the stream is cut into pieces."""

from __future__ import annotations

import struct

import pytest

from replsim.engines.postgres.ear import EPOCH, Ear, Report, Wal


def message(kind: bytes, payload: bytes) -> bytes:
    """A message of the protocol: its type, its length and what it holds."""
    return kind + struct.pack("!i", len(payload) + 4) + payload


def wal(start: int, size: int, flushed: int, made: int) -> bytes:
    """A message with WAL."""
    return message(b"d", b"w" + struct.pack("!QQq", start, flushed, made) + bytes(size))


def status(write: int, flush: int, apply: int, made: int) -> bytes:
    """A standby status update."""
    return message(b"d", b"r" + struct.pack("!QQQqB", write, flush, apply, made, 0))


KEEPALIVE = message(b"d", b"k" + struct.pack("!QqB", 500, 7, 1))
UPSTREAM = (
    message(b"R", b"\0\0\0\0") + message(b"W", b"\0\0\0") + wal(100, 50, 180, 3) + KEEPALIVE + wal(150, 30, 200, 9)
)
STARTUP = struct.pack("!ii", 8 + 13, 196_608) + b"user\0replsim\0"
STANDBY = STARTUP + message(b"Q", b"START_REPLICATION\0") + status(150, 100, 90, 5) + status(180, 180, 150, 11)


@pytest.mark.parametrize("piece", [1, 2, 7, 31, 40, 10_000])
def test_an_upstream_is_understood(piece: int) -> None:
    """Each message of WAL says where it ends, how far the upstream had flushed, and when it was made."""
    ear = Ear(from_client=False)
    heard = [said for at in range(0, len(UPSTREAM), piece) for said in ear.hear(UPSTREAM[at : at + piece])]
    assert heard == [Wal(150, 180, EPOCH + 3), Wal(180, 200, EPOCH + 9)]


@pytest.mark.parametrize("piece", [1, 2, 7, 31, 40, 10_000])
def test_a_standby_is_understood(piece: int) -> None:
    """A standby's first message has no type; its replies are heard with their positions and their moment."""
    ear = Ear(from_client=True)
    heard = [said for at in range(0, len(STANDBY), piece) for said in ear.hear(STANDBY[at : at + piece])]
    assert heard == [Report(150, 100, 90, EPOCH + 5), Report(180, 180, 150, EPOCH + 11)]


def test_a_message_is_heard_with_its_last_byte() -> None:
    """WAL that has come only in part has not come."""
    ear = Ear(from_client=False)
    said = wal(0, 1000, 1000, 1)
    assert ear.hear(said[:-1]) == []
    assert ear.hear(said[-1:]) == [Wal(1000, 1000, EPOCH + 1)]
