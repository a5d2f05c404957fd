"""One commit at a time: its latency is the sum of all that it passes through, to the nanosecond."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from replsim.proof.clusters import cluster, exponential
from replsim.proof.estimators import Estimate, exactly
from replsim.proof.form import ClosedForm
from replsim.record import Record
from replsim.units import format_duration, parse_duration

__all__ = ["FORMS"]

HANDOFFS: Final = {"local": 2, "remote_write": 6, "on": 6, "remote_apply": 8}
"""Wake-ups that one commit waits for.  ``local``: the backend by the request, the client by the answer.  Remote:
also walsender, walreceiver, walsender by the reply, and the backend.  ``remote_apply``: also replay, and the
walreceiver that sends its reply."""


def latency(level: str, *, flush: str, way: str, write: str, remote_flush: str, replay: str, wakeup: str) -> float:
    """Closed form 19 in milliseconds: only flushed WAL is shipped, so nothing overlaps."""
    parts = [flush]
    if level != "local":
        parts += [way, write, way]
    if level in ("on", "remote_apply"):
        parts += [remote_flush]
    if level == "remote_apply":
        parts += [replay]
    return (sum(parse_duration(part) for part in parts) + HANDOFFS[level] * parse_duration(wakeup)) / 1e6


def serial(level: str, worked: str = "", *, write: str = "0s", wakeup: str = "0s") -> ClosedForm:
    """Closed form 19 at one level."""
    costs = {"flush": "0.5ms", "way": "1ms", "write": write, "remote_flush": "0.5ms", "replay": "0.2ms"}
    extra = f", wake-ups of {wakeup}" if wakeup != "0s" else ""
    return ClosedForm(
        number=19, name=f"commit at {level}, write {write}{extra}", unit="ms", tolerance=0.0,
        formula="local flush + RTT + remote {write, flush, apply}" + (" + wake-ups" if extra else ""),
        truth=latency(level, wakeup=wakeup, **costs), worked=worked, estimate=_latency,
        scenario=cluster(
            f"one commit at a time, {level}{extra}",
            "10s",
            wakeup=wakeup,
            primary={
                "wal_device": {"flush": costs["flush"], "write": "0s"},
                "synchronous_commit": level,
                "synchronous_standby_names": "FIRST 1 (s1)",
            },
            standbys={
                "s1": {
                    "wal_device": {"flush": costs["remote_flush"], "write": write},
                    "replay": {"per_record": costs["replay"]},
                }
            },
            links={"p -> s1": {"latency": costs["way"]}},
            writers={"app": {"arrivals": "deterministic", "rate": "50/s"}},
        ),
    )  # fmt: skip


def large() -> ClosedForm:
    """A record of 1 MB goes in eight messages; the line carries them one after the other, and then the reply."""
    on = serial("on")
    return replace(
        on, number=0, name="commit of a large record", formula=on.formula + " + bytes / bandwidth",
        truth=on.truth + 10 + 39 / 1e5,
        scenario=on.scenario.changed(
            links={"p -> s1": {"latency": "1ms", "bandwidth": "100 MB/s"}},
            writers={"app": {"arrivals": "deterministic", "rate": "50/s", "record": "1 MB"}},
        ),
    )  # fmt: skip


def tiny() -> ClosedForm:
    """However small a record is drawn, its commit has a flush of its own."""
    local = serial("local")
    return replace(
        local, number=0, name="commit of a tiny record",
        scenario=local.scenario.changed(
            writers={"app": {"arrivals": "deterministic", "rate": "50/s", "record": exponential("5 B")}}
        ),
    )  # fmt: skip


def cascade() -> ClosedForm:
    """From insert to replay on a standby of a standby: each node ships only what it has flushed."""
    wakeup = "70us"

    def estimate(records: Sequence[Record]) -> Estimate:
        record = records[0]
        commits = record.commits.where(np.arange(len(record.commits)) < len(record.commits) - 1)
        delays = np.unique(record.position("s2", "apply").crossing(commits["lsn"]) - commits["inserted"])
        assert len(delays) == 1
        return exactly(delays[0] / 1e6)

    device = {"wal_device": {"flush": "0.5ms", "write": "60us"}, "replay": {"per_record": "0.2ms"}}
    return ClosedForm(
        number=0, name="replay on a cascaded standby", unit="ms", tolerance=0.0, estimate=estimate,
        formula="flushes + ways + writes + replay + wake-ups (walsender and walreceiver a hop, replay)",
        truth=3 * 0.5 + 2 * 0.06 + 1 + 4 + 0.2 + 5 * parse_duration(wakeup) / 1e6,
        scenario=cluster(
            "a standby of a standby",
            "10s",
            wakeup=wakeup,
            primary={"wal_device": {"flush": "0.5ms", "write": "0s"}},
            standbys={"s1": device, "s2": device | {"upstream": "s1"}},
            links={"p -> s1": {"latency": "1ms"}, "s1 -> s2": {"latency": "4ms"}},
            writers={"app": {"arrivals": "deterministic", "rate": "50/s"}},
        ),
    )  # fmt: skip


def _latency(records: Sequence[Record]) -> Estimate:
    """The latency of every commit but the last, which may not have its answer; all must be equal."""
    commits = records[0].commits
    latencies = np.unique(commits["acknowledged"][:-1] - commits["submitted"][:-1])
    assert len(latencies) == 1, f"latencies differ: {[format_duration(int(each)) for each in latencies]}"
    return exactly(latencies[0] / 1e6)


FORMS: Final = (
    serial("local"),
    serial("remote_write"),
    serial("on", "3.0"),
    serial("remote_apply"),
    serial("remote_apply", write="60us"),
    serial("on", write="60us", wakeup="70us"),
    serial("remote_apply", write="60us", wakeup="70us"),
    serial("local", wakeup="70us"),
    large(),
    tiny(),
    cascade(),
)
