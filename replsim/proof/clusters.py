"""Clusters in which nothing costs anything, but for what a closed form puts there."""

from __future__ import annotations

from typing import Any, Final

from replsim.scenario import Scenario

__all__ = ["FREE", "SPEED", "cluster", "exponential", "standby"]

FREE: Final = {"flush": "0s", "write": "0s"}
"""A device that takes no time: each commit is flushed, and shipped, on its own."""

SPEED: Final = "1 MB/s"
"""A line on which a record of 10 kB takes 10 ms."""


def exponential(mean: str) -> dict[str, Any]:
    """An exponential distribution of durations or sizes."""
    return {"exponential": {"mean": mean}}


def standby(**settings: Any) -> dict[str, Any]:
    """A standby that receives, flushes and replays in no time, but for the settings given."""
    return {"wal_device": FREE, "replay": {"per_record": "0s"}} | settings


def cluster(name: str, duration: str, *, primary: dict[str, Any] | None = None, **rest: Any) -> Scenario:
    """A scenario without wake-ups and without a device's time; commits are local unless the primary says more."""
    own = {"wal_device": FREE, "synchronous_commit": "local"} | (primary or {})
    return Scenario.model_validate({"name": name, "duration": duration, "wakeup": "0s", "primary": own} | rest)
