"""What belongs to which flush: facts that hold in every run, whatever mixes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from replsim.engines.events import run
from replsim.proof.clusters import cluster, exponential, standby
from replsim.units import NEVER

MIXED = {
    "app": {"rate": "300/s", "connections": 30},
    "logs": {"rate": "2000/s", "connections": 30, "synchronous_commit": "off"},
    "users": {"clients": 10, "think": exponential("20ms")},
    "loader": {"rate": "5/s", "connections": 10, "record": "20 kB", "chunk": "3 kB", "execution": "50ms"},
}
SLOW = {"flush": exponential("3ms"), "write": "0.1ms"}


@pytest.mark.parametrize("bandwidth", [None, "50 MB/s"])
@pytest.mark.parametrize("background", [None, {"wal": "1 MB/s"}])
@pytest.mark.parametrize("wakeup", ["0s", "70us"])
def test_a_flush_takes_only_what_was_there_at_its_start(bandwidth: str | None, background: Any, wakeup: str) -> None:
    """No commit counts as flushed by a flush that began before it, on the primary and on a standby."""
    device = SLOW | ({"bandwidth": bandwidth} if bandwidth else {})
    record = run(
        cluster(
            "everything at once",
            "10s",
            wakeup=wakeup,
            primary={"wal_device": device, "wal_writer_delay": "7ms"},
            standbys={"s1": standby(wal_device=device)},
            links={"p -> s1": {"latency": exponential("1ms")}},
            writers=MIXED,
            background=background,
        ),
        seed=1,
    )
    commits = record.commits
    for node, before in (("p", commits["inserted"]), ("s1", record.position("s1", "write").crossing(commits["lsn"]))):
        flushed = record.position(node, "flush").crossing(commits["lsn"])
        known = (flushed != NEVER) & (before != NEVER)
        starts = record.flush_starts[node]
        began = starts[np.searchsorted(starts, flushed[known], side="left") - 1]
        assert known.sum() > 20_000
        assert np.all(before[known] <= began)


def test_arrivals_of_one_moment_take_turns() -> None:
    """Work that is due at one moment goes through one connection in turn, also where it costs no time."""
    due = {"replayed": {"samples": ["1ms", "1ms", "1ms", "2ms", "2ms"]}}
    free = run(cluster("ties", "1s", writers={"app": {"arrivals": due, "connections": 1}}), seed=1)
    assert (free.commits["acknowledged"] / 1e6).tolist() == [1, 1, 1, 2, 2]
    slow = cluster("ties", "1s", writers={"app": {"arrivals": due, "connections": 1, "execution": "3ms"}})
    assert (run(slow, seed=1).commits["acknowledged"] / 1e6).tolist() == [4, 7, 10, 13, 16]
